package trace

import (
	"context"
	"time"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

const (
	every = time.Second     // between exports of less than a batch
	batch = 512             // requests in one export
	grace = 5 * time.Second // for the last exports
)

// run exports until stop is closed, and then what is left until ctx ends.
func (t *Tracer) run(ctx context.Context, stop <-chan struct{}) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	defer t.close()
	if err := t.client.Start(ctx); err != nil {
		t.log.Error("Spans cannot be exported", "err", said(err))
	}
	for {
		select {
		case <-stop:
			t.drain(ctx)
			return
		case <-tick.C:
		case <-t.full:
		}
		t.drain(ctx)
	}
}

// drain exports what waits, batch by batch.
func (t *Tracer) drain(ctx context.Context) {
	for len(t.queue) > 0 && ctx.Err() == nil {
		var spans []*tracepb.Span
		for range min(len(t.queue), batch) {
			r := <-t.queue
			spans = append(spans, t.spans(&r)...)
		}
		t.export(ctx, spans)
	}
}

// export makes one request to the collector, which the client tries again for as
// long as its timeout allows.
func (t *Tracer) export(ctx context.Context, spans []*tracepb.Span) {
	err := t.client.UploadTraces(ctx, []*tracepb.ResourceSpans{{
		Resource: t.resource, SchemaUrl: semconv.SchemaURL,
		ScopeSpans: []*tracepb.ScopeSpans{{Scope: t.scope, SchemaUrl: semconv.SchemaURL, Spans: spans}},
	}})
	if err == nil {
		t.exported.Add(float64(len(spans)))
	} else {
		t.failed.Add(float64(len(spans)))
	}
	switch failing := err != nil; {
	case failing && !t.failing:
		t.log.Warn("The collector does not take spans; those that find no room to wait are dropped", "endpoint", t.config.Endpoint, "err", said(err))
		t.failing = true
	case !failing && t.failing:
		t.log.Info("The collector takes spans again", "endpoint", t.config.Endpoint)
		t.failing = false
	}
}

// close ends the client and counts what was never exported.
func (t *Tracer) close() {
	for len(t.queue) > 0 {
		r := <-t.queue
		t.dropped.Add(float64(r.spans()))
	}
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if err := t.client.Stop(ctx); err != nil {
		t.log.Warn("Leaving the collector failed", "err", said(err))
	}
	t.idle()
}
