package store

import (
	"bytes"
	"math/rand/v2"
	"os"
	"testing"
)

// written is a ledger file with some thousand entries, closed.
func written(t testing.TB) []byte {
	t.Helper()
	file, err := os.ReadFile(ledgerFile(left(t, 5000)))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// reopened opens a directory that holds a file of these bytes.
func reopened(t testing.TB, file []byte) (*Store, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(ledgerFile(dir), file, 0o600); err != nil {
		t.Fatal(err)
	}
	return Open(dir, us)
}

func TestADamagedFileIsRefused(t *testing.T) {
	whole := written(t)
	page := os.Getpagesize()
	overwritten := func(from, to int, with byte) []byte {
		file := bytes.Clone(whole)
		copy(file[from:to], bytes.Repeat([]byte{with}, to-from))
		return file
	}
	cases := map[string][]byte{
		"empty":                       {},
		"a few bytes of garbage":      []byte("garbage"),
		"pages of garbage":            bytes.Repeat([]byte("garbage "), 8*page),
		"zeros":                       make([]byte, len(whole)),
		"cut within the first page":   whole[:100],
		"cut after the first page":    whole[:page],
		"cut after the second page":   whole[:2*page],
		"cut in the middle":           whole[:len(whole)/4],
		"both meta pages overwritten": overwritten(0, 2*page, 0xff),
		"all behind them zeroed":      overwritten(2*page, len(whole), 0),
		"all behind them garbage":     overwritten(2*page, len(whole), 0xa5),
	}
	for name, file := range cases {
		t.Run(name, func(t *testing.T) {
			if s, err := reopened(t, file); err == nil {
				s.Close()
				t.Error("got a store, want an error")
			}
		})
	}
}

// A damaged page may be one that is not used, so opening may succeed; then nothing
// may be wrong with what is read.
func TestARandomlyDamagedFileIsRefusedOrWhole(t *testing.T) {
	whole := written(t)
	random := rand.New(rand.NewPCG(1, 2))
	refused := 0
	for range 60 {
		file := bytes.Clone(whole)
		for range 1 + random.IntN(50) {
			file[random.IntN(len(file))] ^= byte(1 + random.IntN(255))
		}
		s, err := reopened(t, file)
		if err != nil {
			refused++
			continue
		}
		if got := readAll(t, s); got != 5000 {
			t.Errorf("got %d entries, want 5000", got)
		}
		s.Close()
	}
	if refused == 0 {
		t.Error("got no file refused, want most")
	}
}

func TestAFileThatIsCutWhileInUseFailsFlushesAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(ledgerFile(dir), written(t), 0o600); err != nil {
		t.Fatal(err)
	}
	s := opened(t, dir)
	if err := os.Truncate(ledgerFile(dir), int64(2*os.Getpagesize())); err != nil {
		t.Fatal(err)
	}
	for e, err := range s.Earlier() {
		if err == nil {
			t.Errorf("got %+v, want an error", e)
		}
	}
	for range 2 {
		ticket := s.Note(Entry{Kind: 'r', Epoch: 2, Number: 1})
		if err := s.flush(); err == nil {
			t.Error("got a flush, want an error")
		}
		if !s.Failed() || s.Synced() >= ticket {
			t.Errorf("got failed %t, synced %d, want a failure and less than %d", s.Failed(), s.Synced(), ticket)
		}
	}
	if err := s.Close(); err == nil {
		t.Error("got it closed, want an error")
	}
}
