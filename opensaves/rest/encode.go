package rest

import (
	"strconv"

	"opensaves-soak/opensaves"
)

// The properties that carry what a record has no field for.
const (
	ownerProperty  = "owner_id"
	gameProperty   = "game_id"
	opaqueProperty = "opaque"
)

func encodeStore(b []byte, call *opensaves.Call) []byte {
	b = appendString(append(b, `{"store_id":`...), call.Store)
	b = appendString(append(b, `,"name":`...), call.StoreName)
	return append(b, '}')
}

// encodeRecord sends tags and properties whole, because an update keeps what is
// left out, and the owner twice: one backend reads it in properties, the other beside them.
func encodeRecord(b []byte, call *opensaves.Call) []byte {
	r := call.Record
	b = appendString(append(b, `{"record_id":`...), r.Key)
	b = append(b, `,"tags":[`...)
	for i, tag := range r.Tags {
		b = appendString(appendComma(b, i > 0), tag)
	}
	b = append(b, `],"properties":`...)
	b = appendProperties(b, r.Properties)
	b = appendExtra(b, ownerProperty, r.Owner)
	b = appendExtra(b, gameProperty, r.Game)
	b = appendExtra(b, opaqueProperty, r.Opaque)
	b = append(b, '}')
	if r.Owner != "" {
		b = appendString(append(b, `,"owner_id":`...), r.Owner)
	}
	return append(b, '}')
}

func encodeMetadata(b []byte, call *opensaves.Call) []byte {
	return append(appendProperties(b, call.Record.Properties), '}')
}

// appendProperties leaves the object open.
func appendProperties(b []byte, properties []opensaves.Property) []byte {
	b = append(b, '{')
	for i := range properties {
		b = appendString(appendComma(b, i > 0), properties[i].Name)
		b = appendValue(append(b, ':'), &properties[i].Value)
	}
	return b
}

func appendExtra(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	b = appendString(appendComma(b, b[len(b)-1] != '{'), name)
	return appendString(append(b, ':'), value)
}

func appendValue(b []byte, value *opensaves.Value) []byte {
	switch value.Kind {
	case opensaves.Integer:
		return strconv.AppendInt(b, value.Int, 10)
	case opensaves.String:
		return appendString(b, value.Str)
	case opensaves.Boolean:
		return strconv.AppendBool(b, value.Bool)
	}
	return append(b, "null"...)
}

func appendComma(b []byte, wanted bool) []byte {
	if wanted {
		return append(b, ',')
	}
	return b
}

// appendString writes s as JSON, which it is as long as s is UTF-8.
func appendString(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[start:i]...)
		start = i + 1
		if c < ' ' {
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		} else {
			b = append(b, '\\', c)
		}
	}
	return append(append(b, s[start:]...), '"')
}
