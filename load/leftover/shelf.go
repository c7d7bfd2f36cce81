package leftover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/opensaves"
)

// shelf is a store of the run whose records are being deleted.
type shelf struct {
	*cleaner
	store     string
	gone      map[string]bool // records that were deleted; lists may show them for a while
	strangers int             // records that are not ours
	stays     int             // records at the head of the list that stay there
	size      int             // of a page, beside what stays
}

const (
	pageSize = 100 // records
	// patience is how often a list may show nothing but what was deleted.
	patience = 10
	// firstPause doubles with each such list.
	firstPause = 50 * time.Millisecond
)

// clear deletes the records that are ours until the store's list shows
// strangers only.
func (s *shelf) clear(ctx context.Context) error {
	for waited := 0; ; {
		records, err := s.page(ctx)
		if err != nil {
			return s.failed(ctx, StoreKind, s.store, err)
		}
		full := len(records) >= s.size+s.stays
		ours, stale := s.sort(records)
		switch {
		case len(ours) > 0:
			waited = 0
			if err := s.delete(ctx, ours); err != nil {
				return err
			}
		case stale == 0 && !full:
			return nil
		case stale > 0:
			if waited++; waited > patience {
				return s.failed(ctx, StoreKind, s.store, fmt.Errorf("got %d records listed that were deleted, want none", stale))
			}
			if err := pause(ctx, firstPause<<waited); err != nil {
				return err
			}
		}
	}
}

// page lists records: as many as stay, and more. Where the answer would be too
// large it asks for fewer.
func (s *shelf) page(ctx context.Context) ([]opensaves.Record, error) {
	for {
		call := opensaves.Call{Op: s.registry.listing(), Store: s.store, Query: opensaves.Query{Limit: s.size + s.stays}}
		answer, err := s.send(ctx, call)
		if err == nil {
			return answer.Records, nil
		}
		if opensaves.CodeOf(err) != metric.ResourceExhausted || s.size == 1 {
			return nil, err
		}
		s.size /= 2
	}
}

// sort tells our records from those that stay and from those that were deleted.
func (s *shelf) sort(records []opensaves.Record) (ours []*opensaves.Record, stale int) {
	s.strangers, s.stays = 0, 0
	for i := range records {
		r := &records[i]
		switch {
		case s.gone[r.Key] && s.dry:
			s.stays++
		case s.gone[r.Key]:
			stale++
		case s.ours(r):
			ours = append(ours, r)
		default:
			s.strangers++
			s.stays++
		}
	}
	return ours, stale
}

// ours says whether a record is the run's, with no blob of another's.
func (s *shelf) ours(r *opensaves.Record) bool {
	if r.Store != s.store || !s.wrote(r.Opaque, r.Key, ledger.Record) {
		return false
	}
	for _, name := range r.Blobs {
		if !s.run.owns(name, ledger.Blob) {
			return false
		}
	}
	return true
}

func pause(ctx context.Context, length time.Duration) error {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// delete deletes records, several at once.
func (s *shelf) delete(ctx context.Context, records []*opensaves.Record) error {
	var group errgroup.Group
	group.SetLimit(inFlight)
	for _, r := range records {
		s.gone[r.Key] = true
		group.Go(func() error { return s.record(ctx, r) })
	}
	return group.Wait()
}

// record deletes a record after its blobs, which would outlive it on REST.
func (s *shelf) record(ctx context.Context, r *opensaves.Record) error {
	call := opensaves.Call{Op: metric.DeleteBlob, Store: s.store, Key: r.Key}
	var errs []error
	for _, call.Blob = range r.Blobs {
		errs = append(errs, s.remove(ctx, BlobKind, call.Blob, call))
	}
	if r.BlobSize > 0 {
		errs = append(errs, s.remove(ctx, BlobKind, r.Key, call))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	call.Op, call.Blob = metric.DeleteRecord, ""
	return s.remove(ctx, RecordKind, r.Key, call)
}
