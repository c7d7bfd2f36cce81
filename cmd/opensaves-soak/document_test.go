package main

import (
	"os"
	"regexp"
	"testing"

	"opensaves-soak/tools"
)

// generated is a table in a document, with its marks.
var generated = regexp.MustCompile(`(?s)<!-- generated: (\w+) -->\n.*?<!-- end -->\n`)

func TestTheDocumentsSayWhatTheCodeSays(t *testing.T) {
	missing, err := tables()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"../../README.md", "../../docs/configuration.md", "../../docs/metrics.md", "../../docs/operations.md", "../../docs/aws.md", "../../docs/dashboards.md", "../../docs/alerts.md"} {
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want := generated.ReplaceAllStringFunc(string(got), func(part string) string {
			name := generated.FindStringSubmatch(part)[1]
			table, ok := missing[name]
			if !ok {
				t.Errorf("%s: got a table %s, want each table once: configuration, metrics, aws, operations, boards, panels, alerts", file, name)
			}
			delete(missing, name)
			return "<!-- generated: " + name + " -->\n\n" + table + "\n<!-- end -->\n"
		})
		tools.Golden(t, file, want)
	}
	for name := range missing {
		t.Errorf("no document has the table %s", name)
	}
}
