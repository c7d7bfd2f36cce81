package cloudwatch

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// The values of the key timestamps.
const (
	Auto   = "auto" // CloudWatch's own where they are fresh enough for Prometheus
	Never  = "never"
	Always = "always"
)

// Config is the section "cloudwatch" of the configuration file.
type Config struct {
	Region        string         `yaml:"region" help:"AWS region of the target; empty: AWS is not asked"`
	Sandbox       bool           `yaml:"sandbox" help:"ask the embedded sandbox, which makes AWS numbers of its own traffic"`
	RoleARN       string         `yaml:"role_arn" help:"IAM role to take on, of another account"`
	ExternalID    string         `yaml:"external_id" help:"external ID that the role asks for"`
	Timestamps    string         `yaml:"timestamps" help:"whether samples carry CloudWatch's times: auto (where delay + period is at most 4m), never, always"`
	Delay         model.Duration `yaml:"delay" help:"how long after its end a period counts as settled"`
	Lookback      model.Duration `yaml:"lookback" help:"how far back each poll reads again, for values that came late"`
	StaleAfter    model.Duration `yaml:"stale_after" help:"age of a value at which it is dropped; 0s: 5m + delay"`
	MaxUSDPerHour float64        `yaml:"max_usd_per_hour" help:"ceiling of what the polls cost; near it they ask for less, and at it for nothing"`
	MaxPods       int            `yaml:"max_pods" help:"pods that have series of their own"`
	EKS           EKSConfig      `yaml:"eks"`
	DynamoDB      DynamoDBConfig `yaml:"dynamodb"`
	S3            S3Config       `yaml:"s3"`
	Redis         RedisConfig    `yaml:"redis"`
}

// EKSConfig names what runs on EKS.
type EKSConfig struct {
	Cluster   string   `yaml:"cluster" help:"EKS cluster; empty: none"`
	Namespace string   `yaml:"namespace" help:"Kubernetes namespace of the target"`
	Workloads []string `yaml:"workloads" help:"Deployments of the target (of a StatefulSet its pods); [\"*\"]: all of the namespace"`
	Services  []string `yaml:"services" help:"Services of the target"`
}

// DynamoDBConfig names tables by the role they have for Open Saves.
type DynamoDBConfig struct {
	Tables          map[string]string   `yaml:"tables" help:"tables by role: stores, records, metadata"`
	Indexes         map[string][]string `yaml:"indexes" help:"global secondary indexes by their table's role"`
	ThrottleReasons bool                `yaml:"throttle_reasons" help:"tell throttle events by the limit that they met, for 8 billed metrics a table and index"`
}

// S3Config names buckets.
type S3Config struct {
	Buckets []string       `yaml:"buckets" help:"buckets; {account} is the number of the AWS account"`
	Delay   model.Duration `yaml:"delay" help:"how long after its end a period of request metrics counts as settled"`
}

// RedisConfig names caches.
type RedisConfig struct {
	Clusters          []string `yaml:"clusters" help:"ElastiCache clusters"`
	ReplicationGroups []string `yaml:"replication_groups" help:"ElastiCache replication groups"`
	Serverless        []string `yaml:"serverless" help:"ElastiCache serverless caches"`
}

// DefaultConfig returns what holds where the file is silent: the names of the
// stock deployment.
func DefaultConfig() Config {
	return Config{
		Timestamps:    Auto,
		Delay:         model.Duration(3 * time.Minute),
		Lookback:      model.Duration(10 * time.Minute),
		MaxUSDPerHour: 0.25,
		MaxPods:       50,
		EKS: EKSConfig{
			Cluster: "open-saves-cluster", Namespace: "open-saves", Workloads: []string{"open-saves"}, Services: []string{"open-saves"},
		},
		DynamoDB: DynamoDBConfig{
			Tables:  map[string]string{"stores": "open-saves-stores", "records": "open-saves-records", "metadata": "open-saves-metadata"},
			Indexes: map[string][]string{"records": {"OwnerIDIndex", "GameIDIndex"}},
		},
		S3:    S3Config{Buckets: []string{"open-saves-blobs-{account}"}, Delay: model.Duration(5 * time.Minute)},
		Redis: RedisConfig{Clusters: []string{"open-saves-cache"}, ReplicationGroups: []string{}, Serverless: []string{}},
	}
}

// Enabled says whether anything is to be polled.
func (c Config) Enabled() bool { return c.Region != "" || c.Sandbox }

// staleAfter is the age at which a value that settles after delay is dropped.
func (c Config) staleAfter(delay time.Duration) time.Duration {
	if c.StaleAfter > 0 {
		return time.Duration(c.StaleAfter)
	}
	return 5*time.Minute + delay
}

// stamps says whether samples of a period carry CloudWatch's times. By default
// only those do that Prometheus still finds: it looks back five minutes.
func (c Config) stamps(delay, period time.Duration) bool {
	switch c.Timestamps {
	case Always:
		return true
	case Auto:
		return delay+period <= 4*time.Minute
	}
	return false
}

// maxLookback is how far back minutes are read; CloudWatch holds them for 15
// days, but answers older ones more slowly
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html).
const maxLookback = 3 * time.Hour

var (
	region = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-[0-9]+$`)
	role   = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$`)
)

// Validate joins every mistake, each with its path in the file.
func (c Config) Validate() error {
	var m mistakes
	m.want(c.Region == "" || region.MatchString(c.Region), "cloudwatch.region: got %q, want an AWS region such as us-east-1", c.Region)
	m.want(c.RoleARN == "" || role.MatchString(c.RoleARN), "cloudwatch.role_arn: got %q, want arn:aws:iam::ACCOUNT:role/NAME", c.RoleARN)
	m.want(c.ExternalID == "" || c.RoleARN != "", "cloudwatch.external_id: got one without cloudwatch.role_arn, want both")
	m.want(c.RoleARN == "" || !c.Sandbox, "cloudwatch.role_arn: got one with cloudwatch.sandbox, want none")
	m.want(slices.Contains([]string{Auto, Never, Always}, c.Timestamps), "cloudwatch.timestamps: got %q, want auto, never or always", c.Timestamps)
	m.between("cloudwatch.delay", c.Delay, 0, time.Hour)
	m.between("cloudwatch.s3.delay", c.S3.Delay, 0, time.Hour)
	m.between("cloudwatch.lookback", c.Lookback, 2*time.Minute, maxLookback)
	m.between("cloudwatch.stale_after", c.StaleAfter, 0, 24*time.Hour)
	least := max(c.Delay, c.S3.Delay) + model.Duration(2*time.Minute)
	m.want(c.StaleAfter == 0 || c.StaleAfter >= least, "cloudwatch.stale_after: got %s, want 0s or at least the longest delay and 2m, %s", time.Duration(c.StaleAfter), time.Duration(least))
	m.want(c.MaxUSDPerHour > 0 && !math.IsInf(c.MaxUSDPerHour, 0), "cloudwatch.max_usd_per_hour: got %v, want more than 0", c.MaxUSDPerHour)
	m.want(c.MaxPods >= 0, "cloudwatch.max_pods: got %d, want 0 or more", c.MaxPods)
	return errors.Join(append(m, c.validateNames()...)...)
}

// validateNames looks at the names of resources.
func (c Config) validateNames() mistakes {
	var m mistakes
	m.name("cloudwatch.eks.cluster", c.EKS.Cluster, true)
	m.name("cloudwatch.eks.namespace", c.EKS.Namespace, c.EKS.Cluster == "")
	for i, workload := range c.EKS.Workloads {
		if workload != "*" || len(c.EKS.Workloads) > 1 { // the one name that is looked up
			m.name(fmt.Sprintf("cloudwatch.eks.workloads[%d]", i), workload, false)
		}
	}
	m.names("cloudwatch.eks.services", c.EKS.Services)
	owners := map[string]string{}
	for _, of := range slices.Sorted(maps.Keys(c.DynamoDB.Tables)) {
		m.want(operations[of] != nil, "cloudwatch.dynamodb.tables.%s: got an unknown role, want stores, records or metadata", of)
		m.name("cloudwatch.dynamodb.tables."+of, c.DynamoDB.Tables[of], false)
		m.want(owners[c.DynamoDB.Tables[of]] == "", "cloudwatch.dynamodb.tables.%s: got the table of %s, want another", of, owners[c.DynamoDB.Tables[of]])
		owners[c.DynamoDB.Tables[of]] = of
	}
	for _, of := range slices.Sorted(maps.Keys(c.DynamoDB.Indexes)) {
		m.want(c.DynamoDB.Tables[of] != "", "cloudwatch.dynamodb.indexes.%s: got indexes of a role without a table, want one in cloudwatch.dynamodb.tables", of)
		m.names("cloudwatch.dynamodb.indexes."+of, c.DynamoDB.Indexes[of])
	}
	m.names("cloudwatch.s3.buckets", c.S3.Buckets)
	m.names("cloudwatch.redis.clusters", c.Redis.Clusters)
	m.names("cloudwatch.redis.replication_groups", c.Redis.ReplicationGroups)
	m.names("cloudwatch.redis.serverless", c.Redis.Serverless)
	return m
}

// mistakes are what is wrong with a configuration.
type mistakes []error

func (m *mistakes) want(ok bool, format string, args ...any) {
	if !ok {
		*m = append(*m, fmt.Errorf(format, args...))
	}
}

func (m *mistakes) between(path string, got model.Duration, least, most time.Duration) {
	d := time.Duration(got)
	m.want(least <= d && d <= most && d%time.Minute == 0, "%s: got %s, want whole minutes from %s to %s", path, d, least, most)
}

func (m *mistakes) names(path string, names []string) {
	for i, name := range names {
		m.name(fmt.Sprintf("%s[%d]", path, i), name, false)
		m.want(slices.Index(names, name) == i, "%s[%d]: got %q twice, want each once", path, i, name)
	}
}

// name refuses what CloudWatch takes for a dimension but never answers.
func (m *mistakes) name(path, name string, optional bool) {
	m.want(optional || name != "", "%s: got nothing, want a name", path)
	m.want(!strings.Contains(name, "*"), "%s: got %q, want a name without *: only cloudwatch.eks.workloads: [\"*\"] is looked up", path, name)
	m.want(len(name) <= 255, "%s: got %d bytes, want at most 255", path, len(name))
}
