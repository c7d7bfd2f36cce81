package main

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/alecthomas/units"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

// scalar is a type whose text says more than YAML's types do.
type scalar struct {
	want  string
	parse func(string) (int64, error)
}

var scalars = map[reflect.Type]scalar{
	reflect.TypeFor[model.Duration]():   {"a duration such as 30s or 1h30m", parseDuration},
	reflect.TypeFor[time.Duration]():    {"a duration such as 30s or 1h30m", parseDuration},
	reflect.TypeFor[units.Base2Bytes](): {"a size such as 64KiB", parseSize},
}

// parseDuration reads Prometheus' durations (30d) and Go's (2.5s, 500us).
func parseDuration(text string) (int64, error) {
	if d, err := model.ParseDurationAllowNegative(text); err == nil {
		return int64(d), nil
	}
	d, err := time.ParseDuration(text)
	return int64(d), err
}

func parseSize(text string) (int64, error) {
	size, err := units.ParseBase2Bytes(text)
	return int64(size), err
}

func (s *strict) parsed(node *yaml.Node, into reflect.Value, path string, as scalar) {
	if node.Kind == yaml.ScalarNode {
		if value, err := as.parse(node.Value); err == nil {
			into.SetInt(value)
			return
		}
	}
	s.add(node.Line, path, "got %s, want %s", shown(node), as.want)
}

var wants = map[reflect.Kind]string{
	reflect.Bool: "true or false", reflect.Int: "a whole number", reflect.Float64: "a number", reflect.String: "a text",
}

func (s *strict) plain(node *yaml.Node, into reflect.Value, path string) {
	if into.Kind() == reflect.String && node.Kind == yaml.ScalarNode {
		into.SetString(node.Value) // whatever it looks like to YAML: true, 1.0, 2026-01-01
		return
	}
	err := node.Decode(into.Addr().Interface())
	whole := into.Kind() != reflect.Int || node.ShortTag() == "!!int" // yaml cuts 1.5 to 1
	if err == nil && whole {
		return
	}
	if want, ok := wants[into.Kind()]; ok {
		s.add(node.Line, path, "got %s, want %s", shown(node), want)
		return
	}
	for mistake := range strings.Lines(err.Error()) {
		s.add(node.Line, path, "%s", strings.TrimSuffix(mistake, "\n"))
	}
}

// shown is a node in an error. Only short scalars are shown as they are.
func shown(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	return fmt.Sprintf("%.100q", node.Value)
}
