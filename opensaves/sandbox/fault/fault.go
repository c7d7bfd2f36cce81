// Package fault says how a sandbox misbehaves: what the control API sends
// (Faults), and what is drawn from it for each request (Plan). It knows neither
// wire and touches no data.
package fault

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Faults is what the control API takes and shows. The zero value is a sandbox
// without faults.
type Faults struct {
	Seed             uint64             `json:"seed,omitzero"`              // of the draws; 0: the sandbox's own
	Latency          Duration           `json:"latency,omitzero"`           // added to every request
	Stall            Stall              `json:"stall,omitzero"`             // nothing is answered for a while, again and again
	Saturation       Saturation         `json:"saturation,omitzero"`        // a component with a service rate
	DynamoDBThrottle float64            `json:"dynamodb_throttle,omitzero"` // share of calls to the database that are refused
	Error            Error              `json:"error,omitzero"`
	Cut              float64            `json:"cut,omitzero"` // share of answers whose connection is cut in the middle
	ApplyLate        ApplyLate          `json:"apply_late,omitzero"`
	IndexLag         Duration           `json:"index_lag,omitzero"`    // indexes see writes this much later
	ReadLag          ReadLag            `json:"read_lag,omitzero"`     // REST: reads are eventually consistent
	Retry            Share              `json:"retry,omitzero"`        // writes that the server made twice and answers as the second time
	BackendDown      Stall              `json:"backend_down,omitzero"` // the database cannot be reached for a while, again and again
	Restart          Restart            `json:"restart,omitzero"`
	CacheTTL         Duration           `json:"cache_ttl,omitzero"`    // writes leave the cache as it is, entries live this long
	CacheRefill      Share              `json:"cache_refill,omitzero"` // gRPC: writes after which a slow reader puts the version before into the cache
	Kinds            map[string]float64 `json:"kinds,omitempty"`       // share of requests answered with the lie of that name
	EarlyAckBy       Duration           `json:"early_ack_by,omitzero"` // how long after its answer an early_ack has its effect; default 3s
	ExpireAfter      Duration           `json:"expire_after,omitzero"` // how long after its creation an expired record vanishes; default 24h
	RotAfter         Duration           `json:"rot_after,omitzero"`    // how long after its last change index_rot leaves a record out; default 10m
	BadPod           Share              `json:"bad_pod,omitzero"`      // share of the connections over which the lies of Kinds are told, each as long as it is open; 0: over all
}

// Stall is a server that answers nothing, or a database that nobody reaches, for
// the first For of every period Every; the first period begins when the fault is set.
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

// ApplyLate leaves Ratio of the writes unanswered and applies them later, any
// time up to By after they arrived.
type ApplyLate struct {
	Ratio float64  `json:"ratio"`
	By    Duration `json:"by"`
}

// ReadLag lets Ratio of the requests look at single objects as they were before
// their last change, if that was less than By ago.
type ReadLag struct {
	Ratio float64  `json:"ratio"`
	By    Duration `json:"by"`
}

// Share is a fault that befalls Ratio of the requests, or of the connections.
type Share struct {
	Ratio float64 `json:"ratio"`
}

// Restart cuts all connections and empties the cache whenever Every has passed.
type Restart struct {
	Every Duration `json:"every"`
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
	err := decoder.Decode(&f)
	if wrong := new(json.UnmarshalTypeError); errors.As(err, &wrong) { // its text names types of this program
		return Faults{}, fmt.Errorf("decoding faults: %w: got %s at %s", ErrSyntax, wrong.Value, cmp.Or(wrong.Field, "the top"))
	}
	if err != nil {
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
