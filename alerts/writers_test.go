package alerts

import (
	"bytes"
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

func TestInhibitionsNameAlerts(t *testing.T) {
	var text bytes.Buffer
	if err := WriteInhibitions(&text); err != nil {
		t.Fatal(err)
	}
	for _, found := range regexp.MustCompile(`OpenSavesSoak\w+`).FindAllString(text.String(), -1) {
		if _, err := os.Stat("../docs/runbooks/" + found + ".md"); err != nil && found != "OpenSavesSoakLatency" {
			t.Errorf("got %s, want an alert", found)
		}
	}
}

func TestTheAlarmsUseExactlyTheTemplatesParametersAndConditions(t *testing.T) {
	var text bytes.Buffer
	if err := WriteCloudFormation(&text, Rules(DefaultObjectives(), DefaultSettings())); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Parameters map[string]any `yaml:"Parameters"`
		Conditions map[string]any `yaml:"Conditions"`
	}
	if err := yaml.Unmarshal(text.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	names := func(pattern string) []string {
		used := map[string]bool{}
		for _, found := range regexp.MustCompile(pattern).FindAllStringSubmatch(text.String(), -1) {
			used[found[1]] = true
		}
		return slices.Sorted(maps.Keys(used))
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(got.Parameters)), names(`Ref: (\w+)`)); diff != "" {
		t.Errorf("parameters: wanted -, got +\n%s", diff)
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(got.Conditions)), names(`(?:Condition: |Fn::If:\n\s+- )(\w+)`)); diff != "" {
		t.Errorf("conditions: wanted -, got +\n%s", diff)
	}
}

func TestTheRoleMayDoWhatTheDocumentSays(t *testing.T) {
	type statement struct {
		Action, Resource any
	}
	type policy struct{ Statement []statement }
	text, err := os.ReadFile("../docs/aws.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```json\n(.*?)```").FindStringSubmatch(string(text))
	if block == nil {
		t.Fatal("docs/aws.md: got no JSON, want the policy")
	}
	var want policy
	if err := yaml.Unmarshal([]byte(block[1]), &want); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Resources struct {
			ExporterRole struct {
				Properties struct {
					Policies []struct {
						PolicyDocument policy `yaml:"PolicyDocument"`
					} `yaml:"Policies"`
				} `yaml:"Properties"`
			} `yaml:"ExporterRole"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal([]byte(CloudFormationAccess), &got); err != nil {
		t.Fatal(err)
	}
	actions := func(p policy) (all []any) {
		for _, s := range p.Statement {
			all = append(all, s.Action)
		}
		return all
	}
	if diff := cmp.Diff(actions(want), actions(got.Resources.ExporterRole.Properties.Policies[0].PolicyDocument)); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestReleasesShareNeitherUidsNorFoldersInGrafana(t *testing.T) {
	names := func(selector string) map[string]bool {
		s := DefaultSettings()
		s.Selector = selector
		var text bytes.Buffer
		if err := WriteGrafana(&text, Rules(DefaultObjectives(), s)); err != nil {
			t.Fatal(err)
		}
		found := map[string]bool{}
		for _, name := range regexp.MustCompile(`(?m)^ +(?:- )?(?:uid|folder): .*$`).FindAllString(text.String(), -1) {
			found[name] = true
		}
		return found
	}
	one, other := names(`job="opensaves-soak"`), names(`job="soak",cluster="eu"`)
	alerts := 0
	for _, g := range Rules(DefaultObjectives(), DefaultSettings()) {
		alerts += len(slices.DeleteFunc(g.Rules, func(r Rule) bool { return r.Alert == "" }))
	}
	if want := alerts + 1; len(one) != want || len(other) != want {
		t.Fatalf("got %d and %d names, want %d: a uid for each alert, and a folder", len(one), len(other), want)
	}
	for name := range one {
		if other[name] {
			t.Errorf("got %s twice, want it once", name)
		}
	}
}
