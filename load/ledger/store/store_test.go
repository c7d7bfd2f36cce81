package store

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"
)

func TestAReopenedStoreKnowsTheNewestStateOfWhatWasNotForgotten(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, dir)
	stop := running(t, s)
	record := Entry{Kind: 'r', Epoch: 1, Number: 7, Parent: 2, Acked: 1, Reserved: 64}
	blob := Entry{Kind: 'b', Epoch: 1, Number: 9, Parent: 7, Reserved: 1, Doomed: true, Size: 10 << 20}
	s.Note(record)
	record.Acked = 5
	s.Note(record)
	s.Note(blob)
	s.Note(Entry{Kind: 's', Epoch: 1, Number: 3})
	s.Forget('s', 1, 3)
	stop()

	got := earlier(t, opened(t, dir))
	if diff := cmp.Diff([]Entry{blob, record}, got); diff != "" {
		t.Errorf("entries differ (-want +got):\n%s", diff)
	}
}

func TestAForgottenEntryOfAnEarlierEpochStaysForgotten(t *testing.T) {
	dir := t.TempDir()
	first := opened(t, dir)
	first.Note(Entry{Kind: 'r', Epoch: 1, Number: 1})
	first.Note(Entry{Kind: 'r', Epoch: 1, Number: 2})
	flushed(t, first)
	first.Close()

	second := opened(t, dir)
	second.Forget('r', 1, 1)
	second.Note(Entry{Kind: 'r', Epoch: 2, Number: 1})
	flushed(t, second)
	want := []Entry{{Kind: 'r', Epoch: 1, Number: 2}}
	if diff := cmp.Diff(want, earlier(t, second)); diff != "" {
		t.Errorf("earlier entries differ (-want +got):\n%s", diff)
	}
	second.Close()

	want = append(want, Entry{Kind: 'r', Epoch: 2, Number: 1})
	if diff := cmp.Diff(want, earlier(t, opened(t, dir))); diff != "" {
		t.Errorf("earlier entries differ (-want +got):\n%s", diff)
	}
}

func TestEveryStartCountsAndKeepsTheFirstRun(t *testing.T) {
	dir := t.TempDir() + "/made/for/us"
	for epoch := 1; epoch <= 3; epoch++ {
		s := opened(t, dir)
		want := Identity{Run: us.Run, Epoch: epoch, Target: us.Target}
		if diff := cmp.Diff(want, s.Identity()); diff != "" {
			t.Errorf("identity differs (-want +got):\n%s", diff)
		}
		s.Close()
	}
	s, err := Open(dir, Identity{Run: "ffffffff", Target: us.Target})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := s.Identity().Run; got != us.Run {
		t.Errorf("got run %s, want %s", got, us.Run)
	}
}

func TestReservedNumbersAreKnownLaterAndNeverShrink(t *testing.T) {
	dir := t.TempDir()
	first := opened(t, dir)
	first.ReserveNumbers('r', 2000)
	first.ReserveNumbers('r', 1000)
	first.ReserveNumbers('b', 10)
	flushed(t, first)
	first.ReserveNumbers('r', 1500)
	flushed(t, first)
	if got, err := first.EarlierNumbers(); err != nil || got != nil {
		t.Errorf("got %v, %v of earlier epochs, want none", got, err)
	}
	first.Close()

	second := opened(t, dir)
	second.ForgetNumbers('b', 1)
	second.ReserveNumbers('b', 20)
	flushed(t, second)
	second.Close()

	got, err := opened(t, dir).EarlierNumbers()
	if err != nil {
		t.Fatal(err)
	}
	want := []Numbers{{Kind: 'r', Epoch: 1, UpTo: 2000}, {Kind: 'b', Epoch: 2, UpTo: 20}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("numbers differ (-want +got):\n%s", diff)
	}
}

func TestADirectoryOfSomebodyElseIsRefused(t *testing.T) {
	cases := map[string]struct {
		prepare func(t *testing.T, dir string)
		want    []string
	}{
		"another target's, naming both": {
			prepare: func(t *testing.T, dir string) {
				other, err := Open(dir, Identity{Run: "ffffffff", Target: "http://other"})
				if err != nil {
					t.Fatal(err)
				}
				other.Close()
			},
			want: []string{`"http://other"`, us.Target},
		},
		"one in use": {
			prepare: func(t *testing.T, dir string) { opened(t, dir) },
			want:    []string{"in use by another process"},
		},
		"one of a newer program": {
			prepare: func(t *testing.T, dir string) {
				s := opened(t, dir)
				defer s.Close()
				value := seal(identityKey, []byte(`{"schema":2,"run":"0123abcd","epoch":1,"target":"http://open-saves:8080","more":true}`))
				err := s.update(func(tx *bbolt.Tx) error { return tx.Bucket(identityBucket).Put(identityKey, value) })
				if err != nil {
					t.Fatal(err)
				}
			},
			want: []string{"got 2, want 1", "newer"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			c.prepare(t, dir)
			_, err := Open(dir, us)
			if err == nil {
				t.Fatal("got a store, want an error")
			}
			for _, want := range append(c.want, dir) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want it to say %q", err, want)
				}
			}
		})
	}
}

func TestARefusedStartCountsNoEpoch(t *testing.T) {
	dir := t.TempDir()
	opened(t, dir).Close()
	if _, err := Open(dir, Identity{Run: us.Run, Target: "http://other"}); err == nil {
		t.Fatal("got a store, want an error")
	}
	if got := opened(t, dir).Identity().Epoch; got != 2 {
		t.Errorf("got epoch %d, want 2", got)
	}
}

func TestADraftThatAKillLeftBehindHarmsNoStart(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(ledgerFile(dir)+".1", []byte("half of it"), 0o600); err != nil {
		t.Fatal(err)
	}
	opened(t, dir)
}

func TestUsageIsAShare(t *testing.T) {
	got, err := opened(t, t.TempDir()).Usage()
	if err != nil {
		t.Fatal(err)
	}
	if got <= 0 || got > 1 {
		t.Errorf("got %v, want more than 0 and 1 at most", got)
	}
}
