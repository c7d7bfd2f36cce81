package trace

import (
	"cmp"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/protobuf/proto"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves"
)

// own is the prefix of attributes that no convention has.
const own = "opensaves_soak."

// spans are the request's: one of the arrival with the three clocks as events,
// and below it one of each attempt, the last first: the target was told its id,
// by the others too.
func (t *Tracer) spans(r *Request) []*tracepb.Span {
	spans := []*tracepb.Span{t.arrivalSpan(r)}
	if !r.Written {
		return spans
	}
	last := t.attemptSpan(r)
	spans = append(spans, last)
	began := r.Sent
	for i, next := range r.Resent {
		spans = append(spans, t.lostSpan(last, i, began, next))
		began = next
	}
	last.StartTimeUnixNano = nanoseconds(began)
	return spans
}

// arrivalSpan is named by the operation: no name holds a key.
func (t *Tracer) arrivalSpan(r *Request) *tracepb.Span {
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
	if r.xray { // would name the node in its map by the operation
		s.Attributes = append(s.Attributes, text("aws.span.kind", "LOCAL_ROOT"), text("aws.local.service", t.service))
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
		s.Status = &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR, Message: "the answer is wrong: " + r.Violation}
		s.Attributes = append(s.Attributes, text(own+"violation", r.Violation), text(semconv.ErrorTypeKey, "violation"))
	}
	return s
}

// attemptSpan is that of the last attempt, with the id that the target was told.
func (t *Tracer) attemptSpan(r *Request) *tracepb.Span {
	s := &tracepb.Span{
		TraceId: r.ID[:], SpanId: r.Attempt[:], ParentSpanId: r.Arrival[:], Flags: r.flags(), Kind: tracepb.Span_SPAN_KIND_CLIENT,
		StartTimeUnixNano: nanoseconds(r.Sent), EndTimeUnixNano: nanoseconds(r.Answered),
		Attributes: []*commonpb.KeyValue{text(semconv.ServerAddressKey, t.target.host), number(semconv.ServerPortKey, t.target.port)},
	}
	if len(r.Resent) == 0 { // else the wait is of all attempts
		s.Events = append(s.Events, event("connected", r.Sent.Add(r.ConnectionWait)))
	}
	s.Attributes = append(s.Attributes, t.peer(r)...)
	if !r.FirstByte.IsZero() {
		s.Events = append(s.Events, event("first_byte", r.FirstByte))
	}
	if failed := t.describe(s, r); failed != "" {
		s.Status = &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR, Message: r.Error}
		s.Attributes = append(s.Attributes, text(semconv.ErrorTypeKey, failed))
	}
	return s
}

// peer says who the target is, by its conventions or, for X-Ray, as the node in its
// map; that would take a peer's address for the client's.
func (t *Tracer) peer(r *Request) []*commonpb.KeyValue {
	if r.xray {
		return []*commonpb.KeyValue{text("aws.remote.service", t.target.host)}
	}
	_, remote, _ := strings.Cut(r.Connection, "→")
	host, port, err := net.SplitHostPort(remote)
	if err != nil {
		return nil // it has none
	}
	n, _ := strconv.Atoi(port) // an address of TCP has one
	return []*commonpb.KeyValue{text(semconv.NetworkPeerAddressKey, host), number(semconv.NetworkPeerPortKey, n)}
}

// lostSpan is that of an attempt before the last, of which is known only when it
// began and when the next one did.
func (t *Tracer) lostSpan(last *tracepb.Span, i int, began, next time.Time) *tracepb.Span {
	s := proto.Clone(last).(*tracepb.Span)
	s.SpanId = binary.BigEndian.AppendUint64(nil, rand.Uint64()|1)
	s.StartTimeUnixNano, s.EndTimeUnixNano, s.Events = nanoseconds(began), nanoseconds(next), nil
	s.Status = &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR, Message: "sent again"}
	s.Attributes = slices.DeleteFunc(s.Attributes, func(a *commonpb.KeyValue) bool { return ofLast[a.GetKey()] })
	s.Attributes = append(s.Attributes, text(semconv.ErrorTypeKey, "_OTHER"))
	if i > 0 && t.target.base != "" {
		s.Attributes = append(s.Attributes, number(semconv.HTTPRequestResendCountKey, i))
	}
	return s
}

// ofLast are attributes of the last attempt alone: of its connection and its answer.
var ofLast = map[string]bool{
	string(semconv.NetworkPeerAddressKey): true, string(semconv.NetworkPeerPortKey): true,
	string(semconv.HTTPResponseStatusCodeKey): true, string(semconv.RPCResponseStatusCodeKey): true,
	string(semconv.ErrorTypeKey): true, string(semconv.HTTPRequestResendCountKey): true,
}

// describe names the call by the conventions of its protocol, and returns the
// type of its error; empty: it has none.
func (t *Tracer) describe(s *tracepb.Span, r *Request) (failed string) {
	if t.target.base == "" {
		s.Name = strings.TrimPrefix(r.Wire.Method, "/")
		status := code.Code(r.WireCode).String()
		s.Attributes = append(s.Attributes, text(semconv.RPCSystemNameKey, "grpc"), text(semconv.RPCMethodKey, s.Name), text(semconv.RPCResponseStatusCodeKey, status))
		if r.WireCode == metric.OK {
			return ""
		}
		return status
	}
	route := plain.Replace(r.Wire.Route)
	s.Name = r.Wire.Method + " " + route
	s.Attributes = append(s.Attributes, text(semconv.HTTPRequestMethodKey, r.Wire.Method), text(semconv.URLTemplateKey, route),
		text(semconv.URLFullKey, t.target.base+r.Wire.Target), text(semconv.NetworkProtocolVersionKey, "1.1"))
	if again := len(r.Resent); again > 0 {
		s.Attributes = append(s.Attributes, number(semconv.HTTPRequestResendCountKey, again))
	}
	if r.Wire.Status > 0 {
		s.Attributes = append(s.Attributes, number(semconv.HTTPResponseStatusCodeKey, r.Wire.Status))
	}
	switch {
	case r.Wire.Status >= 400:
		return strconv.Itoa(r.Wire.Status)
	case r.WireCode != metric.OK:
		return r.WireCode.String()
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

// serverOf is the target of a valid configuration.
func serverOf(c *opensaves.Config) server {
	if c.Wire() == metric.GRPC {
		host, port, _ := net.SplitHostPort(strings.TrimPrefix(c.Address, "dns:///"))
		n, _ := strconv.Atoi(port)
		return server{host: host, port: n}
	}
	u, _ := url.Parse(c.Address)
	port := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	n, _ := strconv.Atoi(cmp.Or(u.Port(), port))
	return server{host: u.Hostname(), port: n, base: u.Scheme + "://" + u.Host}
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
