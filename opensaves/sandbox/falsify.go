package sandbox

import (
	"encoding/json"
	"slices"
	"strings"

	"opensaves-soak/opensaves/sandbox/fault"
)

// shown returns the version as a read shows it.
func (r *record) shown(how manner) *record {
	if how.lie == fault.Corrupt {
		return r.falsified()
	}
	return r
}

// shown returns the row as a read shows it.
func (s *store) shown(how manner) *store {
	if how.lie != fault.Corrupt {
		return s
	}
	f := *s
	f.name = flip(s.name)
	return &f
}

// falsified returns a copy of the version with one character changed, in the
// longest field that there is.
func (r *record) falsified() *record {
	f := &record{content: r.content}
	switch {
	case f.opaque != "":
		f.opaque = flip(f.opaque)
	case f.document != nil:
		f.document = flipDocument(f.document)
	case len(f.tags) > 0:
		f.tags = append([]string{flip(f.tags[0])}, f.tags[1:]...)
	default:
		f.owner = flip(f.owner)
	}
	return f
}

// flip changes the character in the middle.
func flip(s string) string {
	if s == "" {
		return "x"
	}
	i := len(s) / 2
	replacement := "x"
	if s[i] == 'x' {
		replacement = "y"
	}
	return strings.ToValidUTF8(s[:i]+replacement+s[i+1:], replacement)
}

// torn returns a version with the longest text of one and the rest of the one
// before.
func torn(now, before *record) *record {
	t := &record{content: now.content}
	t.tags = before.tags
	switch {
	case now.opaque != "":
		t.properties, t.document = before.properties, before.document
	case now.document != nil && before.document != nil:
		t.document = graft(before.document, now.document)
	}
	return t
}

// flipDocument changes a character of the longest string in the object, or adds
// a property where there is none.
func flipDocument(document []byte) []byte {
	object := map[string]any{}
	if json.Unmarshal(document, &object) != nil {
		return document
	}
	name := longest(object)
	text, _ := object[name].(string)
	object[name] = flip(text)
	return encode(object, DocumentDB)
}

// graft returns an object with the longest string of another one.
func graft(document, from []byte) []byte {
	var object, other map[string]any
	if json.Unmarshal(document, &object) != nil || json.Unmarshal(from, &other) != nil {
		return document
	}
	if name := longest(other); name != "" {
		object[name] = other[name]
	}
	return encode(object, DocumentDB)
}

// longest returns the name of the longest string, "" for none.
func longest(object map[string]any) string {
	best := ""
	for name, value := range object {
		text, is := value.(string)
		if most, had := object[best].(string); is && (!had || len(text) > len(most)) {
			best = name
		}
	}
	return best
}

// spoiled returns a copy with a bit changed in the middle.
func spoiled(content []byte) []byte {
	if len(content) == 0 {
		return []byte{0}
	}
	content = slices.Clone(content)
	content[len(content)/2] ^= 1
	return content
}
