package store

import (
	"fmt"
	"os"
	"testing"
)

// nth is an entry whose every field follows from its number.
func nth(n uint64) Entry {
	return Entry{Kind: 'r', Epoch: 1, Number: n, Parent: n % 10, Acked: uint32(n), Reserved: uint32(n) + 64}
}

// left makes a directory in which an earlier epoch left so many entries.
func left(t testing.TB, count uint64) (dir string) {
	t.Helper()
	dir = t.TempDir()
	s := opened(t, dir)
	for n := range count {
		s.Note(nth(n))
	}
	flushed(t, s)
	s.Close()
	return dir
}

// readAll reads what was left and reports how much it is.
func readAll(t testing.TB, s *Store) (count uint64) {
	t.Helper()
	for e, err := range s.Earlier() {
		if err != nil {
			t.Fatal(err)
		}
		if e != nth(count) {
			t.Fatalf("got %+v, want %+v", e, nth(count))
		}
		count++
	}
	return count
}

func TestAllEarlierEntriesAreReadHoweverManyThereAre(t *testing.T) {
	for _, count := range []uint64{0, 1, batch - 1, batch, batch + 1, 10 * batch} {
		t.Run(fmt.Sprint(count), func(t *testing.T) {
			s := opened(t, left(t, count))
			s.Note(Entry{Kind: 'r', Epoch: 2, Number: 1})
			flushed(t, s)
			if got := readAll(t, s); got != count {
				t.Errorf("got %d entries, want %d", got, count)
			}
		})
	}
}

func TestReadingEarlierEntriesHindersNoFlush(t *testing.T) {
	dir := left(t, 3*batch)
	s := opened(t, dir)
	stop := running(t, s)
	read := 0
	for e, err := range s.Earlier() {
		if err != nil {
			t.Fatal(err)
		}
		ticket := s.Forget(e.Kind, e.Epoch, e.Number)
		if read++; read%batch == 0 {
			if err := s.Sync(t.Context(), ticket); err != nil {
				t.Fatal(err)
			}
		}
	}
	if read != 3*batch {
		t.Errorf("got %d entries, want %d", read, 3*batch)
	}
	stop()
	if got := earlier(t, opened(t, dir)); len(got) > 0 {
		t.Errorf("got %d entries left, want none", len(got))
	}
}

// Objects come and go at a steady number, and one in a hundred lives a hundred
// times as long and keeps its page: the file must not grow for ever.
func TestChurnKeepsTheFileSmall(t *testing.T) {
	const live, perFlush, flushes = 500, 100, 1000
	dir := t.TempDir()
	s := opened(t, dir)
	s.db.NoSync = true // the test would wait for the disk alone
	half := int64(0)
	for flush := range uint64(flushes) {
		for i := range uint64(perFlush) {
			n := flush*perFlush + i
			s.Note(nth(n))
			if n >= live && (n-live)%100 != 0 {
				s.Forget('r', 1, n-live)
			}
			if n >= 100*live && n%100 == 0 {
				s.Forget('r', 1, n-100*live)
			}
		}
		flushed(t, s)
		if flush == flushes/2 {
			half = fileBytes(t, dir)
		}
	}
	sound(t, s)
	if got := fileBytes(t, dir); got > 2*half {
		t.Errorf("got %d bytes, want at most twice the %d that there were after half of the time", got, half)
	}
}

func fileBytes(t *testing.T, dir string) int64 {
	t.Helper()
	info, err := os.Stat(ledgerFile(dir))
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func BenchmarkOpeningAndReadingAMillionEntries(b *testing.B) {
	const count = 1_000_000
	dir := left(b, count)
	for b.Loop() {
		s := opened(b, dir)
		if got := readAll(b, s); got != count {
			b.Fatalf("got %d entries, want %d", got, count)
		}
		s.Close()
	}
}
