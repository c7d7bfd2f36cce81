package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// lockPatience is how long a start waits for a predecessor that is still closing.
const lockPatience = time.Second

// create makes the file where there is none. It gets its name when it is whole, so
// that a kill in between leaves no half of one, and by a link, so that of two that
// start at once neither overwrites the other's.
func create(path string, want Identity) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	draft, err := os.CreateTemp(filepath.Dir(path), fileName+".*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(draft.Name()) }() // one that stays is only litter
	if err := draft.Close(); err != nil {
		return err
	}
	if err := fill(draft.Name(), Identity{Run: want.Run, Target: want.Target}); err != nil {
		return fmt.Errorf("making the file: %w", err)
	}
	if err := os.Link(draft.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

func fill(path string, id Identity) error {
	db, err := openFile(path)
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{identityBucket, entriesBucket, blocksBucket} {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		return putIdentity(tx, id)
	})
	return errors.Join(err, db.Close())
}

// openFile opens and locks the file. The list of free pages stays in it
// (NoFreelistSync is off): without it bbolt walks the file at every start and after
// every failed flush, in a goroutine whose panics nobody can catch. Where bbolt
// panics here, it keeps the lock until the process ends.
func openFile(path string) (db *bbolt.DB, err error) {
	options := &bbolt.Options{Timeout: lockPatience, FreelistType: bbolt.FreelistMapType}
	err = guarded(func() (err error) { db, err = bbolt.Open(path, 0o600, options); return err })
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, errors.New("locking the file: it is in use by another process")
	}
	return db, err
}

// guarded turns the panics of bbolt over a damaged file, and the faults of reading
// a mapped file that is cut or cannot be read, into an error.
func guarded(do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("reading the file: it is damaged: %v", p)
		}
	}()
	return do()
}
