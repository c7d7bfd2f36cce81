package ledger

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEveryMistakeOfTheVerificationIsNamedWithItsPath(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	got := Config{Consistency: "linear", BlobQuiet: -1}.Validate().Error()
	want := `verify.consistency: got "linear", want eventual or strong
verify.cache_limit: got 0s, want more than 0s
verify.unknown_ttl: got 0s, want more than 0s
verify.blob_quiet: got -1ns, want 0s or more
verify.self_test_interval: got 0s, want more than 0s`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}
