package aws

// Account is what an account owns, and the prices of its region. The zero value
// is an account that owns nothing.
type Account struct {
	ID     string // 12 digits
	Region string

	Tables            []Table
	Buckets           []Bucket
	CacheClusters     []CacheCluster
	ReplicationGroups []ReplicationGroup
	ServerlessCaches  []ServerlessCache
	Instances         []Instance
	SpotPrices        []SpotPrice
	Products          []Product
}

// Table is a DynamoDB table.
type Table struct {
	Name       string
	Status     string // "ACTIVE" if empty
	OnDemand   bool
	Class      string // "STANDARD" and so on; empty: DynamoDB does not say
	SizeBytes  int64
	Items      int64
	ReadUnits  int64 // provisioned, a second
	WriteUnits int64
	Indexes    []Index
}

// Index is a global secondary index of a table.
type Index struct {
	Name       string
	SizeBytes  int64
	Items      int64
	ReadUnits  int64 // provisioned, a second
	WriteUnits int64
}

// Bucket is an S3 bucket.
type Bucket struct {
	Name                  string
	MetricsConfigurations []MetricsConfiguration
}

// MetricsConfiguration makes S3 publish request metrics, with ID as FilterId.
type MetricsConfiguration struct {
	ID     string
	Prefix string // of the keys that it covers; empty: the whole bucket
}

// CacheCluster is an ElastiCache cluster of nodes.
type CacheCluster struct {
	ID               string
	Engine           string // "redis", "valkey"
	EngineVersion    string
	NodeType         string   // such as "cache.t4g.small"
	ReplicationGroup string   // that the cluster is a member of, or empty
	Nodes            []string // ids, such as "0001"
}

// ReplicationGroup is an ElastiCache replication group of one shard.
type ReplicationGroup struct {
	ID      string
	Members []string // ids of cache clusters, the primary first
}

// ServerlessCache is a serverless ElastiCache cache.
type ServerlessCache struct {
	Name   string
	Engine string // "redis", "valkey"
}

// Instance is a running EC2 instance.
type Instance struct {
	ID             string
	Type           string // such as "t3.medium"
	PrivateDNSName string
	Zone           string
	Spot           bool
	Credits        string // "standard" or "unlimited"; empty: the type is not burstable
	Tags           map[string]string
}

// SpotPrice is the newest price of Linux spot instances of a type in a zone.
type SpotPrice struct {
	Type string
	Zone string
	USD  float64 // an hour
}

// Product is a row of the public price list.
type Product struct {
	Service    string // its code, such as "AmazonDynamoDB"
	Family     string // productFamily; some products have none
	Attributes map[string]string
	Unit       string
	Tiers      []Tier
}

// Tier is the price of a range of usage.
type Tier struct {
	Begin string // in the product's unit, "0" in the first tier
	End   string // "Inf" in the last tier
	USD   float64
}
