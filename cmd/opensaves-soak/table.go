package main

import (
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// configTable renders every key of the configuration file, with its default
// and meaning, as a Markdown table. Meanings are the struct tags "help".
func configTable() (string, error) {
	rows, err := configRows(reflect.ValueOf(DefaultConfig()), "")
	if err != nil {
		return "", fmt.Errorf("rendering the configuration: %w", err)
	}
	return "| key | default | meaning |\n|---|---|---|\n" + strings.Join(rows, ""), nil
}

func configRows(section reflect.Value, path string) ([]string, error) {
	var rows []string
	for field, value := range section.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		key, help := join(path, name), field.Tag.Get("help")
		if help != "" {
			standard, err := flow(value)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
			rows = append(rows, fmt.Sprintf("| `%s` | `%s` | %s |\n", key, standard, help))
		}
		if inner, suffix, ok := elements(value, help == ""); ok {
			more, err := configRows(inner, key+suffix)
			if err != nil {
				return nil, err
			}
			rows = append(rows, more...)
		}
	}
	return rows, nil
}

// elements returns what has keys of its own: a section, or the items of a list.
func elements(value reflect.Value, section bool) (inner reflect.Value, suffix string, ok bool) {
	switch {
	case value.Kind() == reflect.Struct && section:
		return value, "", true
	case value.Kind() == reflect.Slice && value.Type().Elem().Kind() == reflect.Struct:
		return reflect.Zero(value.Type().Elem()), "[]", true
	}
	return reflect.Value{}, "", false
}

// flow renders a value as YAML on one line.
func flow(value reflect.Value) (string, error) {
	if value.Kind() == reflect.Pointer && value.IsNil() {
		return "{}", nil
	}
	var node yaml.Node
	if err := node.Encode(value.Interface()); err != nil {
		return "", err
	}
	node.Style = yaml.FlowStyle
	text, err := yaml.Marshal(&node)
	return strings.Join(strings.Fields(string(text)), " "), err
}
