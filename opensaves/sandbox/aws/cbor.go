package aws

import (
	"fmt"
	"math"

	"github.com/aws/smithy-go/encoding/cbor"
)

// fields reads members of a CBOR map, and keeps the first problem.
type fields struct {
	of  cbor.Map
	err *error
}

// decodeCBOR opens the map that a request is.
func decodeCBOR(body []byte, err *error) fields {
	value, problem := cbor.Decode(body)
	if problem != nil {
		*err = refused("SerializationException", "reading the request: %v", problem)
		return fields{err: err}
	}
	members, ok := value.(cbor.Map)
	if !ok {
		*err = refused("SerializationException", "got %T, want a map", value)
	}
	return fields{members, err}
}

// member returns a member of type T; absent and null ones are zero.
func member[T cbor.Value](f fields, name string) (v T) {
	switch value := f.of[name].(type) {
	case nil, *cbor.Nil:
	case T:
		v = value
	default:
		f.refuse("%s: got %T, want %T", name, value, v)
	}
	return v
}

func (f fields) refuse(format string, args ...any) {
	if *f.err == nil {
		*f.err = refused("SerializationException", format, args...)
	}
}

func (f fields) text(name string) string { return string(member[cbor.String](f, name)) }

// number returns an integer that is not negative.
func (f fields) number(name string) int64 {
	n := member[cbor.Uint](f, name)
	if n > math.MaxInt32 {
		f.refuse("%s: got %d, want at most %d", name, n, math.MaxInt32)
		return 0
	}
	return int64(n)
}

// maps returns a list of maps.
func (f fields) maps(name string) []fields {
	var all []fields
	for i, item := range member[cbor.List](f, name) {
		members, ok := item.(cbor.Map)
		if !ok {
			f.refuse("%s[%d]: got %T, want a map", name, i, item)
		}
		all = append(all, fields{members, f.err})
	}
	return all
}

// within opens a member that is a map.
func (f fields) within(name string) fields { return fields{member[cbor.Map](f, name), f.err} }

// maxTime bounds times, in Unix seconds: the year 10000.
const maxTime = 253402300800

// seconds returns a time, in Unix seconds.
func (f fields) seconds(name string) float64 {
	tag := member[*cbor.Tag](f, name)
	if tag == nil {
		f.refuse("%s: got nothing, want a time", name)
		return 0
	}
	at, err := epoch(tag)
	if err != nil {
		f.refuse("%s: %v", name, err)
	}
	return at
}

func epoch(tag *cbor.Tag) (at float64, err error) {
	switch v := tag.Value.(type) {
	case cbor.Uint:
		at = float64(v)
	case cbor.Float32:
		at = float64(v)
	case cbor.Float64:
		at = float64(v)
	default:
		return 0, fmt.Errorf("got %T, want a number", v)
	}
	if tag.ID != 1 || !(at >= 0 && at < maxTime) {
		return 0, fmt.Errorf("got %v with tag %d, want a time of this era with tag 1", at, tag.ID)
	}
	return at, nil
}
