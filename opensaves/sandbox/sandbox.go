// Package sandbox is an Open Saves server in memory, honest enough that a client
// cannot tell: the REST surface of the AWS port (https://github.com/timjbruce/open-saves-aws)
// and the gRPC surface of the upstream service (https://github.com/googleforgames/open-saves)
// over one database. It misbehaves when asked to. Nothing is kept on disk.
package sandbox

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves/sandbox/fault"
)

// Backend is the database whose ways the REST surface has.
type Backend string

// The backends of the AWS port.
const (
	DynamoDB   Backend = "dynamodb"
	DocumentDB Backend = "documentdb"
)

// Config is how a sandbox is made; the zero value is usable.
type Config struct {
	Backend Backend // default: DynamoDB
	Seed    uint64  // of the faults' draws; 0: another one each time
	MaxBody int64   // longest request body on REST and longest blob on gRPC, in bytes; default 64 MiB

	// Guard wraps the control API that Serve offers, for those who must ask
	// who calls. Default: nobody asks.
	Guard func(http.Handler) http.Handler
}

const defaultMaxBody = 64 << 20

// Sandbox is the server. It is safe for concurrent use.
type Sandbox struct {
	config   Config
	database *database
	plan     atomic.Pointer[fault.Plan]
	counts   [metric.Operations]atomic.Int64
	secret   []byte // signs the addresses of chunks
}

// New returns an empty server without faults.
func New(c Config) *Sandbox {
	if c.Backend == "" {
		c.Backend = DynamoDB
	}
	if c.Seed == 0 {
		c.Seed = rand.Uint64()
	}
	if c.MaxBody == 0 {
		c.MaxBody = defaultMaxBody
	}
	return &Sandbox{config: c, database: newDatabase(c.Backend), secret: []byte(uuid.NewString())}
}

// SetFaults replaces all faults. They must be valid.
func (s *Sandbox) SetFaults(f fault.Faults) {
	old := s.plan.Swap(fault.NewPlan(f, s.config.Seed, time.Now()))
	if old.CacheTTL() != time.Duration(f.CacheTTL) { // what is in the cache was lent under the TTL of before
		s.database.records.clear()
		s.database.stores.clear()
	}
}

// Faults returns those in force.
func (s *Sandbox) Faults() fault.Faults { return s.plan.Load().Faults() }

// Requests returns how many requests of each operation came in; operations that
// never did are left out.
func (s *Sandbox) Requests() map[string]int64 {
	counts := map[string]int64{}
	for op := range s.counts {
		if n := s.counts[op].Load(); n > 0 {
			counts[metric.Operation(op).String()] = n
		}
	}
	return counts
}

// arrive counts a request and holds it up as the faults say.
func (s *Sandbox) arrive(ctx context.Context, op metric.Operation) error {
	s.counts[op].Add(1)
	return s.plan.Load().Arrive(ctx)
}

// call is what the faults need to know of a request.
type call struct {
	op       metric.Operation
	touches  fault.Component
	refusals []error // what each call to the database, in turn, is answered with when it is throttled
	hint     hint
	cache    bool
}

// injected is an answer that only a fault made.
type injected metric.Code

func (e injected) Error() string { return "injected fault: " + metric.Code(e).String() }

// run lets a request have its effect, and lets the faults have theirs.
func run[T any](ctx context.Context, s *Sandbox, c *call, effect func(manner) (T, error)) (T, error) {
	plan := s.plan.Load()
	how := manner{now: time.Now(), plan: plan, hint: c.hint, cache: c.cache}
	if plan == nil {
		return effect(how)
	}
	var none T
	code, applied, refused := plan.Refused()
	if refused && !applied {
		return none, injected(code)
	}
	if err := obstruct(ctx, c, plan); err != nil {
		return none, err
	}
	how.now, how.lie = time.Now(), plan.Lie(c.op)
	if writes(c.op) {
		if by, late := plan.Late(); late {
			return none, postpone(ctx, by, how, effect)
		}
	}
	answer, err := effect(how)
	switch {
	case refused:
		return none, injected(code)
	case err == nil && how.lie == fault.PhantomWrite:
		return none, injected(metric.InvalidArgument)
	}
	return answer, err
}

// obstruct is what a busy or throttling component does to a request.
func obstruct(ctx context.Context, c *call, plan *fault.Plan) error {
	if err := plan.Queue(ctx, c.touches); err != nil {
		return err
	}
	for _, refusal := range c.refusals {
		if plan.Throttled() {
			return refusal
		}
	}
	return nil
}

// postpone lets an effect happen later and leaves the caller without an answer.
func postpone[T any](ctx context.Context, by time.Duration, how manner, effect func(manner) (T, error)) error {
	time.AfterFunc(by, func() {
		how.now = time.Now()
		_, _ = effect(how) // nobody is there to be told
	})
	<-ctx.Done()
	return ctx.Err()
}

// writes says whether an operation changes anything.
func writes(op metric.Operation) bool {
	switch op {
	case metric.CreateBlob, metric.CreateChunkedBlob, metric.UploadChunk, metric.CommitChunkedUpload, metric.AbortChunkedUpload:
		return true
	}
	return op.Class(0) == metric.Write
}
