package trace

import (
	"net"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/genproto/googleapis/rpc/code"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves"
)

// own is the prefix of attributes that no convention has.
const own = "opensaves_soak."

// spans are the request's: one of the arrival with the three clocks as events,
// and below it what was written to a connection.
func (t *Tracer) spans(r *Request) []*tracepb.Span {
	spans := []*tracepb.Span{arrivalSpan(r)}
	if r.Attempts > 0 {
		spans = append(spans, t.attemptSpan(r))
	}
	return spans
}

// arrivalSpan is named by the operation: no name holds a key.
func arrivalSpan(r *Request) *tracepb.Span {
	s := &tracepb.Span{
		TraceId: r.ID[:], SpanId: r.Arrival[:], Flags: r.flags(),
		Name: r.Operation.String(), Kind: tracepb.Span_SPAN_KIND_INTERNAL,
		StartTimeUnixNano: nanoseconds(r.Due), EndTimeUnixNano: nanoseconds(r.Answered),
		Attributes: []*commonpb.KeyValue{
			text(own+"kept_for", string(r.For)), text(own+"operation", r.Operation.String()), text(own+"class", r.Class.String()),
			text(own+"outcome", r.Outcome.String()), text(own+"code", r.Code.String()),
		},
		Events: []*tracepb.Span_Event{event("due", r.Due), event("sent", r.Sent), event("answered", r.Answered)},
	}
	if r.Drawn != r.Operation {
		s.Attributes = append(s.Attributes, text(own+"drawn", r.Drawn.String()))
	}
	if r.Checked {
		s.Attributes = append(s.Attributes, text(own+"check", r.Check.String()), text(own+"verdict", r.Verdict.String()))
	}
	if r.Store != "" {
		s.Attributes = append(s.Attributes, text(own+"store", r.Store))
	}
	if r.Key != "" {
		s.Attributes = append(s.Attributes, text(own+"key", r.Key))
	}
	switch {
	case r.Outcome == metric.Failure:
		s.Status = &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR, Message: r.Error}
		s.Attributes = append(s.Attributes, text(semconv.ErrorTypeKey, r.Code.String()))
	case r.Checked && r.Verdict == metric.Violation:
		s.Status = &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR, Message: "the answer is wrong"}
		s.Attributes = append(s.Attributes, text(semconv.ErrorTypeKey, "violation"))
	}
	return s
}

// attemptSpan has the id that the target was told.
func (t *Tracer) attemptSpan(r *Request) *tracepb.Span {
	s := &tracepb.Span{
		TraceId: r.ID[:], SpanId: r.Attempt[:], ParentSpanId: r.Arrival[:], Flags: r.flags(), Kind: tracepb.Span_SPAN_KIND_CLIENT,
		StartTimeUnixNano: nanoseconds(r.Sent), EndTimeUnixNano: nanoseconds(r.Answered),
		Attributes: []*commonpb.KeyValue{text(semconv.ServerAddressKey, t.target.host), number(semconv.ServerPortKey, t.target.port)},
		Events:     []*tracepb.Span_Event{event("connected", r.Sent.Add(r.ConnectionWait))},
	}
	if _, remote, ok := strings.Cut(r.Connection, "→"); ok {
		if host, port, err := net.SplitHostPort(remote); err == nil {
			n, _ := strconv.Atoi(port) // an address of TCP has one
			s.Attributes = append(s.Attributes, text(semconv.NetworkPeerAddressKey, host), number(semconv.NetworkPeerPortKey, n))
		}
	}
	if !r.FirstByte.IsZero() {
		s.Events = append(s.Events, event("first_byte", r.FirstByte))
	}
	if failed := t.describe(s, r); failed != "" {
		s.Status = &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR, Message: r.Error}
		s.Attributes = append(s.Attributes, text(semconv.ErrorTypeKey, failed))
	}
	return s
}

// describe names the call by the conventions of its protocol, and returns the
// type of its error; empty: it has none.
func (t *Tracer) describe(s *tracepb.Span, r *Request) (failed string) {
	if t.target.base == "" {
		s.Name = strings.TrimPrefix(r.Wire.Method, "/")
		status := code.Code(r.Code).String()
		s.Attributes = append(s.Attributes, text(semconv.RPCSystemNameKey, "grpc"), text(semconv.RPCMethodKey, s.Name), text(semconv.RPCResponseStatusCodeKey, status))
		if r.Code == metric.OK {
			return ""
		}
		return status
	}
	route := plain.Replace(r.Wire.Route)
	s.Name = r.Wire.Method + " " + route
	s.Attributes = append(s.Attributes, text(semconv.HTTPRequestMethodKey, r.Wire.Method), text(semconv.URLTemplateKey, route),
		text(semconv.URLFullKey, t.target.base+r.Wire.Target), text(semconv.NetworkProtocolVersionKey, "1.1"))
	if r.Attempts > 1 {
		s.Attributes = append(s.Attributes, number(semconv.HTTPRequestResendCountKey, r.Attempts-1))
	}
	if r.Wire.Status > 0 {
		s.Attributes = append(s.Attributes, number(semconv.HTTPResponseStatusCodeKey, r.Wire.Status))
	}
	switch {
	case r.Wire.Status >= 400:
		return strconv.Itoa(r.Wire.Status)
	case r.Code != metric.OK:
		return r.Code.String()
	}
	return ""
}

// plain leaves of a route what all clients of the API would write.
var plain = strings.NewReplacer("{query}", "", "record.", "")

// flags are those that the target was told.
func (r *Request) flags() uint32 {
	return uint32(r.flag()) | uint32(tracepb.SpanFlags_SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK)
}

// server is the target as spans name it.
type server struct {
	host string
	port int
	base string // of URLs; empty: it speaks gRPC
}

func serverOf(c *opensaves.Config) server {
	address, base := strings.TrimPrefix(c.Address, "dns:///"), ""
	if c.Wire() == metric.HTTP {
		base = strings.TrimSuffix(c.Address, "/")
		_, address, _ = strings.Cut(base, "://")
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		host, port = address, "80"
		if strings.HasPrefix(strings.ToLower(base), "https:") {
			port = "443"
		}
	}
	n, _ := strconv.Atoi(port) // the configuration was found valid
	return server{host: host, port: n, base: base}
}

func event(name string, at time.Time) *tracepb.Span_Event {
	return &tracepb.Span_Event{Name: name, TimeUnixNano: nanoseconds(at)}
}

func nanoseconds(at time.Time) uint64 { return uint64(at.UnixNano()) }

func text[Key ~string](key Key, value string) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: string(key), Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: strings.ToValidUTF8(value, "�")}}}
}

func number(key attribute.Key, value int) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: string(key), Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: int64(value)}}}
}
