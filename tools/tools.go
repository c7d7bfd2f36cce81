// Package tools finds the pinned tools for tests.
package tools

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Path returns the path that the environment names, $PROMTOOL or $KUBE_APISERVER for
// example, or that of the pinned tool, which is installed where it is missing.
func Path(t testing.TB, tool string) string {
	t.Helper()
	if path := os.Getenv(strings.ReplaceAll(strings.ToUpper(tool), "-", "_")); path != "" {
		return path
	}
	module, err := exec.CommandContext(t.Context(), "go", "env", "GOMOD").Output()
	if err != nil {
		t.Fatalf("finding the module: %v", err)
	}
	install := exec.CommandContext(t.Context(), filepath.Join(filepath.Dir(string(module)), "tools", "install.sh"), tool)
	install.Stderr = t.Output()
	path, err := install.Output()
	if err != nil {
		t.Fatalf("installing %s: %v", tool, err)
	}
	return strings.TrimSpace(string(path))
}
