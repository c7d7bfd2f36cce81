package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// strict reads YAML into structs and keeps count of everything that is wrong:
// unknown and repeated keys, wrong types, all with path and line. A null
// leaves what was there.
type strict struct {
	file   string
	lines  map[string]int // where each path was set
	faults []fault
}

type fault struct {
	line int // 0: not known
	text string
}

// decode reads one document into the struct that into points to. It goes on
// after a fault, so that err has them all.
func (s *strict) decode(document []byte, into any) {
	s.lines = map[string]int{}
	var root yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(document))
	switch err := decoder.Decode(&root); {
	case errors.Is(err, io.EOF):
		return
	case err != nil:
		s.syntax(err)
		return
	}
	s.value(root.Content[0], reflect.ValueOf(into).Elem(), "")
	var next yaml.Node
	switch err := decoder.Decode(&next); {
	case err == nil:
		s.add(next.Line, "", "got a second document, want one")
	case !errors.Is(err, io.EOF):
		s.syntax(err)
	}
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

func (s *strict) syntax(err error) {
	match := yamlLine.FindStringSubmatch(err.Error())
	line, text := 0, err.Error()
	if match != nil {
		line, _ = strconv.Atoi(match[1]) // without a number the line stays unknown
		text = text[len(match[0]):]
	}
	s.add(line, "", "%s", text)
}

func (s *strict) add(line int, path, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if path != "" {
		text = path + ": " + text
	}
	s.faults = append(s.faults, fault{line, text})
}

// check adds what a Validate says, one mistake a line, each with the line of
// its path, or of the nearest one that is in the file.
func (s *strict) check(err error) {
	if err == nil {
		return
	}
	for mistake := range strings.Lines(err.Error()) {
		mistake = strings.TrimSuffix(mistake, "\n")
		path, _, _ := strings.Cut(mistake, ": ")
		for path != "" && s.lines[path] == 0 {
			path = path[:max(0, strings.LastIndexAny(path, ".["))]
		}
		s.faults = append(s.faults, fault{s.lines[path], mistake})
	}
}

// err joins all faults in the order of the file.
func (s *strict) err() error {
	slices.SortStableFunc(s.faults, func(a, b fault) int { return a.line - b.line })
	var errs []error
	for _, f := range s.faults {
		place := s.file
		if f.line > 0 {
			place += ":" + strconv.Itoa(f.line)
		}
		errs = append(errs, fmt.Errorf("%s: %s", place, f.text))
	}
	return errors.Join(errs...)
}

func (s *strict) value(node *yaml.Node, into reflect.Value, path string) {
	if node = resolved(node); node.ShortTag() == "!!null" {
		return
	}
	s.lines[path] = node.Line
	if parse, ok := scalars[into.Type()]; ok {
		s.parsed(node, into, path, parse)
		return
	}
	switch into.Kind() {
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		s.value(node, into.Elem(), path)
	case reflect.Struct:
		s.fields(node, into, path)
	case reflect.Slice:
		s.list(node, into, path)
	case reflect.Map:
		if _, custom := reflect.TypeAssert[yaml.Unmarshaler](into.Addr()); custom {
			s.plain(node, into, path)
			return
		}
		s.mapping(node, into, path)
	default:
		s.plain(node, into, path)
	}
}

func resolved(node *yaml.Node) *yaml.Node {
	for node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	return node
}

func (s *strict) list(node *yaml.Node, into reflect.Value, path string) {
	if node.Kind != yaml.SequenceNode {
		s.add(node.Line, path, "got %s, want a list", shown(node))
		return
	}
	into.Set(reflect.MakeSlice(into.Type(), len(node.Content), len(node.Content)))
	for i, item := range node.Content {
		s.value(item, into.Index(i), fmt.Sprintf("%s[%d]", path, i))
	}
}

func (s *strict) mapping(node *yaml.Node, into reflect.Value, path string) {
	if !s.isMapping(node, path) {
		return
	}
	into.Set(reflect.MakeMap(into.Type()))
	s.pairs(node, path, func(key string, _, value *yaml.Node) {
		item := reflect.New(into.Type().Elem()).Elem()
		s.value(value, item, join(path, key))
		into.SetMapIndex(reflect.ValueOf(key).Convert(into.Type().Key()), item)
	})
}

func (s *strict) isMapping(node *yaml.Node, path string) bool {
	if node.Kind != yaml.MappingNode {
		s.add(node.Line, path, "got %s, want a mapping", shown(node))
		return false
	}
	return true
}

func (s *strict) fields(node *yaml.Node, into reflect.Value, path string) {
	if !s.isMapping(node, path) {
		return
	}
	known := map[string]reflect.Value{}
	for field, value := range into.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		known[name] = value
	}
	s.pairs(node, path, func(key string, at, value *yaml.Node) {
		if field, ok := known[key]; ok {
			s.value(value, field, join(path, key))
			return
		}
		hint := ""
		if near := nearest(key, slices.Sorted(maps.Keys(known))); near != "" {
			hint = "; did you mean " + join(path, near) + "?"
		}
		s.add(at.Line, join(path, shorten(key)), "unknown key%s", hint)
	})
}

// pairs calls do for every key of a mapping that is there once.
func (s *strict) pairs(node *yaml.Node, path string, do func(name string, key, value *yaml.Node)) {
	first := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := resolved(node.Content[i]), node.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			s.add(key.Line, path, "got %s as a key, want a text", shown(key))
			continue
		}
		if line, twice := first[key.Value]; twice {
			s.add(node.Content[i].Line, join(path, shorten(key.Value)), "got the key twice, first in line %d", line)
			continue
		}
		first[key.Value] = node.Content[i].Line
		do(key.Value, node.Content[i], value)
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// shorten keeps what a file made up off the terminal's control sequences.
func shorten(key string) string {
	quoted := fmt.Sprintf("%.60q", key)
	if inner := quoted[1 : len(quoted)-1]; inner == key {
		return key
	}
	return quoted
}
