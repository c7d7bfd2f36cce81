package store

import (
	"bytes"
	"fmt"
	"iter"

	"go.etcd.io/bbolt"
)

// batch is how many entries are read at a time.
const batch = 4096

// Earlier reads the entries that earlier epochs left, in the order of epoch, kind
// and number. It holds no lock while the caller looks at one, who may so note,
// forget and wait meanwhile; an error ends it.
func (s *Store) Earlier() iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		entries := make([]Entry, 0, batch)
		for from := []byte(nil); ; {
			var err error
			if entries, err = s.earlier(entries[:0], from); err != nil {
				yield(Entry{}, fmt.Errorf("reading ledger: %w", err))
				return
			}
			for _, e := range entries {
				if !yield(e, nil) {
					return
				}
			}
			if len(entries) < batch {
				return
			}
			last := entries[batch-1].key()
			from = append(last[:], 0) // the least key above it
		}
	}
}

// earlier appends up to a batch of entries.
func (s *Store) earlier(entries []Entry, from []byte) ([]Entry, error) {
	end := keyOf(0, s.id.Epoch, 0)
	err := s.view(func(tx *bbolt.Tx) error {
		cursor := tx.Bucket(entriesBucket).Cursor()
		for k, v := cursor.Seek(from); k != nil && bytes.Compare(k, end[:]) < 0 && len(entries) < batch; k, v = cursor.Next() {
			e, err := decodeEntry(k, v)
			if err != nil {
				return err
			}
			entries = append(entries, e)
		}
		return nil
	})
	return entries, err
}

// EarlierNumbers reads what earlier epochs reserved, in the order of epoch and kind.
func (s *Store) EarlierNumbers() ([]Numbers, error) {
	var all []Numbers
	end := blockKeyOf(0, s.id.Epoch)
	err := s.view(func(tx *bbolt.Tx) error {
		cursor := tx.Bucket(blocksBucket).Cursor()
		for k, v := cursor.First(); k != nil && bytes.Compare(k, end[:]) < 0; k, v = cursor.Next() {
			n, err := decodeBlock(k, v)
			if err != nil {
				return err
			}
			all = append(all, n)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading ledger: %w", err)
	}
	return all, nil
}

func (s *Store) view(read func(*bbolt.Tx) error) error {
	return guarded(func() error { return s.db.View(read) })
}
