package rest

import "opensaves-soak/opensaves"

// decode reads the answer's buffer, all of it, and says whether it could.
func (s *scanner) decode(answer *opensaves.Answer, read func(*scanner, *opensaves.Answer)) bool {
	*s = scanner{b: answer.Buffer}
	read(s, answer)
	return s.peek() == 0 && s.i == len(s.b) && !s.bad
}

func decodeStore(s *scanner, answer *opensaves.Answer) {
	var store opensaves.Store
	s.object(func(key string) {
		switch key {
		case "store_id":
			store.Key = s.string()
		case "name":
			store.Name = s.string()
		default:
			s.skip()
		}
	})
	answer.Stores = append(answer.Stores, store)
}

func decodeStores(s *scanner, answer *opensaves.Answer) {
	s.list("stores", func() { decodeStore(s, answer) })
}

func decodeRecord(s *scanner, answer *opensaves.Answer) { s.record(&answer.Record) }

func decodeRecords(s *scanner, answer *opensaves.Answer) {
	s.list("records", func() { s.record(nextRecord(answer)) })
}

func decodeMetadata(s *scanner, answer *opensaves.Answer) {
	r := &answer.Record
	s.object(func(name string) {
		r.Properties = append(r.Properties, opensaves.Property{Name: name, Value: s.value()})
	})
}

func decodeBlobs(s *scanner, answer *opensaves.Answer) { s.strings(&answer.Blobs) }

// list reads {"name": [item…]}.
func (s *scanner) list(name string, item func()) {
	s.object(func(key string) {
		if key == name {
			s.array(item)
		} else {
			s.skip()
		}
	})
}

// nextRecord appends a record that uses the memory of the one that stood there before.
func nextRecord(answer *opensaves.Answer) *opensaves.Record {
	n := len(answer.Records)
	if n == cap(answer.Records) {
		answer.Records = append(answer.Records, opensaves.Record{})
		return &answer.Records[n]
	}
	answer.Records = answer.Records[:n+1]
	r := &answer.Records[n]
	*r = opensaves.Record{Tags: r.Tags[:0], Properties: r.Properties[:0], Blobs: r.Blobs[:0]}
	return r
}

func (s *scanner) record(r *opensaves.Record) {
	s.object(func(key string) {
		switch key {
		case "store_id":
			r.Store = s.string()
		case "record_id":
			r.Key = s.string()
		case "tags":
			s.strings(&r.Tags)
		case "blob_keys":
			s.strings(&r.Blobs)
		case "properties":
			s.object(func(name string) { take(r, name, s.value()) })
		case ownerProperty, gameProperty:
			if value := s.value(); value != (opensaves.Value{}) {
				take(r, key, value)
			}
		default:
			s.skip()
		}
	})
}

func (s *scanner) strings(into *[]string) {
	s.array(func() { *into = append(*into, s.string()) })
}

// take puts a property where the record has a field for it. A second value that
// differs from the first stays a property, so that a torn record shows.
func take(r *opensaves.Record, name string, value opensaves.Value) {
	field := fieldFor(r, name)
	if field == nil || value.Kind != opensaves.String || *field != "" && *field != value.Str {
		r.Properties = append(r.Properties, opensaves.Property{Name: name, Value: value})
		return
	}
	*field = value.Str
}

func fieldFor(r *opensaves.Record, name string) *string {
	switch name {
	case ownerProperty:
		return &r.Owner
	case gameProperty:
		return &r.Game
	case opaqueProperty:
		return &r.Opaque
	}
	return nil
}

// value reads a property's value; what has no kind here is Undefined.
func (s *scanner) value() opensaves.Value {
	switch c := s.peek(); {
	case c == '"':
		return opensaves.Value{Kind: opensaves.String, Str: s.string()}
	case c == '-' || c-'0' <= 9:
		if n, ok := s.number(); ok {
			return opensaves.Value{Kind: opensaves.Integer, Int: n}
		}
		return opensaves.Value{}
	case s.word("true"):
		return opensaves.Value{Kind: opensaves.Boolean, Bool: true}
	case s.word("false"):
		return opensaves.Value{Kind: opensaves.Boolean}
	}
	s.skip()
	return opensaves.Value{}
}
