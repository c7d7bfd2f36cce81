package ledger

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// intent is one version that was written, or tried.
type intent struct {
	version  uint32
	absent   bool // it is a deletion
	rejected bool
	acked    bool
	at       time.Duration // of the acknowledgement
}

// kept is how many of the latest intents an object remembers. A read that is
// still under way when so many newer writes are over is judged by bounds alone.
const kept = 4

// Object is one thing on the target that has versions: a store, a record, a
// blob, a metadata entry. Versions count from 1; 0 is its absence before it was
// created, and a deletion takes a version too. All times are since an origin
// that the caller keeps to.
type Object struct {
	Number uint64
	Key    string
	Parent *Object // a record's store, a blob's record

	// What the owner of the lock may change.
	Counter  int64     // the value that atomic operations should find
	Counted  bool      // it is known
	Children int       // blobs that the target has, or may have
	Blob     *Object   // where a record has one blob: that
	Parts    []*Object // of a chunked blob

	// The same, but anybody may look.
	Size  atomic.Int64 // bytes of a blob, or of what may be there of it; 0: there is none
	Count atomic.Int32 // of a chunked blob: parts that it had last

	Lasting  bool        // it is never deleted while the run lives
	Former   bool        // it is of an earlier start of the run
	Shadowed atomic.Bool // a self-test uses it: nobody may write it

	read  atomic.Bool // since its last write
	slots [places]int // in its sets

	mu       sync.Mutex
	locked   bool
	frozen   bool
	blurred  bool // it was frozen by what no version shows
	acked    uint32
	intended uint32
	seen     uint32 // the highest version a read has shown
	settled  uint32 // the highest version whose acknowledgement a read past the caches has borne out
	suspect  bool
	holds    int    // suspicions about it and about what belongs to it
	accused  uint16 // kinds of violation, by bit
	lasting  bool   // among the writes that are forgotten is no deletion
	disk     durable
	quiet    time.Duration // when the last write ended
	intents  [kept]intent
}

// NewObject makes an object that does not exist yet, locked for its creation.
func NewObject(number uint64, key string, parent *Object) *Object {
	return &Object{Number: number, Key: key, Parent: parent, locked: true}
}

// The letters of keys, by the kind of object.
const (
	Store    = 's'
	Record   = 'r'
	Metadata = 'm'
	Blob     = 'b'
	Chunked  = 'c' // a blob in parts
	Part     = 'p'
)

// Letter is the kind of the object, as its key tells.
func (o *Object) Letter() byte {
	if at := strings.LastIndexByte(o.Key, '-') + 1; at < len(o.Key) {
		return o.Key[at]
	}
	return 0
}

// Guard is the object whose lock guards this one: a record guards its blobs and
// their parts.
func (o *Object) Guard() *Object {
	for o.Parent != nil && o.Parent.Parent != nil {
		o = o.Parent
	}
	return o
}

// Deleted says whether the last acknowledged version is a deletion.
func (o *Object) Deleted() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	in := &o.intents[o.acked%kept]
	return in.version == o.acked && in.absent
}

// Unread says whether no read past the caches has borne out the last
// acknowledgement.
func (o *Object) Unread() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.settled < o.acked
}

// Steady says that the object is there, that all is known of it, and that no
// write on it was under way since an instant; and which version it has.
func (o *Object) Steady(since time.Duration) (version uint32, steady bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.acked, o.holds == 0 && o.still(since)
}

// Still is Steady, suspicions apart.
func (o *Object) Still(since time.Duration) (version uint32, still bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.acked, o.still(since)
}

func (o *Object) still(since time.Duration) bool {
	in := &o.intents[o.acked%kept]
	return !o.locked && !o.frozen && o.quiet <= since &&
		o.acked == o.intended && o.acked > 0 && (in.version != o.acked || !in.absent)
}

// Quiet is when the last write on the object, or on what belongs to it, ended.
func (o *Object) Quiet() time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.quiet
}

// Touch notes that a write on what belongs to the object ended.
func (o *Object) Touch(now time.Duration) {
	o.mu.Lock()
	o.quiet = now
	o.mu.Unlock()
}

// Version is the one that was intended last.
func (o *Object) Version() uint32 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.intended
}

// FirstRead says whether nobody has read the object since its last write, and
// counts this as a read.
func (o *Object) FirstRead() bool { return !o.read.Load() && !o.read.Swap(true) }

// Bounds are the versions that a read sent now may show.
func (o *Object) Bounds() (low, high uint32) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.acked, o.intended
}

// Told is the version that every read that begins now shows, or a later one; 0 where
// that is not sure.
func (o *Object) Told() uint32 {
	o.mu.Lock()
	defer o.mu.Unlock()
	last := o.intents[o.acked%kept]
	if o.suspect || o.frozen || last.version != o.acked || last.absent || o.Former {
		return 0
	}
	return o.acked
}

// Present says that the last version intended is acknowledged and no deletion.
func (o *Object) Present() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.acked > 0 && o.acked == o.intended && !o.intents[o.acked%kept].absent
}

// Past tells the object's last writes for the log, the oldest first: version,
// "deletion" where it is one, and how it ended, with the instant of an acknowledgement.
func (o *Object) Past() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var b strings.Builder
	known := slices.SortedFunc(slices.Values(o.intents[:]), func(a, b intent) int { return cmp.Compare(a.version, b.version) })
	for _, in := range known {
		if in.version == 0 {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%d", in.version)
		if in.absent {
			b.WriteString(" deletion")
		}
		switch {
		case in.acked:
			fmt.Fprintf(&b, " acknowledged at %s", in.at.Round(time.Millisecond))
		case in.rejected:
			b.WriteString(" rejected")
		default:
			b.WriteString(" open")
		}
	}
	return b.String()
}
