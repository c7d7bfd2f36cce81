package charts

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"opensaves-soak/tools"
)

// value is a row of the table of values.
type value struct{ key, standard, meaning string }

func TestGeneratedReadmeSaysWhatTheValuesSay(t *testing.T) {
	var table strings.Builder
	table.WriteString("<!-- generated: values -->\n\n| key | default | description |\n|---|---|---|\n")
	for _, v := range values(t) {
		if v.meaning == "" {
			t.Errorf("%s: got no comment that begins with # --, want one", v.key)
		}
		table.WriteString("| `" + v.key + "` | `" + v.standard + "` | " + v.meaning + " |\n")
	}
	table.WriteString("\n<!-- end -->\n")
	path := filepath.Join(chart, "README.md")
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	tools.Golden(t, path, regexp.MustCompile(`(?s)<!-- generated: values -->\n.*?<!-- end -->\n`).ReplaceAllLiteralString(string(old), table.String()))
}

// values returns what values.yaml has, in its order.
func values(t *testing.T) []value {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(chart, "values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	return rows(t, root.Content[0], "")
}

// rows goes into mappings that have no description of their own.
func rows(t *testing.T, mapping *yaml.Node, path string) (all []value) {
	t.Helper()
	for i := 0; i < len(mapping.Content); i += 2 {
		key, node := mapping.Content[i], mapping.Content[i+1]
		at := path + key.Value
		meaning := description(key.HeadComment)
		if meaning == "" && node.Kind == yaml.MappingNode && len(node.Content) > 0 {
			all = append(all, rows(t, node, at+".")...)
			continue
		}
		var decoded any
		if err := node.Decode(&decoded); err != nil {
			t.Fatal(err)
		}
		var standard bytes.Buffer
		encoder := json.NewEncoder(&standard)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(decoded); err != nil {
			t.Fatal(err)
		}
		all = append(all, value{at, strings.ReplaceAll(strings.TrimSpace(standard.String()), "|", `\|`), meaning})
	}
	return all
}

// description is what a comment says from "# -- " to its first empty line.
func description(comment string) string {
	_, after, found := strings.Cut("\n"+comment, "\n# -- ")
	if !found {
		return ""
	}
	after, _, _ = strings.Cut(after+"\n", "\n#\n")
	return strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(after), "\n# ", " "), "|", `\|`)
}

// schema is the part of JSON Schema that values.schema.json is closed by.
type schema struct {
	Closed     *json.RawMessage  `json:"additionalProperties"`
	Properties map[string]schema `json:"properties"`
}

func TestTheSchemaKnowsTheKeysOfTheValuesAndNoOthers(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(chart, "values.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var root schema
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	want := []string{"enabled"} // of a parent chart
	for _, v := range values(t) {
		want = append(want, v.key)
	}
	got := root.keys(t, "")
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

// keys returns the paths of what has no properties of its own.
func (s schema) keys(t *testing.T, path string) (all []string) {
	t.Helper()
	if len(s.Properties) == 0 {
		return []string{path}
	}
	if open := path == "global"; open != (s.Closed == nil || string(*s.Closed) != "false") {
		t.Errorf("%s: want additionalProperties false, but for global, which other charts share", path)
	}
	for name, property := range s.Properties {
		all = append(all, property.keys(t, strings.TrimPrefix(path+"."+name, "."))...)
	}
	return all
}
