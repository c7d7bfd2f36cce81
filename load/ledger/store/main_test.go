package store

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"
)

var us = Identity{Run: "0123abcd", Target: "http://open-saves:8080"}

// opened opens a store that a test may close earlier.
func opened(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(dir, us)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// running runs a store; stop ends that, and closes it.
func running(t testing.TB, s *Store) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		if err := errors.Join(<-ended, s.Close()); err != nil {
			t.Error(err)
		}
	}
}

func flushed(t testing.TB, s *Store) {
	t.Helper()
	if err := s.flush(); err != nil {
		t.Fatal(err)
	}
}

func earlier(t testing.TB, s *Store) []Entry {
	t.Helper()
	var all []Entry
	for e, err := range s.Earlier() {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// sound asks bbolt itself whether the file is.
func sound(t testing.TB, s *Store) {
	t.Helper()
	err := s.db.View(func(tx *bbolt.Tx) error {
		var faults []error
		for fault := range tx.Check() {
			faults = append(faults, fault)
		}
		return errors.Join(faults...)
	})
	if err != nil {
		t.Error(err)
	}
}

func ledgerFile(dir string) string { return filepath.Join(dir, fileName) }
