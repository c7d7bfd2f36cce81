package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// largestReport bounds what Read takes, in bytes.
const largestReport = 64 << 20

// Read reads a report that was written as JSON. It refuses more than 64 MiB, a
// schema that is not this version's, unknown fields, and times and rates that no
// report has.
func Read(from io.Reader) (*Report, error) {
	text, err := io.ReadAll(io.LimitReader(from, largestReport+1))
	if err != nil {
		return nil, fmt.Errorf("reading a report: %w", err)
	}
	if len(text) > largestReport {
		return nil, fmt.Errorf("reading a report: got more than %d bytes", largestReport)
	}
	r, err := decode(text)
	if err == nil {
		err = r.validate()
	}
	if err != nil {
		return nil, fmt.Errorf("reading a report: %w", err)
	}
	return r, nil
}

// decode reads what json.Marshal wrote, and nothing else.
func decode(text []byte) (*Report, error) {
	r := &Report{}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(r); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("got more after the object")
	}
	if r.Schema != schema {
		return nil, fmt.Errorf("got schema %d, want %d", r.Schema, schema)
	}
	return r, nil
}

// validate wants times and rates that comparisons can divide by.
func (r *Report) validate() error {
	if !r.Start.Before(r.End) {
		return fmt.Errorf("got a range from %s to %s, want it to begin before it ends", r.Start, r.End)
	}
	for i, l := range r.Levels {
		if !(l.RPS > 0) || !l.Start.Before(l.End) {
			return fmt.Errorf("got a rate of %v from %s to %s in level %d, want one above 0 that begins before it ends", l.RPS, l.Start, l.End, i+1)
		}
	}
	return nil
}

// UnmarshalJSON reads what MarshalJSON writes: a number, or null for none.
func (f *Figure) UnmarshalJSON(text []byte) error {
	value := (*float64)(nil)
	if err := json.Unmarshal(text, &value); err != nil {
		return err
	}
	*f = none
	if value != nil {
		*f = Figure(*value)
	}
	return nil
}
