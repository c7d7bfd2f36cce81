package aws

import (
	"slices"
	"time"
)

var s3Names = [s3Requests]string{"GetRequests", "PutRequests", "DeleteRequests", "HeadRequests", "PostRequests"}

// firstBytes are what S3 takes until it begins to answer.
var firstBytes = [s3Requests]milliseconds{s3Get: 18, s3Put: 26, s3Delete: 20, s3Head: 10, s3Post: 22}

// s3Bandwidth is how many bytes a request moves in a millisecond.
const s3Bandwidth = 90e3

// s3 publishes what AWS/S3 has of a bucket: requests where somebody has switched
// that on.
func (i *interval) s3(b Bucket) {
	for _, c := range b.MetricsConfigurations {
		i.requests(family{"AWS/S3", map[string]string{"BucketName": b.Name, "FilterId": c.ID}})
	}
}

// storage publishes what buckets hold, with all versions, at the beginning of a
// day: as that of the day before, and stamped with the beginning of that one.
func (p *Publisher) storage(day time.Time) {
	p.day = day
	var buckets []Bucket
	p.cloud.Update(func(a *Account) { buckets = slices.Clone(a.Buckets) })
	for _, b := range buckets {
		daily := func(name, kind string, value int64) {
			m := Metric{"AWS/S3", name, map[string]string{"BucketName": b.Name, "StorageType": kind}}
			p.cloud.Put(m, day.AddDate(0, 0, -1), Value{Value: float64(value)})
		}
		daily("BucketSizeBytes", "StandardStorage", p.meter.s3.bytesUp.Load())
		daily("NumberOfObjects", "AllStorageTypes", p.meter.s3.versions.Load())
	}
}

func (i *interval) requests(to family) {
	used := &i.meter.s3
	var all float64
	var first []Value
	for kind, name := range s3Names {
		waits, calls := i.waited(&used.requests[kind])
		i.events(to, name, calls)
		first = append(first, observed(waits, firstBytes[kind])...)
		all += calls
	}
	up, down, failed := i.grown(&used.bytesUp), i.grown(&used.bytesDown), i.grown(&used.clientErrors)
	if all == 0 {
		return
	}
	i.events(to, "AllRequests", all)
	i.errors(to, "4xxErrors", failed, all)
	i.errors(to, "5xxErrors", 0, all)
	i.put(to, "FirstByteLatency", first...)
	i.put(to, "TotalRequestLatency", later(first, (up+down)/all/s3Bandwidth)...)
	i.total(to, "BytesUploaded", up)
	i.total(to, "BytesDownloaded", down)
}

// errors publishes 1 for a request that failed, and 0 for the others.
func (i *interval) errors(to family, name string, failed, all float64) {
	i.events(to, name, failed)
	if all > failed {
		i.put(to, name, Value{0, all - failed})
	}
}

// later returns the values so much greater.
func later(values []Value, by float64) []Value {
	moved := make([]Value, len(values))
	for i, v := range values {
		moved[i] = Value{v.Value + by, v.Count}
	}
	return moved
}
