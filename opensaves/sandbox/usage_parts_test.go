package sandbox

import (
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"

	"opensaves-soak/opensaves/grpc/api"
	"opensaves-soak/opensaves/sandbox/fault"
)

func TestRESTFillsRedisAndNeverReadsIt(t *testing.T) {
	meter(t, func(t *testing.T, m *metered) {
		m.rest(t, `POST /api/stores {"store_id":"s"}`)
		m.rest(t, `POST /api/stores/s/records {"record_id":"r"}`)
		for range 3 {
			m.rest(t, `GET /api/stores/s/records/r`)
			m.rest(t, `GET /api/stores/s`)
		}
		names := []string{"CacheHits", "CacheMisses", "GetTypeCmds", "SetTypeCmds", "CurrItems", "Reclaimed"}
		want := map[string]float64{"CacheHits": 0, "CacheMisses": 0, "GetTypeCmds": 0, "SetTypeCmds": 6, "CurrItems": 2, "Reclaimed": 0}
		if diff := cmp.Diff(want, some(m.consumed(t, "AWS/ElastiCache"), names...)); diff != "" {
			t.Errorf("after reads (-want +got)\n%s", diff)
		}
		m.rest(t, `PUT /api/stores/s/records/r {}`)
		if got := m.consumed(t, "AWS/ElastiCache")["CurrItems"]; got != 1 {
			t.Errorf("after an update: got %v entries, want 1", got)
		}
		time.Sleep(58 * time.Minute)
		want = map[string]float64{"CurrItems": 0, "Reclaimed": 1}
		if diff := cmp.Diff(want, some(m.consumed(t, "AWS/ElastiCache"), "CurrItems", "Reclaimed")); diff != "" {
			t.Errorf("after an hour (-want +got)\n%s", diff)
		}
	})
}

func TestGRPCReadsThroughRedis(t *testing.T) {
	meter(t, func(t *testing.T, m *metered) {
		v := &service{sandbox: m.Sandbox, database: m.database}
		_, err := v.CreateStore(t.Context(), &api.CreateStoreRequest{Store: &api.Store{Key: "s"}})
		if err == nil {
			_, err = v.CreateRecord(t.Context(), &api.CreateRecordRequest{StoreKey: "s", Record: &api.Record{Key: "r", OwnerId: "o"}})
		}
		for _, skip := range []bool{false, false, true} {
			if err == nil {
				_, err = v.GetRecord(t.Context(), &api.GetRecordRequest{StoreKey: "s", Key: "r", Hint: &api.Hint{SkipCache: skip}})
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		m.database.records.clear()
		if _, err := v.AtomicInc(t.Context(), &api.AtomicIncRequest{StoreKey: "s", RecordKey: "none"}); err == nil {
			t.Error("a step of a record that is not there: got no error")
		}
		if _, err := v.GetRecord(t.Context(), &api.GetRecordRequest{StoreKey: "s", Key: "r"}); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		want := map[string]float64{
			"stores PutItem": 1, "stores write": 1, "stores GetItem": 1, "stores read": 0.5,
			"records PutItem": 1, "records write": 1, "records Owner write": 1, "records GetItem": 3, "records read": 1.5,
		}
		if diff := cmp.Diff(want, m.consumed(t, "AWS/DynamoDB")); diff != "" {
			t.Errorf("DynamoDB (-want +got)\n%s", diff)
		}
		redis := map[string]float64{"CacheHits": 2, "CacheMisses": 1, "GetTypeCmds": 3, "SetTypeCmds": 4, "CurrItems": 2}
		if diff := cmp.Diff(redis, some(m.last(t, "AWS/ElastiCache", start), "CacheHits", "CacheMisses", "GetTypeCmds", "SetTypeCmds", "CurrItems")); diff != "" {
			t.Errorf("Redis (-want +got)\n%s", diff)
		}
	})
}

func TestBlobsShowAsRequestsToS3(t *testing.T) {
	big := strings.Repeat("x", 10<<20)
	meter(t, func(t *testing.T, m *metered) {
		for _, request := range []string{
			`POST /api/stores {"store_id":"s"}`, `POST /api/stores/s/records {"record_id":"r"}`,
			`PUT /api/stores/s/records/r/blobs/b ` + big, `PUT /api/stores/s/records/r/blobs/c x`, `GET /api/stores/s/records/r/blobs/c`,
			`GET /api/stores/s/records/r/blobs/none`, `DELETE /api/stores/s/records/r/blobs/c`,
		} {
			m.rest(t, request)
		}
		want := map[string]float64{
			"AllRequests": 9, "PutRequests": 3, "PostRequests": 2, "GetRequests": 1, "HeadRequests": 2, "DeleteRequests": 1, "4xxErrors": 1,
			"BytesUploaded": 10<<20 + 1, "BytesDownloaded": 1, "FirstByteLatency": 9, "TotalRequestLatency": 9,
		}
		if diff := cmp.Diff(want, m.consumed(t, "AWS/S3")); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

func TestAThrottledDatabaseShowsWhatItRefused(t *testing.T) {
	meter(t, func(t *testing.T, m *metered) {
		m.SetFaults(fault.Faults{DynamoDBThrottle: 1})
		v := &service{sandbox: m.Sandbox, database: m.database}
		m.rest(t, `GET /api/stores/s/records`)
		m.rest(t, `DELETE /api/metadata/k/i`)
		if _, err := v.CreateRecord(t.Context(), &api.CreateRecordRequest{StoreKey: "s", Record: &api.Record{Key: "r"}}); err == nil {
			t.Error("got no error, want a throttled create")
		}
		want := map[string]float64{
			"stores GetItem ThrottledRequests": 1, "stores ReadThrottleEvents": 1, "stores ReadKeyRangeThroughputThrottleEvents": 1,
			"metadata DeleteItem ThrottledRequests": 1, "metadata WriteThrottleEvents": 1, "metadata WriteKeyRangeThroughputThrottleEvents": 1,
			"records PutItem ThrottledRequests": 1, "records WriteThrottleEvents": 1, "records WriteKeyRangeThroughputThrottleEvents": 1,
		}
		if diff := cmp.Diff(want, m.consumed(t, "AWS/DynamoDB")); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

func TestLiesAndLateWritesAreMeteredOnce(t *testing.T) {
	meter(t, func(t *testing.T, m *metered) {
		m.SetFaults(fault.Faults{Kinds: map[string]float64{"early_ack": 1}, EarlyAckBy: fault.Duration(5 * time.Second)})
		m.rest(t, `POST /api/metadata/k/i {}`)
		if diff := cmp.Diff(map[string]float64{"metadata PutItem": 1, "metadata write": 1}, m.consumed(t, "AWS/DynamoDB")); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

func TestRestartsAndBytesShowAtThePods(t *testing.T) {
	meter(t, func(t *testing.T, m *metered) {
		far, near := net.Pipe()
		conn := m.open.add(near)
		go func() {
			_, _ = far.Write(make([]byte, 600)) // an error shows in the values
			_, _ = io.ReadFull(far, make([]byte, 1200))
			_ = far.Close()
		}()
		if _, err := io.ReadFull(conn, make([]byte, 600)); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(make([]byte, 1200)); err != nil {
			t.Fatal(err)
		}
		m.restart()
		start := time.Now()
		m.consumed(t, "ContainerInsights")
		got := map[string]float64{}
		m.each(t, "ContainerInsights", start, func(string) string { return "Sum" }, func(found types.Metric, value float64) {
			if len(found.Dimensions) == 3 && slices.ContainsFunc(found.Dimensions, func(d types.Dimension) bool { return *d.Name == "PodName" }) {
				got[*found.MetricName] = value
			}
		})
		want := map[string]float64{"pod_number_of_container_restarts": 2, "pod_network_rx_bytes": 10, "pod_network_tx_bytes": 20}
		if diff := cmp.Diff(want, some(got, slices.Collect(maps.Keys(want))...)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

func TestASaturatedComponentShowsIt(t *testing.T) {
	for component, metrics := range map[string][2]string{
		"dynamodb": {"AWS/DynamoDB", "SuccessfulRequestLatency"}, "s3": {"AWS/S3", "FirstByteLatency"},
		"redis": {"AWS/ElastiCache", "EngineCPUUtilization"}, "pods": {"ContainerInsights", "pod_cpu_utilization_over_pod_limit"},
	} {
		t.Run(component, func(t *testing.T) {
			meter(t, func(t *testing.T, m *metered) {
				m.rest(t, `POST /api/stores {"store_id":"s"}`)
				m.rest(t, `POST /api/stores/s/records {"record_id":"r"}`)
				m.rest(t, `PUT /api/stores/s/records/r/blobs/b x`)
				m.SetFaults(fault.Faults{Saturation: fault.Saturation{RPS: 2, Component: component}})
				for start := time.Now(); time.Since(start) < 58*time.Second; {
					m.rest(t, `GET /api/stores/s/records/r`)
					m.rest(t, `GET /api/stores/s/records/r/blobs/b`)
				}
				start := time.Now()
				m.consumed(t, metrics[0])
				if got := m.highest(t, metrics[0], metrics[1], start); got < 95 {
					t.Errorf("got %s of %v at most, want over 95", metrics[1], got)
				}
			})
		})
	}
}
