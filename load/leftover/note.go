package leftover

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
)

// note is what one record of the registry says, as JSON in its opaque text: that
// a run is there, or who claims it. Nobody writes another's note.
type note struct {
	Schema   int       `json:"soak_registry"`
	Run      string    `json:"run"`
	Replica  int       `json:"replica"`
	By       string    `json:"by,omitempty"`       // claims: the sweeper
	Sweeping bool      `json:"sweeping,omitempty"` // claims: no way back, the run's objects go
	Beat     uint64    `json:"beat"`               // moves with every write
	After    period    `json:"after"`              // how long its writer may be silent before he is dead
	Protocol string    `json:"protocol"`
	Epochs   []numbers `json:"epochs,omitempty"` // runs: by boot epoch

	text string // as it was read
}

// numbers are the highest that may have been used, by kind of key.
type numbers struct {
	Stores   uint64 `json:"stores"`
	Metadata uint64 `json:"metadata"` // REST, which cannot list them
}

// letters are the kinds of keys whose numbers are noted.
var letters = []byte{ledger.Store, ledger.Metadata}

// of returns the number of a kind; nil: the kind has none.
func (n *numbers) of(kind byte) *uint64 {
	switch kind {
	case ledger.Store:
		return &n.Stores
	case ledger.Metadata:
		return &n.Metadata
	}
	return nil
}

const (
	schema    = 1
	maxNote   = 64 << 10 // bytes
	maxEpochs = 1000
	maxNumber = 1 << 53
	maxID     = 1 << 20 // of a replica
)

// period is a duration that is a string in JSON.
type period time.Duration

// MarshalText writes "30m0s".
func (p period) MarshalText() ([]byte, error) { return []byte(time.Duration(p).String()), nil }

// UnmarshalText reads what time.ParseDuration reads.
func (p *period) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*p = period(parsed)
	return err
}

// nameOf is how a run's replica is called.
func nameOf(run string, replica int) string { return run + "-" + strconv.Itoa(replica) }

func runKey(run string, replica int) string { return registryStore + "-" + nameOf(run, replica) }

// target is the key of the note about the run.
func (n *note) target() string { return runKey(n.Run, n.Replica) }

// key is where the note is kept. A run's claims stand behind the run.
func (n *note) key() string {
	if n.By == "" {
		return n.target()
	}
	return n.target() + "-claim-" + n.By
}

func (n *note) encode() (string, error) {
	text, err := json.Marshal(n)
	return string(text), err
}

var errForeign = errors.New("got a text that is no note of ours")

// parseNote reads a note. What has a field that it does not know, or a value
// out of range, is not ours, or a newer program's.
func parseNote(text string) (note, error) {
	n := note{text: text}
	if len(text) > maxNote {
		return note{}, fmt.Errorf("%w: %d bytes", errForeign, len(text))
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&n); err != nil {
		return note{}, fmt.Errorf("%w: %w", errForeign, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) || !n.valid() {
		return note{}, errForeign
	}
	return n, nil
}

func (n *note) valid() bool {
	known := n.Protocol == metric.HTTP.String() || n.Protocol == metric.GRPC.String()
	if n.Schema != schema || !known || !validRun(n.Run) || n.Replica < 0 || n.Replica > maxID || n.After <= 0 || time.Duration(n.After) > MaxAfter {
		return false
	}
	if n.By != "" {
		return validName(n.By) && len(n.Epochs) == 0
	}
	for _, e := range n.Epochs {
		if e.Stores > maxNumber || e.Metadata > maxNumber {
			return false
		}
	}
	return !n.Sweeping && len(n.Epochs) <= maxEpochs
}

func validRun(run string) bool {
	return len(run) == 8 && strings.Trim(run, "0123456789abcdef") == ""
}

func validName(name string) bool {
	run, replica, _ := strings.Cut(name, "-")
	n, err := strconv.Atoi(replica)
	return err == nil && n >= 0 && n <= maxID && validRun(run) && name == nameOf(run, n)
}

// owns says whether a key is one that the run makes, of that kind.
func (n *note) owns(key string, kind byte) bool {
	rest, found := strings.CutPrefix(key, "soak-"+n.Run+"-")
	epoch, rest, _ := strings.Cut(rest, "-")
	_, last, _ := strings.Cut(rest, "-")
	e, err1 := strconv.Atoi(epoch)
	if !found || err1 != nil || e < 0 || last == "" {
		return false
	}
	number, err2 := strconv.ParseUint(last[1:], 10, 64)
	return err2 == nil && key == ledger.Identity{Run: n.Run, Epoch: e, Replica: n.Replica}.Key(kind, number)
}

// block returns at most size keys that follow the first at objects that the run
// may have: stores before metadata, all of one kind; none: there are no more.
func (n *note) block(at, size uint64) (kind byte, keys []string) {
	for _, kind := range letters {
		for epoch := range n.Epochs {
			upTo := *n.Epochs[epoch].of(kind)
			if at >= upTo {
				at -= upTo
				continue
			}
			id := ledger.Identity{Run: n.Run, Epoch: epoch, Replica: n.Replica}
			for number := at + 1; number <= min(upTo, at+size); number++ {
				keys = append(keys, id.Key(kind, number))
			}
			return kind, keys
		}
	}
	return 0, nil
}
