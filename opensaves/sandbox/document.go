package sandbox

import (
	"bytes"
	"encoding/json"
	"math"

	"opensaves-soak/opensaves/grpc/api"
)

// decode reads the first JSON value as the public server does: unknown fields
// and what follows the value are ignored, the decoder's text is the answer.
func decode(body []byte, into any) error { return json.NewDecoder(bytes.NewReader(body)).Decode(into) }

// encode writes an object as it comes back from the backend, nil for an empty
// one. DynamoDB turns empty strings into null.
func encode(object map[string]any, b Backend) []byte {
	if len(object) == 0 {
		return nil
	}
	if b == DynamoDB {
		blank(object)
	}
	encoded, err := json.Marshal(object)
	if err != nil {
		return nil // cannot happen: the object was decoded from JSON
	}
	return encoded
}

// blank replaces empty strings by null, at every depth.
func blank(value any) any {
	switch v := value.(type) {
	case string:
		if v == "" {
			return nil
		}
	case map[string]any:
		for key, element := range v {
			v[key] = blank(element)
		}
	case []any:
		for i, element := range v {
			v[i] = blank(element)
		}
	}
	return value
}

// propertiesOf returns the numbers, strings and booleans of a JSON object, all
// that gRPC has room for. Numbers are cut to integers.
func propertiesOf(document []byte) map[string]*api.Property {
	var object map[string]any
	if document == nil || json.Unmarshal(document, &object) != nil {
		return nil
	}
	properties := make(map[string]*api.Property, len(object))
	for name, value := range object {
		switch v := value.(type) {
		case string:
			properties[name] = &api.Property{Type: api.Property_STRING, Value: &api.Property_StringValue{StringValue: v}}
		case bool:
			properties[name] = &api.Property{Type: api.Property_BOOLEAN, Value: &api.Property_BooleanValue{BooleanValue: v}}
		case float64:
			properties[name] = integer(int64(math.Trunc(v)))
		}
	}
	return properties
}

func integer(v int64) *api.Property {
	return &api.Property{Type: api.Property_INTEGER, Value: &api.Property_IntegerValue{IntegerValue: v}}
}

// documentOf returns gRPC's properties as a JSON object, nil for none.
func documentOf(properties map[string]*api.Property) []byte {
	if len(properties) == 0 {
		return nil
	}
	object := make(map[string]any, len(properties))
	for name, p := range properties {
		switch p.GetType() {
		case api.Property_INTEGER:
			object[name] = p.GetIntegerValue()
		case api.Property_STRING:
			object[name] = p.GetStringValue()
		case api.Property_BOOLEAN:
			object[name] = p.GetBooleanValue()
		default:
			object[name] = nil
		}
	}
	document, err := json.Marshal(object)
	if err != nil {
		return nil // cannot happen: strings, integers and booleans only
	}
	return document
}

func appendField(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return appendString(append(b, name...), value)
}

func appendStrings(b []byte, name string, values []string) []byte {
	if len(values) == 0 {
		return b
	}
	return appendArray(append(b, name...), values)
}

func appendArray(b []byte, values []string) []byte {
	b = append(b, '[')
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, v)
	}
	return append(b, ']')
}

// appendString writes s as encoding/json does.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			encoded, err := json.Marshal(s)
			if err != nil {
				return append(b, `""`...) // cannot happen: a string always has an encoding
			}
			return append(b, encoded...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
