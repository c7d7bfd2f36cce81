// Package scenario is what players do: which operations come how often, on
// which objects, with what content, and what their answers must show. It
// prepares calls and settles them; it sends nothing and has no clock. All times
// are since an origin that the caller keeps to.
package scenario

import (
	"hash/crc32"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/load/ledger/store"
)

// Config is what a world is made of.
type Config struct {
	Data     DataConfig
	Verify   ledger.Config
	Protocol metric.Protocol
	Identity ledger.Identity
	Backend  string // REST: opensaves.DynamoDB or DocumentDB
	Shared   bool   // other replicas read our records, and find hints in them

	Store *store.Store  // the ledger on disk; nil: there is none
	Start time.Duration // now

	OnViolation func(Violation) // is told of each wrong answer; nil: nobody is
}

// World is the working set: the objects that the tester keeps on the target.
// It is safe for concurrent use, and requests do not meet in it.
type World struct {
	Config
	strong       bool
	quiet        time.Duration // REST: between writes that rewrite a record
	content      *content
	mix          atomic.Pointer[Mix]
	metadataType string
	recordPrefix string // of the keys of records
	blobPrefix   string // of the names of blobs

	stores   []*ledger.Object // that hold the records; never deleted
	extra    *ledger.Set      // stores that come and go
	records  *ledger.Set
	metadata *ledger.Set
	blobs    [2]*ledger.Set // small, large
	chunked  *ledger.Set
	sessions sessions

	rising, falling lane[total] // counters that arrivals share
	registers       lane[register]
	contests        lane[contest]
	shelves         []*ledger.Set     // the records again, by store
	known           *ledger.Directory // records by number, those included that were deleted lately
	graves          graves
	unread          [metric.Operations]*ledger.Queue // acknowledged writes to be read, by the operation that does
	fresh           *ledger.Queue                    // gRPC: records that were just written
	recent          atomic.Pointer[ledger.Object]    // a record that was just written, to be read soon: a cache that was not invalidated shows then

	registered Registered
	numbers    [128]numbers // by kind of key
	former     former
	dooms      [metric.Operations]*ledger.Queue // objects that a deletion is to be sent for, by its operation
	creating   atomic.Int64                     // records under way
	cohort     atomic.Int64                     // records that are never deleted
	frozen     atomic.Int64                     // records among records
	blobBytes  atomic.Int64                     // of blobs, and of uploads in chunks that are in progress
	warmed     atomic.Bool
	held       atomic.Bool // uploads, by a guard
	uploads    budget
	largest    int64        // blob of the mix, in bytes
	lookAgain  atomic.Int64 // for a record that may get a blob, not before
	abandoned  atomic.Uint64
	superseded atomic.Uint64
	late       atomic.Uint64
	inquiries  inquiries
	peers      peers
	shadows    shadows
	well       well
	supplied   atomic.Int64 // when an arrival last read an acknowledged write
	uncertain  sync.Mutex   // guards doubts
	doubts     []doubt
	blobWrites atomic.Bool // REST: the mix writes blobs, which keeps some records from updates
}

// NewWorld makes an empty world with a mix.
func NewWorld(c Config, mix *Mix) (*World, error) {
	shapes, err := newContent(c.Data, c.Identity.Run)
	if err != nil {
		return nil, err
	}
	w := &World{
		Config: c, content: shapes, metadataType: "soak-" + c.Identity.Run,
		strong:   c.Verify.Consistency == ledger.Strong,
		extra:    ledger.NewSet(2*c.Data.Stores + slack),
		records:  ledger.NewSet(2*c.Data.Records + slack), // the frozen ones too
		metadata: ledger.NewSet(2*c.metadata() + slack),
		chunked:  ledger.NewSet(2*c.Data.Records + slack),
		blobs:    [2]*ledger.Set{ledger.NewSet(blobsARecord * c.Data.Records), ledger.NewSet(blobsARecord * c.Data.Records)},
		uploads:  budget{perSecond: float64(c.Data.MaxBlobWriteRate)},
	}
	w.rising.places, w.falling.places = make([]atomic.Pointer[total], totals), make([]atomic.Pointer[total], totals)
	w.registers.places = make([]atomic.Pointer[register], registers)
	w.contests.places = make([]atomic.Pointer[contest], contests)
	for _, size := range c.Data.BlobSizes.Sizes() {
		w.largest = max(w.largest, int64(size))
	}
	if c.Protocol == metric.HTTP {
		w.quiet = time.Duration(c.Verify.BlobQuiet)
	}
	for _, op := range [...]metric.Operation{metric.DeleteStore, metric.DeleteRecord, metric.DeleteMetadata, metric.DeleteBlob} {
		w.dooms[op] = ledger.NewQueue(unreadRoom)
	}
	for range c.Data.Stores {
		number, key := w.name(ledger.Store)
		w.stores = append(w.stores, ledger.NewObject(number, key, nil))
		w.shelves = append(w.shelves, ledger.NewSubset(4*c.Data.Records/c.Data.Stores+slack))
	}
	w.known = ledger.NewDirectory()
	for _, letter := range [...]byte{ledger.Store, ledger.Record, ledger.Metadata, ledger.Blob, ledger.Part} {
		w.unread[w.unreadBy(letter)] = ledger.NewQueue(unreadRoom)
	}
	if c.Protocol == metric.GRPC {
		w.fresh = ledger.NewQueue(unreadRoom)
	}
	w.blobPrefix = strings.TrimSuffix(c.Identity.Key(ledger.Blob, 0), "0")
	w.recordPrefix = strings.TrimSuffix(c.Identity.Key(ledger.Record, 0), "0")
	w.SetMix(mix)
	if err := w.restore(c.Start); err != nil {
		return nil, err
	}
	return w, nil
}

// slack is room for objects whose creation was under way when a set was full.
const slack = 1 << 10

// metadata is how many metadata entries there are to be.
func (c Config) metadata() int { return max(100, c.Data.Records/10) }

// SetMix changes what arrivals do from now on.
func (w *World) SetMix(m *Mix) {
	w.mix.Store(m)
	w.blobWrites.Store(m.Share(metric.CreateBlob) > m.apart[metric.CreateBlob] || m.Has(metric.DeleteBlob))
}

// Mix is what arrivals do.
func (w *World) Mix() *Mix { return w.mix.Load() }

// Hold turns uploads into reads as long as held is true.
func (w *World) Hold(held bool) { w.held.Store(held) }

// WarmedUp says whether the working set has been nine tenths full once.
func (w *World) WarmedUp() bool {
	if !w.warmed.Load() && w.live() >= w.enough() {
		w.warmed.Store(true)
	}
	return w.warmed.Load()
}

func (w *World) live() int {
	return w.records.Len() - int(w.frozen.Load()) + int(w.former.records.Load())
}

// enough is how many records make the working set warm.
func (w *World) enough() int { return (w.Data.Records*9 + 9) / 10 }

// Abandoned is how many records were given up before their fate was known.
func (w *World) Abandoned() float64 { return float64(w.abandoned.Load()) }

// Superseded is how many acknowledged writes were overwritten before anybody had
// read them.
func (w *World) Superseded() float64 { return float64(w.superseded.Load()) }

// Late is how often content showed under a key that was given up.
func (w *World) Late() float64 { return float64(w.late.Load()) }

// shelf holds the records of a record's store.
func (w *World) shelf(o *ledger.Object) *ledger.Set {
	return w.shelves[o.Number%uint64(len(w.shelves))]
}

// Objects returns how many objects of each kind there are, and for blobs how
// many bytes they hold.
func (w *World) Objects() (counts map[string]int, blobBytes int64) {
	return map[string]int{
		"store":    len(w.stores) + w.extra.Len(),
		"record":   w.live(),
		"frozen":   int(w.frozen.Load()),
		"metadata": w.metadata.Len(),
		"blob":     w.blobs[0].Len() + w.blobs[1].Len() + w.chunked.Len(),
		"session":  w.sessions.len(),
	}, w.blobBytes.Load()
}

// name returns the next number and key of a kind.
func (w *World) name(kind byte) (uint64, string) {
	number := w.numbers[kind].next.Add(1)
	return number, w.Identity.Key(kind, number)
}

// rank draws where in a set to look, by the skew or by the hot set.
func (w *World) rank(t *Task, set *ledger.Set) int {
	n := set.Len()
	if n == 0 {
		return 0
	}
	if !t.Drawn.Hot {
		return zipf(t.rand, w.Data.Skew, n)
	}
	hot := max(1, int(w.Data.HotKeys*float64(n)))
	if hot == n || t.rand.Float64() < w.Data.HotReads {
		return t.rand.IntN(hot)
	}
	return hot + t.rand.IntN(n-hot)
}

// pick draws an object of a set, whatever its state; nil from an empty one.
func (w *World) pick(t *Task, set *ledger.Set) *ledger.Object {
	return set.From(w.rank(t, set), anyObject)
}

// lock draws an object of a set and takes its lock, or that of the next free one.
func (w *World) lock(t *Task, set *ledger.Set) *ledger.Object {
	return set.From(w.rank(t, set), w.tryLock)
}

func anyObject(*ledger.Object) bool { return true }

// has turns an arrival into an operation if the mix has it, else into another.
func (w *World) has(op, otherwise metric.Operation) metric.Operation {
	if w.mix.Load().Has(op) {
		return op
	}
	return otherwise
}

// store is what a store shows of itself beside its key.
func (c *content) store(o *ledger.Object) (name, owner string, tags []string) {
	shape := c.shapes.stores[ledger.Hash(o.Number, 0)%uint64(len(c.shapes.stores))]
	return shape.name + " " + o.Key, c.owner(o), shape.tags
}

// nameSum is what the disk knows a store's name by.
func (c *content) nameSum(o *ledger.Object) int64 {
	name, _, _ := c.store(o)
	return int64(crc32.ChecksumIEEE([]byte(name)))
}

// budget lets so many bytes a second through. An upload may begin while less
// than a second's worth is not yet paid for, whatever its size: small and large
// ones have the same chance.
type budget struct {
	perSecond float64

	mu   sync.Mutex
	debt float64 // bytes not yet paid for
	at   time.Duration
}

// take reports whether an upload of so many bytes may start at instant now.
func (b *budget) take(size int64, now time.Duration) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now > b.at {
		b.debt = max(0, b.debt-(now-b.at).Seconds()*b.perSecond)
		b.at = now
	}
	if b.debt >= b.perSecond {
		return false
	}
	b.debt += float64(size)
	return true
}
