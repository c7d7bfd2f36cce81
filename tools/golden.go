package tools

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Golden holds a committed file to what is made of it now, or writes that where
// UPDATE is 1.
func Golden(t testing.TB, path, made string) {
	t.Helper()
	if os.Getenv("UPDATE") == "1" {
		if err := os.WriteFile(path, []byte(made), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	committed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(committed), "\n"), strings.Split(made, "\n")); diff != "" {
		t.Errorf("%s: UPDATE=1 writes it anew; committed -, made +\n%s", path, diff)
	}
}
