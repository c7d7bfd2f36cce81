package cloudwatch

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"
	"go.uber.org/goleak"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves/sandbox/aws"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is an exporter that asks an AWS account in memory: the SDK's real
// clients and the real protocols, without a network, so that time can be simulated.
type rig struct {
	t        *testing.T
	cloud    *aws.Cloud
	exporter *Exporter
	registry *prometheus.Registry
	log      *lockedBuffer
	start    time.Time
	stop     func()
}

// handlerTransport sends requests straight to a handler.
type handlerTransport struct{ handler http.Handler }

func (h handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	answered := httptest.NewRecorder()
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.handler.ServeHTTP(answered, r)
	}()
	select {
	case <-done:
		return answered.Result(), nil
	case <-r.Context().Done():
		<-done // the handler has the same context
		return nil, r.Context().Err()
	}
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// count returns how many lines of the log hold a text.
func (b *lockedBuffer) count(text string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for line := range strings.Lines(b.buf.String()) {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

// simulate runs a test with an account and an exporter in simulated time. The
// exporter begins to poll with run.
func simulate(t *testing.T, configure func(*Config), test func(*rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, cloud: aws.New(aws.Stock("us-east-1")), registry: prometheus.NewPedanticRegistry(), log: &lockedBuffer{}, start: time.Now().UTC()}
		config := DefaultConfig()
		config.Region = "us-east-1"
		if configure != nil {
			configure(&config)
		}
		if err := config.Validate(); err != nil {
			t.Fatal(err)
		}
		exporter, err := New(t.Context(), Options{
			Config:  config,
			Connect: Connection{Region: "us-east-1", RoleARN: config.RoleARN, ExternalID: config.ExternalID, Sandbox: "http://aws.test", HTTP: &http.Client{Transport: handlerTransport{r.cloud}}},
			Price:   func() float64 { return 1e-5 },
			Metrics: metric.Factory{Registerer: r.registry},
			Log:     slog.New(slog.NewTextHandler(r.log, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		r.exporter = exporter
		test(r)
		if r.stop != nil {
			r.stop()
		}
	})
}

// run begins to poll.
func (r *rig) run() {
	ctx, cancel := context.WithCancel(r.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.exporter.Run(ctx)
	}()
	r.stop = func() { cancel(); <-done }
	synctest.Wait()
}

// wait lets simulated time pass.
func (r *rig) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// until lets simulated time pass until so long after the start.
func (r *rig) until(d time.Duration) { r.wait(time.Until(r.start.Add(d))) }

// only keeps a configuration to some components.
func only(components ...metric.Component) func(*Config) {
	return func(c *Config) {
		keep := map[metric.Component]bool{}
		for _, component := range components {
			keep[component] = true
		}
		if !keep[metric.EKS] {
			c.EKS.Cluster = ""
		}
		if !keep[metric.DynamoDB] {
			c.DynamoDB.Tables, c.DynamoDB.Indexes = nil, nil
		}
		if !keep[metric.S3] {
			c.S3.Buckets = nil
		}
		if !keep[metric.Redis] {
			c.Redis = RedisConfig{}
		}
	}
}

// table is a metric of a table of the stock deployment.
func ofTable(name, table string, more ...string) aws.Metric {
	dims := map[string]string{"TableName": table}
	for i := 0; i+1 < len(more); i += 2 {
		dims[more[i]] = more[i+1]
	}
	return aws.Metric{Namespace: "AWS/DynamoDB", Name: name, Dimensions: dims}
}

func ofNode(name string) aws.Metric {
	return aws.Metric{Namespace: "AWS/ElastiCache", Name: name, Dimensions: map[string]string{"CacheClusterId": "open-saves-cache", "CacheNodeId": "0001"}}
}

func ofBucket(name string, more ...string) aws.Metric {
	dims := map[string]string{"BucketName": "open-saves-blobs-123456789012"}
	for i := 0; i+1 < len(more); i += 2 {
		dims[more[i]] = more[i+1]
	}
	return aws.Metric{Namespace: "AWS/S3", Name: name, Dimensions: dims}
}

func one(value float64) aws.Value { return aws.Value{Value: value, Count: 1} }

// shown returns the series of a family: values by their labels but the region.
func (r *rig) shown(d metric.Definition) map[string]float64 {
	found := map[string]float64{}
	for labels, m := range r.gather(d) {
		switch {
		case m.Gauge != nil:
			found[labels] = m.Gauge.GetValue()
		case m.Counter != nil:
			found[labels] = m.Counter.GetValue()
		case m.Histogram != nil:
			found[labels] = float64(m.Histogram.GetSampleCount())
		}
	}
	return found
}

// stamps returns the explicit times of a family's series, from the start.
func (r *rig) stamps(d metric.Definition) map[string]time.Duration {
	found := map[string]time.Duration{}
	for labels, m := range r.gather(d) {
		if m.TimestampMs != nil {
			found[labels] = time.UnixMilli(m.GetTimestampMs()).Sub(r.start)
		}
	}
	return found
}

func (r *rig) gather(d metric.Definition) map[string]*dto.Metric {
	r.t.Helper()
	families, err := r.registry.Gather()
	if err != nil {
		r.t.Fatal(err)
	}
	found := map[string]*dto.Metric{}
	for _, family := range families {
		if family.GetName() != d.Name {
			continue
		}
		for _, m := range family.Metric {
			var labels []string
			for _, pair := range m.Label {
				if pair.GetName() != "region" {
					labels = append(labels, pair.GetName()+"="+pair.GetValue())
				}
			}
			found[strings.Join(labels, ",")] = m
		}
	}
	return found
}

func minutes(n int) model.Duration { return model.Duration(time.Duration(n) * time.Minute) }
