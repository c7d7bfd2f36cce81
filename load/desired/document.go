package desired

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// What a Store refuses, to be told apart by errors.Is.
var (
	// ErrDocument is a document that is not JSON, or has fields or types that are not ours.
	ErrDocument = errors.New("reading the change")
	// ErrRefused is a change that is understood and not allowed.
	ErrRefused = errors.New("refusing the change")
	// ErrStale is a change that was meant for another version.
	ErrStale = errors.New("comparing versions")
	// ErrConflict is a document of a fleet that somebody else has just replaced.
	ErrConflict = errors.New("replacing the fleet's document")
	// ErrUnavailable is a document of a fleet that cannot be reached.
	ErrUnavailable = errors.New("asking for the fleet's document")
)

// document is a change as it is sent. A field that is sent and nil is to be
// taken out of the override.
type document struct {
	RPS       *number
	Ramp      *span
	TTL       *span
	Scenarios weights
	ReadRatio *number
	Paused    *boolean
	Reason    *text

	sent map[string]json.RawMessage
}

// parse reads a document strictly: nothing after the object, no field twice,
// and every name exactly as it is written here.
func parse(raw []byte) (document, error) {
	var d document
	if err := json.Unmarshal(raw, new(json.RawMessage)); err != nil {
		return d, notJSON(raw, err)
	}
	var err error
	if d.sent, err = members(raw); err != nil {
		return d, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	if err := d.fill(); err != nil {
		return d, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	return d, nil
}

func (d *document) fill() error {
	fields := map[string]any{
		"rps": &d.RPS, "ramp": &d.Ramp, "ttl": &d.TTL, "scenarios": &d.Scenarios,
		"read_ratio": &d.ReadRatio, "paused": &d.Paused, "reason": &d.Reason,
	}
	var mistakes []error
	for _, name := range slices.Sorted(maps.Keys(d.sent)) {
		if field, known := fields[name]; !known {
			mistakes = append(mistakes, fmt.Errorf("%.100s: got an unknown field, want one of %s", name, strings.Join(slices.Sorted(maps.Keys(fields)), ", ")))
		} else if err := json.Unmarshal(d.sent[name], field); err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(mistakes...)
}

// notJSON tells numbers that only JSON does not know from other mistakes.
func notJSON(raw []byte, err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) && syntax.Offset > 0 {
		rest := raw[syntax.Offset-1:]
		if bytes.HasPrefix(rest, []byte("NaN")) || bytes.HasPrefix(rest, []byte("Infinity")) {
			return fmt.Errorf("%w: got NaN or Infinity, want a finite number", ErrRefused)
		}
	}
	return fmt.Errorf("%w: got no JSON object: %w", ErrDocument, err)
}

// members returns the values of a JSON object by name.
func members(raw []byte) (map[string]json.RawMessage, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return nil, fmt.Errorf("got %s, want an object", excerpt(raw))
	}
	values := map[string]json.RawMessage{}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, err
		}
		if _, twice := values[name.(string)]; twice {
			return nil, fmt.Errorf("got field %.100q twice, want it once", name)
		}
		values[name.(string)] = value
	}
	return values, nil
}

// number is a JSON number. One too large for a float64 is an infinity, and
// "NaN" and "Inf" are read too, to be refused for what they mean.
type number float64

func (n *number) UnmarshalJSON(raw []byte) error {
	inner := bytes.Trim(raw, `"`)
	value, err := strconv.ParseFloat(string(inner), 64)
	finite := !math.IsNaN(value) && !math.IsInf(value, 0)
	if err != nil && !errors.Is(err, strconv.ErrRange) || finite && len(inner) != len(raw) {
		return fmt.Errorf("got %s, want a number", excerpt(raw))
	}
	*n = number(value + 0) // -0 is 0
	return nil
}

// span is a duration as the configuration file writes it: "30s", "1.5h", "1d".
type span time.Duration

func (s *span) UnmarshalJSON(raw []byte) error {
	var written string
	if err := json.Unmarshal(raw, &written); err != nil {
		return fmt.Errorf(`got %s, want a duration such as "30s"`, excerpt(raw))
	}
	d, err := model.ParseDurationAllowNegative(written)
	if err != nil {
		var plain time.Duration
		if plain, err = time.ParseDuration(written); err != nil {
			return fmt.Errorf(`got %s, want a duration such as "30s"`, excerpt(raw))
		}
		d = model.Duration(plain)
	}
	*s = span(d)
	return nil
}

type weights map[string]float64

func (w *weights) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		return nil
	}
	values, err := members(raw)
	if err != nil {
		return err
	}
	*w = make(weights, len(values))
	for name, value := range values {
		var n number
		if err := n.UnmarshalJSON(value); err != nil {
			return fmt.Errorf("scenarios.%.100s: %w", name, err)
		}
		(*w)[name] = float64(n)
	}
	return nil
}

type boolean bool

func (b *boolean) UnmarshalJSON(raw []byte) error {
	if err := json.Unmarshal(raw, (*bool)(b)); err != nil {
		return fmt.Errorf("got %s, want true or false", excerpt(raw))
	}
	return nil
}

type text string

func (t *text) UnmarshalJSON(raw []byte) error {
	if err := json.Unmarshal(raw, (*string)(t)); err != nil {
		return fmt.Errorf("got %s, want a text", excerpt(raw))
	}
	return nil
}

func excerpt(raw []byte) string { return fmt.Sprintf("%.100s", raw) }
