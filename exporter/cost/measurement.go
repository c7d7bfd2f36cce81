package cost

import "time"

// Measurement is what a deployment consists of, and what it consumed from Start
// to End, as AWS tells it. NaN is what AWS does not tell, in any of its numbers.
type Measurement struct {
	Start, End    time.Time
	Cluster       bool      // an EKS cluster is watched
	Nodes         []Node    // of the cluster; empty: unknown
	Tables        []Table   // each table, and each of its indexes apart
	Calls         float64   // successful ones to all tables, from Start to End
	S3            *Requests // nil: the bucket has no request metrics
	StoredBytes   float64   // in the bucket
	Caches        []Cache
	PolledPerHour float64 // billed metrics an hour that GetMetricData is asked for
}

// Node is a machine of the cluster.
type Node struct {
	InstanceType string  // for example "t3.medium"
	SpotUSD      float64 // what an hour costs on the spot market, NaN: unknown; 0: on demand
}

// Table is a table of DynamoDB, or an index of one.
type Table struct {
	ReadUnits, WriteUnits       float64 // consumed from Start to End
	Provisioned                 bool
	ReadCapacity, WriteCapacity float64 // provisioned, units a second
	StoredBytes                 float64
}

// Requests are those to a bucket from Start to End, by the tier of their price.
type Requests struct {
	Tier1 float64 // PUT, COPY, POST, LIST
	Tier2 float64 // GET, HEAD and others that cost something
}

// Cache is a cache of ElastiCache, of nodes or serverless.
type Cache struct {
	Engine      string // for example "redis" or "valkey"
	NodeType    string // for example "cache.t4g.small"
	Nodes       int    // how many of that type; of a serverless cache 0
	Serverless  bool
	ECPUs       float64 // processing units that a serverless cache consumed from Start to End
	StoredBytes float64 // in a serverless cache
}
