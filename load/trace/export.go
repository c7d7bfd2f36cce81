package trace

import (
	"context"
	"regexp"
	"strconv"
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
		t.log.Error("Spans cannot be exported", "err", t.said(err))
	}
	for {
		select {
		case <-stop:
			t.drain(ctx, 1)
			return
		case <-tick.C:
			if len(t.queue) > 0 {
				t.exportBatch(ctx)
			}
		case <-t.full:
		}
		t.drain(ctx, batch) // less than a batch waits for the next tick
	}
}

// drain exports batches for as long as some requests wait.
func (t *Tracer) drain(ctx context.Context, least int) {
	for len(t.queue) >= least && ctx.Err() == nil {
		t.exportBatch(ctx)
	}
}

// exportBatch exports what waits, a batch at the most.
func (t *Tracer) exportBatch(ctx context.Context) {
	var spans []*tracepb.Span
	for range min(len(t.queue), batch) {
		r := <-t.queue
		spans = append(spans, t.spans(&r)...)
	}
	t.export(ctx, spans)
}

// export makes one request to the collector, which the client tries again for as
// long as its timeout allows.
func (t *Tracer) export(ctx context.Context, spans []*tracepb.Span) {
	ctx, cancel := context.WithTimeout(ctx, timeout) // the client's own is for each try
	defer cancel()
	err := t.client.UploadTraces(ctx, []*tracepb.ResourceSpans{{
		Resource: t.resource, SchemaUrl: semconv.SchemaURL,
		ScopeSpans: []*tracepb.ScopeSpans{{Scope: t.scope, SchemaUrl: semconv.SchemaURL, Spans: spans}},
	}})
	failed := lost(err, len(spans))
	t.exported.Add(float64(len(spans) - failed))
	t.failed.Add(float64(failed))
	switch failing := failed > 0; {
	case failing && !t.failing:
		t.log.Warn("The collector does not take all spans; those that find no room to wait are dropped", "endpoint", t.config.Endpoint, "err", t.said(err))
		t.failing = true
	case !failing && t.failing:
		t.log.Info("The collector takes all spans again", "endpoint", t.config.Endpoint)
		t.failing = false
	}
}

// partly is the text of the client's error where a collector took an export and
// says how many spans of it it rejected, be that none; the error's type is not exported.
var partly = regexp.MustCompile(`^OTLP partial success: (?s:.*) \((\d+) spans rejected\)$`)

// lost is how many of n spans of an export the collector did not take.
func lost(err error, n int) int {
	if err == nil {
		return 0
	}
	if match := partly.FindStringSubmatch(err.Error()); match != nil {
		if rejected, err := strconv.Atoi(match[1]); err == nil {
			return min(rejected, n)
		}
	}
	return n
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
		t.log.Warn("Leaving the collector failed", "err", t.said(err))
	}
	t.idle()
}
