// Package sandbox is an Open Saves server in memory, honest enough that a client
// cannot tell: the REST surface of the AWS port (https://github.com/timjbruce/open-saves-aws)
// and the gRPC surface of the upstream service (https://github.com/googleforgames/open-saves)
// over one database. It misbehaves when asked to. Nothing is kept on disk.
package sandbox

import (
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves/sandbox/aws"
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

	// Region is that of an AWS account in memory whose numbers are made of the
	// requests: the stock deployment on DynamoDB. Default: there is no account.
	Region string

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
	open     connections
	counts   [metric.Operations]atomic.Int64
	secret   []byte // signs the addresses of chunks
	meter    aws.Meter
	cloud    *aws.Cloud     // nil: none
	publish  *aws.Publisher // nil: none
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
	s := &Sandbox{config: c, database: newDatabase(c.Backend), secret: []byte(uuid.NewString())}
	s.open.meter = &s.meter
	if c.Region != "" {
		s.cloud = aws.New(aws.Stock(c.Region))
		s.publish = aws.NewPublisher(s.cloud, &s.meter, s.database.holdings)
		s.database.unread = newTable[uint64, int]()
	}
	return s
}

// AWS returns the account in memory, nil without Config.Region.
func (s *Sandbox) AWS() *aws.Cloud { return s.cloud }

// SetFaults replaces all faults. They must be valid.
func (s *Sandbox) SetFaults(f fault.Faults) {
	plan := fault.NewPlan(f, s.config.Seed, time.Now())
	old := s.plan.Swap(plan)
	if old.CacheTTL() != time.Duration(f.CacheTTL) { // what is in the cache was lent under the TTL of before
		s.database.records.clear()
		s.database.stores.clear()
	}
	if old.ReadLag() != plan.ReadLag() {
		s.database.past.clear()
	}
	s.restartUnder(plan)
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
