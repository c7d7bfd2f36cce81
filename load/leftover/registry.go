package leftover

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves"
)

// Registry is the key of the registry's store.
const Registry = "soak-registry"

const (
	registryStore = Registry
	registryName  = "opensaves-soak registry"
)

// wholeList is up to how many bytes a list is taken to be whole: backends cut
// theirs at 1 MB of what they store.
const wholeList = 512 << 10

// registry is the store of notes.
type registry struct {
	do       Do
	protocol metric.Protocol
}

func (r *registry) call(ctx context.Context, call opensaves.Call) (*opensaves.Answer, error) {
	answer := new(opensaves.Answer)
	return answer, r.do(ctx, &call, answer)
}

// open creates the store if it is missing, and says whether it was. A store of
// that key with another name is somebody else's, and stays so.
func (r *registry) open(ctx context.Context) (missing bool, err error) {
	_, created := r.call(ctx, opensaves.Call{Op: metric.CreateStore, Store: registryStore, StoreName: registryName})
	if created == nil {
		return true, nil
	}
	answer, err := r.call(ctx, opensaves.Call{Op: metric.GetStore, Store: registryStore})
	if err != nil || len(answer.Stores) != 1 {
		return false, fmt.Errorf("opening the registry: %w", created)
	}
	if name := answer.Stores[0].Name; name != registryName {
		return false, fmt.Errorf("opening the registry: got a store %s named %.100q, want %q: it is somebody else's", registryStore, name, registryName)
	}
	return false, nil
}

// listing returns the operation that lists a store's records.
func (r *registry) listing() metric.Operation {
	if r.protocol == metric.HTTP {
		return metric.ListRecords
	}
	return metric.QueryByOwner // of nobody: all
}

// read returns all notes by their keys, past every cache; those of the keys asked
// for also past an index that lags. An error means that nothing is known.
func (r *registry) read(ctx context.Context, own ...string) (map[string]note, error) {
	answer, err := r.call(ctx, opensaves.Call{Op: r.listing(), Store: registryStore})
	if err != nil {
		return nil, fmt.Errorf("reading the registry: %w", err)
	}
	if r.protocol == metric.HTTP && answer.Received > wholeList {
		return nil, fmt.Errorf("reading the registry: got %d bytes, want at most %d for a list that is surely whole: look what others keep in the store %s",
			answer.Received, wholeList, registryStore)
	}
	notes := map[string]note{}
	for i := range answer.Records {
		add(notes, &answer.Records[i])
	}
	if r.protocol == metric.GRPC {
		for _, key := range own {
			notes[key] = note{}
		}
		return r.refresh(ctx, slices.Sorted(maps.Keys(notes)))
	}
	return notes, nil
}

// refresh reads notes one by one, because a query may be answered from an index
// that lags.
func (r *registry) refresh(ctx context.Context, keys []string) (map[string]note, error) {
	notes := map[string]note{}
	for some := range slices.Chunk(keys, 100) {
		call := opensaves.Call{Op: metric.GetRecords}
		for _, key := range some {
			call.Keys = append(call.Keys, opensaves.Key{Store: registryStore, Key: key})
		}
		answer, err := r.call(ctx, call)
		if err != nil {
			return nil, fmt.Errorf("reading the registry: %w", err)
		}
		for i := range answer.Records {
			switch answer.Statuses[i] {
			case metric.OK:
				add(notes, &answer.Records[i])
			case metric.NotFound:
			default:
				return nil, fmt.Errorf("reading the registry: got %s for %s", answer.Statuses[i], some[i])
			}
		}
	}
	return notes, nil
}

// add takes what a record says if it is a note of ours.
func add(notes map[string]note, r *opensaves.Record) {
	if n, err := parseNote(r.Opaque); err == nil && n.key() == r.Key && r.Store == registryStore {
		notes[r.Key] = n
	}
}

// write writes a note whole.
func (r *registry) write(ctx context.Context, n note, exists bool) error {
	text, err := n.encode()
	if err != nil {
		return fmt.Errorf("encoding the note %s: %w", n.key(), err)
	}
	op := metric.CreateRecord
	if exists {
		op = metric.UpdateRecord
	}
	record := opensaves.Record{Store: registryStore, Key: n.key(), Tags: []string{registryStore}, Opaque: text}
	if _, err = r.call(ctx, opensaves.Call{Op: op, Record: &record}); err != nil {
		return fmt.Errorf("writing the note %s: %w", n.key(), err)
	}
	return nil
}

// remove deletes a note.
func (r *registry) remove(ctx context.Context, key string) error {
	_, err := r.call(ctx, opensaves.Call{Op: metric.DeleteRecord, Store: registryStore, Key: key})
	if err != nil && opensaves.CodeOf(err) != metric.NotFound {
		return fmt.Errorf("removing the note %s: %w", key, err)
	}
	return nil
}
