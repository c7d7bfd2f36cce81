package store

import (
	"encoding/json"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
)

// schema is the version of the file's form. The next one must read this one too,
// and keep the form of the row of the identity.
const schema = 1

var (
	identityBucket = []byte("identity")
	entriesBucket  = []byte("entries")
	blocksBucket   = []byte("numbers")

	identityKey = []byte("identity")
)

// Identity tells whose ledger it is.
type Identity struct {
	Run    string `json:"run"`    // eight hexadecimal digits, drawn once
	Epoch  int    `json:"epoch"`  // how often the run was started, from 1
	Target string `json:"target"` // the address that is tested
}

// row is what stands in the file: people read it too.
type row struct {
	Schema int `json:"schema"`
	Identity
}

// inspect reads all of the file, so that a start changes only one that is right.
func inspect(db *bbolt.DB, target string) (id Identity, err error) {
	err = guarded(func() error {
		return db.View(func(tx *bbolt.Tx) (err error) {
			if id, err = readIdentity(tx); err != nil {
				return err
			}
			if id.Target != target {
				return fmt.Errorf("checking whose it is: got target %q, want %q", id.Target, target)
			}
			return inspectRows(tx)
		})
	})
	return id, err
}

func inspectRows(tx *bbolt.Tx) error {
	entries, blocks := tx.Bucket(entriesBucket), tx.Bucket(blocksBucket)
	if entries == nil || blocks == nil {
		return errors.New("reading the file: got no tables, want entries and numbers")
	}
	return errors.Join(
		entries.ForEach(func(k, v []byte) error { _, err := decodeEntry(k, v); return err }),
		blocks.ForEach(func(k, v []byte) error { _, err := decodeBlock(k, v); return err }),
	)
}

func readIdentity(tx *bbolt.Tx) (Identity, error) {
	bucket := tx.Bucket(identityBucket)
	if bucket == nil {
		return Identity{}, errors.New("reading identity: got none, want that of a ledger")
	}
	value, err := unseal(identityKey, bucket.Get(identityKey))
	if err != nil {
		return Identity{}, fmt.Errorf("reading identity: %w", err)
	}
	var r row
	if err := json.Unmarshal(value, &r); err != nil {
		return Identity{}, fmt.Errorf("reading identity: %w", err)
	}
	if r.Schema != schema {
		return Identity{}, fmt.Errorf("reading schema version: got %d, want %d: a newer program wrote it", r.Schema, schema)
	}
	return r.Identity, nil
}

func putIdentity(tx *bbolt.Tx, id Identity) error {
	value, err := json.Marshal(row{Schema: schema, Identity: id})
	if err != nil {
		return fmt.Errorf("writing identity: %w", err)
	}
	return tx.Bucket(identityBucket).Put(identityKey, seal(identityKey, value))
}
