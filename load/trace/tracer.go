// Package trace shows requests from the client's side: it makes the ids that a
// request carries, decides at its end whether its spans are kept, and hands those
// to an OpenTelemetry collector without ever making the load wait.
package trace

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves"
)

// Options are what a Tracer is made of.
type Options struct {
	Config  Config // valid, with an endpoint
	Target  opensaves.Config
	Version string // of this program
	Metrics metric.Factory
	Log     *slog.Logger
}

// Tracer makes traces of requests. A nil one makes none.
type Tracer struct {
	config   Config
	bound    uint64
	target   server
	client   otlptrace.Client
	idle     func() // closes connections of the client that it leaves open
	headers  *headers
	resource *resourcepb.Resource
	service  string // that resource's name
	scope    *commonpb.InstrumentationScope
	queue    chan Request
	full     chan struct{} // a batch is waiting
	failing  bool
	log      *slog.Logger

	exported, dropped, failed prometheus.Counter // spans
}

// New makes a tracer, which sends nothing before Start. Its errors are about the
// configuration, each with its path in the file, and about the environment.
func New(o Options) (*Tracer, error) {
	t := &Tracer{
		config: o.Config, bound: boundOf(o.Config.SampleRatio), target: serverOf(&o.Target),
		scope: &commonpb.InstrumentationScope{Name: "opensaves-soak", Version: o.Version},
		queue: make(chan Request, o.Config.Queue), full: make(chan struct{}, 1), log: o.Log,
	}
	var err error
	if t.resource, t.service, err = newResource(o.Version, os.Getenv); err != nil {
		return nil, err
	}
	t.headers = &headers{files: o.Config.HeaderFiles}
	if t.client, t.idle, err = connect(&o.Config, t.headers); err != nil {
		return nil, err
	}
	spans := o.Metrics.Counter(metric.Spans)
	t.exported, t.dropped, t.failed = spans.WithLabelValues("exported"), spans.WithLabelValues("dropped"), spans.WithLabelValues("failed")
	return t, nil
}

// Begin draws the context of an arrival's trace.
func (t *Tracer) Begin() Context {
	if t == nil {
		return Context{}
	}
	return newContext(t.config.Propagator == XRay, t.bound, time.Now)
}

// Header is what tells the target of a trace.
func (t *Tracer) Header(c Context) opensaves.Header {
	if t == nil {
		return opensaves.Header{}
	}
	return opensaves.Header{Name: t.config.Header(), Value: c.header()}
}

// Keeps says whether a request that has ended is kept, and for what; it looks at
// how it ended and at its response time. The empty reason is none.
func (t *Tracer) Keeps(c Context, outcome metric.Outcome, verdict metric.Result, response time.Duration) Reason {
	switch {
	case t == nil:
		return ""
	case c.Sampled:
		return Head
	case verdict == metric.Violation:
		return Violation
	case outcome == metric.Failure:
		return Error
	case verdict == metric.Suspect:
		return Suspect
	case t.config.Slow > 0 && response > time.Duration(t.config.Slow):
		return Slow
	}
	return ""
}

// Send hands a request over that is kept, and says whether there was room for it.
// A quarter of the room is for wrong answers and suspicions alone, so that a target
// that is down cannot crowd them out.
func (t *Tracer) Send(r Request) bool {
	if rare := r.Verdict == metric.Violation || r.Verdict == metric.Suspect; !rare && len(t.queue) >= cap(t.queue)-cap(t.queue)/4 {
		t.dropped.Add(float64(r.spans()))
		return false
	}
	select {
	case t.queue <- r:
	default:
		t.dropped.Add(float64(r.spans()))
		return false
	}
	if len(t.queue) >= batch {
		select {
		case t.full <- struct{}{}:
		default: // it is told already
		}
	}
	return true
}

// Start begins to export, until end is called, which exports what waits for as
// long as grace and drops what is left then.
func (t *Tracer) Start() (end func()) {
	if t == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background()) // it outlives the load
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		t.run(ctx, stop)
	}()
	return func() {
		close(stop)
		timer := time.AfterFunc(grace, cancel)
		<-ended
		timer.Stop()
		cancel()
	}
}

// said is what a collector or its client said, as a line of a log may hold it.
func (t *Tracer) said(err error) string {
	return (&opensaves.Headers{Values: t.headers.sent()}).Text(err.Error())
}
