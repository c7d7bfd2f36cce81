package cloudwatch

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves/sandbox/aws"
)

func TestDailyValuesAreHeldWithoutATime(t *testing.T) {
	simulate(t, func(c *Config) {
		only(metric.S3)(c)
		c.Timestamps = Always
	}, func(r *rig) {
		midnight := r.start.Truncate(24 * time.Hour)
		r.cloud.Put(ofBucket("BucketSizeBytes", "StorageType", "StandardStorage"), midnight.Add(-48*time.Hour), one(1000)) // two days late
		r.cloud.Put(ofBucket("NumberOfObjects", "StorageType", "AllStorageTypes"), midnight.Add(-48*time.Hour), one(3))
		r.run()
		r.until(20 * time.Second)
		bucket := "bucket=open-saves-blobs-123456789012"
		got := map[string]map[string]float64{"bytes": r.shown(metric.S3BucketSize), "objects": r.shown(metric.S3BucketObjects)}
		want := map[string]map[string]float64{"bytes": {bucket + ",storage_type=StandardStorage": 1000}, "objects": {bucket: 3}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("wanted -, got +\n%s", diff)
		}
		if got := r.stamps(metric.S3BucketSize); len(got) != 0 {
			t.Errorf("got the times %v, want none: Prometheus refuses samples so old", got)
		}
		before := r.cloud.Billed()[s3Namespace]
		r.cloud.Update(func(a *aws.Account) { a.Buckets[0].MetricsConfigurations = nil })
		r.until(13 * time.Minute) // request metrics are gone
		after := r.cloud.Billed()[s3Namespace]
		r.until(59 * time.Minute)
		if n := r.cloud.Billed()[s3Namespace] - after; n != 0 || after == before {
			t.Errorf("got %d billed metrics in an hour, want none: the daily ones are asked for once an hour", n)
		}
	})
}

func TestWithoutRequestMetricsNothingIsZero(t *testing.T) {
	simulate(t, only(metric.S3), func(r *rig) {
		r.cloud.Update(func(a *aws.Account) {
			a.Buckets[0].MetricsConfigurations = []aws.MetricsConfiguration{{ID: "part", Prefix: "logs/"}}
		})
		r.run()
		r.until(7 * time.Minute)
		got := map[string]map[string]float64{
			"requests": r.shown(metric.S3Requests), "source": r.shown(metric.CloudWatchSource), "age": r.shown(metric.CloudWatchDataAge),
		}
		want := map[string]map[string]float64{"requests": {}, "age": {}, "source": {"component=s3,source=request_metrics": 0}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("wanted -, got +\n%s", diff)
		}
	})
}
