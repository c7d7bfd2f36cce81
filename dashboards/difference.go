package dashboards

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
)

// valueLimit is how many bytes of a value a difference shows.
const valueLimit = 160

// difference is how two JSON values differ, as lines: "- path: value" of the old
// one, "+ path: value" of the new. It is empty where they are equal.
func difference(path string, old, now any) []string {
	if reflect.DeepEqual(old, now) {
		return nil
	}
	if a, ok := old.(map[string]any); ok {
		if b, ok := now.(map[string]any); ok {
			return ofObjects(path, a, b)
		}
	}
	if a, ok := old.([]any); ok {
		if b, ok := now.([]any); ok {
			return ofLists(path, a, b)
		}
	}
	return []string{lineOf("-", path, old), lineOf("+", path, now)}
}

func ofObjects(path string, old, now map[string]any) []string {
	var lines []string
	names := slices.Collect(maps.Keys(old))
	for name := range now {
		if _, ok := old[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		a, before := old[name]
		b, after := now[name]
		at := name
		if path != "" {
			at = path + "." + name
		}
		switch {
		case !before:
			lines = append(lines, lineOf("+", at, b))
		case !after:
			lines = append(lines, lineOf("-", at, a))
		default:
			lines = append(lines, difference(at, a, b)...)
		}
	}
	return lines
}

// ofLists compares elements by their names, so that a panel in between does not
// make all that follow it look changed.
func ofLists(path string, old, now []any) []string {
	a, first := byName(old)
	b, second := byName(now)
	var lines []string
	for _, name := range first {
		if _, ok := b[name]; ok {
			lines = append(lines, difference(path+name, a[name], b[name])...)
		} else {
			lines = append(lines, lineOf("-", path+name, a[name]))
		}
	}
	for _, name := range second {
		if _, ok := a[name]; !ok {
			lines = append(lines, lineOf("+", path+name, b[name]))
		}
	}
	if len(lines) == 0 { // they are all there, in another order
		return []string{lineOf("-", path, first), lineOf("+", path, second)}
	}
	return lines
}

// byName is the elements of a list by what they are called, and the names in
// their order. One without a name, or with that of another, has its number.
func byName(list []any) (map[string]any, []string) {
	named := make(map[string]any, len(list))
	var names []string
	for i, element := range list {
		name := "[" + strconv.Itoa(i) + "]"
		object, _ := element.(map[string]any)
		for _, key := range []string{"title", "name", "refId"} {
			if text, ok := object[key].(string); ok && text != "" {
				name = fmt.Sprintf("[%q]", text)
				break
			}
		}
		if _, taken := named[name]; taken {
			name += "[" + strconv.Itoa(i) + "]"
		}
		named[name] = element
		names = append(names, name)
	}
	return named, names
}

func lineOf(sign, path string, value any) string {
	text, err := json.Marshal(value)
	if err != nil { // what JSON was read into can be written
		text = fmt.Appendf(nil, "%v", value)
	}
	if len(text) > valueLimit {
		text = append(slices.Clone(text[:valueLimit]), "…"...)
	}
	return fmt.Sprintf("%s %s: %s", sign, path, text)
}
