// Package fault says how a sandbox misbehaves: what the control API sends
// (Faults), and what is drawn from it for each request (Plan). It knows neither
// wire and touches no data.
package fault

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"opensaves-soak/exporter/metric"
)

// Faults is what the control API takes and shows. The zero value is a sandbox
// without faults.
type Faults struct {
	Latency          Duration           `json:"latency,omitzero"`           // added to every request
	Stall            Stall              `json:"stall,omitzero"`             // nothing is answered for a while, again and again
	Saturation       Saturation         `json:"saturation,omitzero"`        // a component with a service rate
	DynamoDBThrottle float64            `json:"dynamodb_throttle,omitzero"` // share of calls to the database that are refused
	Error            Error              `json:"error,omitzero"`
	Cut              float64            `json:"cut,omitzero"` // share of answers whose connection is cut in the middle
	ApplyLate        ApplyLate          `json:"apply_late,omitzero"`
	IndexLag         Duration           `json:"index_lag,omitzero"` // indexes see writes this much later
	CacheTTL         Duration           `json:"cache_ttl,omitzero"` // writes leave the cache as it is, entries live this long
	Kinds            map[string]float64 `json:"kinds,omitempty"`    // share of requests answered with the lie of that name
}

// Stall is a server that answers nothing for the first For of every period
// Every; the first period begins when the fault is set.
type Stall struct {
	Every Duration `json:"every"`
	For   Duration `json:"for"`
}

// Saturation is a queue in front of a component that serves RPS requests a
// second, one after the other.
type Saturation struct {
	RPS       float64 `json:"rps"`
	Component string  `json:"component"` // dynamodb, s3, redis or pods
}

// Error answers Ratio of the requests with Code.
type Error struct {
	Ratio float64 `json:"ratio"`
	Code  string  `json:"code"`            // a code's name as gRPC writes it
	Apply string  `json:"apply,omitempty"` // after: the request has its effect all the same; default before
}

// ApplyLate leaves Ratio of the writes unanswered and applies them By after
// they arrived.
type ApplyLate struct {
	Ratio float64  `json:"ratio"`
	By    Duration `json:"by"`
}

// Duration is a time.Duration that is a string in JSON: "20ms".
type Duration time.Duration

// MarshalText writes "20ms".
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads what time.ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}

// What Decode's errors are.
var (
	ErrSyntax = errors.New("not the JSON of faults")
	ErrRange  = errors.New("out of range")
)

// Decode reads one JSON object. An error is ErrSyntax (bad JSON, an unknown
// field, more than one value) or ErrRange, or comes from the reader.
func Decode(r io.Reader) (Faults, error) {
	var f Faults
	decoder := json.NewDecoder(r)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&f); err != nil {
		return Faults{}, fmt.Errorf("decoding faults: %w: %w", ErrSyntax, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Faults{}, fmt.Errorf("decoding faults: %w: got more than one JSON value", ErrSyntax)
	}
	if err := f.Validate(); err != nil {
		return Faults{}, err
	}
	return f, nil
}

// Validate reports every value that is out of range, each wrapping ErrRange.
func (f Faults) Validate() error {
	var errs []error
	check := func(ok bool, path string, got any, want string) {
		if !ok {
			errs = append(errs, fmt.Errorf("%s: %w: got %v, want %s", path, ErrRange, got, want))
		}
	}
	ratio := func(path string, got float64) { check(got >= 0 && got <= 1, path, got, "0 to 1") }
	length := func(path string, got Duration) {
		check(got >= 0 && got <= maxDuration, path, time.Duration(got), "0s to 24h")
	}
	length("latency", f.Latency)
	length("index_lag", f.IndexLag)
	length("cache_ttl", f.CacheTTL)
	length("apply_late.by", f.ApplyLate.By)
	length("stall.every", f.Stall.Every)
	check(f.Stall.For >= 0 && (f.Stall.For < f.Stall.Every || f.Stall == Stall{}), "stall.for", time.Duration(f.Stall.For), "0s to less than every")
	ratio("dynamodb_throttle", f.DynamoDBThrottle)
	ratio("cut", f.Cut)
	ratio("apply_late.ratio", f.ApplyLate.Ratio)
	ratio("error.ratio", f.Error.Ratio)
	if f.Error != (Error{}) {
		code, known := metric.ParseCode(f.Error.Code)
		check(known && code != metric.OK, "error.code", f.Error.Code, "the name of a gRPC code other than OK")
		check(f.Error.Apply == "" || f.Error.Apply == before || f.Error.Apply == after, "error.apply", f.Error.Apply, "before or after")
	}
	if f.Saturation != (Saturation{}) {
		check(f.Saturation.RPS >= 0.001 && f.Saturation.RPS <= 1e9, "saturation.rps", f.Saturation.RPS, "0.001 to 1e9")
		check(parseComponent(f.Saturation.Component) != 0, "saturation.component", f.Saturation.Component, "dynamodb, s3, redis or pods")
	}
	for name, share := range f.Kinds {
		check(parseLie(name) != None, "kinds."+name, name, "the name of a violation")
		ratio("kinds."+name, share)
	}
	return errors.Join(errs...)
}

const (
	before      = "before"
	after       = "after"
	maxDuration = Duration(24 * time.Hour)
)

// Component is a set of the AWS components that a request touches.
type Component uint8

// The components. Every request touches the pods.
const (
	DynamoDB Component = 1 << iota
	S3
	Redis
	Pods
)

func parseComponent(name string) Component {
	switch name {
	case "dynamodb":
		return DynamoDB
	case "s3":
		return S3
	case "redis":
		return Redis
	case "pods":
		return Pods
	}
	return 0
}
