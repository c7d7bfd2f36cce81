package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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
		if os.Getenv("UPDATE") != "" {
			if err := os.WriteFile(file, []byte(want), 0o600); err != nil {
				t.Fatal(err)
			}
		} else if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(string(got), "\n")); diff != "" {
			t.Errorf("%s is out of date, run go generate ./cmd/opensaves-soak: wanted -, got +\n%s", file, diff)
		}
	}
	for name := range missing {
		t.Errorf("no document has the table %s", name)
	}
}
