package main

import (
	"reflect"
	"strings"
	"testing"
)

func TestEveryKeyOfTheFileHasADefaultAndAMeaning(t *testing.T) {
	got, err := configTable()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| `target.timeout` | `5s` | bound of an operation, but for blobs |\n",
		"| `target.tls` | `{}` |",
		"| `load.rps` | `50` | requests a second, all replicas together |\n",
		"| `load.stages` | `[]` |",
		"| `load.stages[].ramp` | `0s` |",
		"| `load.scenarios` | `{mixed: 1}` |",
		"| `data.record_bytes` | `1KiB` |",
		"| `data.blob_sizes` | `{1KiB: 60, 100KiB: 30, 1MiB: 9, 10MiB: 1}` |",
		"| `data.max_blob_bytes` | `2GiB` |",
		"| `objectives.window` | `30d` |",
		"| `objectives.latency` | `[{class: read, threshold: 100ms, ratio: 0.99}, ",
		"| `safety.max_written_per_day` | `50GiB` |",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("got no %q in\n%s", want, got)
		}
	}
	for _, key := range undocumented(reflect.TypeFor[Config](), "") {
		t.Errorf("%s has no tag help", key)
	}
}

func undocumented(section reflect.Type, path string) []string {
	var keys []string
	for field := range section.Fields() {
		key := join(path, field.Tag.Get("yaml"))
		if _, ok := field.Tag.Lookup("help"); ok {
			continue
		}
		if field.Type.Kind() == reflect.Struct {
			keys = append(keys, undocumented(field.Type, key)...)
			continue
		}
		keys = append(keys, key)
	}
	return keys
}
