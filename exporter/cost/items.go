package cost

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// The items that have one price in a region.
const (
	writeUnit       = "dynamodb_write_unit"
	readUnit        = "dynamodb_read_unit"
	writeCapacity   = "dynamodb_write_capacity_hour"
	readCapacity    = "dynamodb_read_capacity_hour"
	tableStorage    = "dynamodb_storage_gb_month"
	tier1Request    = "s3_tier1_request"
	tier2Request    = "s3_tier2_request"
	blobStorage     = "s3_storage_gb_month"
	clusterHour     = "eks_cluster_hour"
	natGateway      = "nat_gateway_hour"
	loadBalancer    = "classic_load_balancer_hour"
	webACL          = "waf_web_acl_month"
	wafRule         = "waf_rule_month"
	requestedMetric = "cloudwatch_metric_requested"
)

// The items that have a price for each type of machine, or for each engine.
const (
	instancePrefix = "ec2_hour."
	nodePrefix     = "elasticache_node_hour."
	storagePrefix  = "elasticache_serverless_gb_hour."
	ecpuPrefix     = "elasticache_serverless_ecpu."
)

func ec2Item(instanceType string) string { return instancePrefix + instanceType }

func nodeItem(engine, nodeType string) string { return nodePrefix + engine + "." + nodeType }

func storageItem(engine string) string { return storagePrefix + engine }

func ecpuItem(engine string) string { return ecpuPrefix + engine }

// Values of the label "unit" that several items share.
const (
	unitHour    = "hour"
	unitMonth   = "month"
	unitRequest = "request"
	unitGBMonth = "gb_month"
)

// Attributes of products that several items are found by.
const (
	familyField    = "productFamily"
	operationField = "operation"
)

// item is something that AWS has a price for. Every price is that of one unit:
// one request, not a thousand of them.
type item struct {
	name    string
	unit    string    // the value of the label "unit"
	usd     float64   // built-in price; 0: there is none
	asOf    time.Time // when that was the list price in us-east-1
	listing listing
}

// listing is how the Price List calls an item. Its prices are of one unit too.
type listing struct {
	service string
	filters []attribute // besides the region
	usage   string      // type of usage, without the prefix that stands for the region
}

// attribute is one of a product, and its value.
type attribute struct{ field, value string }

// common are the items that every deployment has; built-in prices are those that
// AWS publishes (https://aws.amazon.com/pricing/).
var common = []item{
	{writeUnit, "write_request_unit", 0.625 / 1e6, month(2024, 11), dynamoDB("Amazon DynamoDB PayPerRequest Throughput", "DDB-WriteUnits", "WriteRequestUnits")},
	{readUnit, "read_request_unit", 0.125 / 1e6, month(2024, 11), dynamoDB("Amazon DynamoDB PayPerRequest Throughput", "DDB-ReadUnits", "ReadRequestUnits")},
	{writeCapacity, "write_capacity_unit_hour", 0.00065, month(2024, 11), dynamoDB("Provisioned IOPS", "DDB-WriteUnits", "WriteCapacityUnit-Hrs")},
	{readCapacity, "read_capacity_unit_hour", 0.00013, month(2024, 11), dynamoDB("Provisioned IOPS", "DDB-ReadUnits", "ReadCapacityUnit-Hrs")},
	{tableStorage, unitGBMonth, 0.25, month(2024, 11), listing{"AmazonDynamoDB", []attribute{{familyField, "Database Storage"}}, "TimedStorage-ByteHrs"}},
	{tier1Request, unitRequest, 0.005 / 1e3, month(2026, 9), listing{"AmazonS3", []attribute{{familyField, "API Request"}}, "Requests-Tier1"}},
	{tier2Request, unitRequest, 0.0004 / 1e3, month(2026, 9), listing{"AmazonS3", []attribute{{familyField, "API Request"}}, "Requests-Tier2"}},
	{blobStorage, unitGBMonth, 0.023, month(2024, 7), listing{"AmazonS3", []attribute{{familyField, "Storage"}, {"volumeType", "Standard"}}, "TimedStorage-ByteHrs"}},
	{clusterHour, unitHour, 0.10, month(2025, 7), listing{"AmazonEKS", []attribute{{familyField, "Compute"}}, "AmazonEKS-Hours:perCluster"}},
	{natGateway, unitHour, 0.045, month(2024, 7), listing{"AmazonEC2", []attribute{{familyField, "NAT Gateway"}, {operationField, "NatGateway"}}, "NatGateway-Hours"}},
	{loadBalancer, unitHour, 0.025, month(2024, 1), listing{"AWSELB", []attribute{{familyField, "Load Balancer"}}, "LoadBalancerUsage"}},
	{webACL, unitMonth, 5, month(2024, 1), listing{"awswaf", nil, "WebACLV2"}},
	{wafRule, unitMonth, 1, month(2024, 1), listing{"awswaf", nil, "RuleV2"}},
	{requestedMetric, "metric", 0.01 / 1e3, month(2026, 9), listing{"AmazonCloudWatch", []attribute{{familyField, "API Request"}}, "CW:GMD-Metrics"}},
}

// serverless are the items of caches that are no machines.
var serverless = []item{
	{storageItem("redis"), "gb_hour", 0.125, month(2026, 6), serverlessCache("CachedData:Redis")},
	{storageItem("valkey"), "gb_hour", 0.084, month(2026, 6), serverlessCache("CachedData:Valkey")},
	{ecpuItem("redis"), "ecpu", 0.0034 / 1e6, month(2026, 6), serverlessCache("ElastiCacheProcessingUnits:Redis")},
	{ecpuItem("valkey"), "ecpu", 0.0023 / 1e6, month(2026, 6), serverlessCache("ElastiCacheProcessingUnits:Valkey")},
}

// machines are the built-in prices of an hour of a machine.
var machines = map[string]float64{
	ec2Item("t3.medium"): 0.0416, ec2Item("t3.large"): 0.0832, ec2Item("t4g.medium"): 0.0336, ec2Item("t4g.large"): 0.0672,

	nodeItem("redis", "cache.t4g.micro"): 0.016, nodeItem("redis", "cache.t4g.small"): 0.032,
	nodeItem("redis", "cache.t4g.medium"): 0.065, nodeItem("redis", "cache.m7g.large"): 0.158,
	nodeItem("redis", "cache.r7g.large"):  0.219,
	nodeItem("valkey", "cache.t4g.small"): 0.0256, nodeItem("valkey", "cache.t4g.medium"): 0.052,
	nodeItem("valkey", "cache.m7g.large"): 0.1264, nodeItem("valkey", "cache.r7g.large"): 0.1752,
}

var (
	instanceAsOf = month(2026, 1)
	nodeAsOf     = month(2026, 10)
	engines      = map[string]string{"redis": "Redis", "valkey": "Valkey"} // as the Price List writes them
	instanceType = regexp.MustCompile(`^[a-z0-9-]{2,20}\.[a-z0-9-]{2,20}$`)
)

func month(year int, m time.Month) time.Time { return time.Date(year, m, 1, 0, 0, 0, 0, time.UTC) }

func dynamoDB(family, group, usage string) listing {
	return listing{"AmazonDynamoDB", []attribute{{familyField, family}, {"group", group}}, usage}
}

func serverlessCache(usage string) listing {
	return listing{"AmazonElastiCache", []attribute{{operationField, "CreateServerlessCache"}}, usage}
}

// itemOf returns the item of a name, and whether there is one. A machine is one
// of any type that is written as AWS writes types.
func itemOf(name string) (item, bool) {
	for _, i := range slices.Concat(common, serverless) {
		if i.name == name {
			return i, true
		}
	}
	found := item{name: name, unit: unitHour, usd: machines[name], asOf: instanceAsOf}
	if instance, ok := strings.CutPrefix(name, instancePrefix); ok {
		found.listing = instanceListing(instance)
		return found, instanceType.MatchString(instance)
	}
	machine, ok := strings.CutPrefix(name, nodePrefix)
	engine, node, _ := strings.Cut(machine, ".")
	short, cached := strings.CutPrefix(node, "cache.")
	found.asOf, found.listing = nodeAsOf, nodeListing(engines[engine], node)
	return found, ok && cached && engines[engine] != "" && instanceType.MatchString(short)
}

func instanceListing(instance string) listing {
	return listing{"AmazonEC2", []attribute{
		{familyField, "Compute Instance"},
		{"instanceType", instance},
		{"operatingSystem", "Linux"},
		{"tenancy", "Shared"},
		{"preInstalledSw", "NA"},
		{"capacitystatus", "Used"},
	}, "BoxUsage:" + instance}
}

func nodeListing(engine, node string) listing {
	return listing{"AmazonElastiCache", []attribute{
		{familyField, "Cache Instance"},
		{"instanceType", node},
		{"cacheEngine", engine},
		{"locationType", "AWS Region"},
	}, "NodeUsage:" + node}
}

// itemNames are those of items, and how those of machines are written.
func itemNames() string {
	var names []string
	for _, i := range slices.Concat(common, serverless) {
		names = append(names, i.name)
	}
	return strings.Join(append(names, ec2Item("<instance type>"), nodeItem("<redis or valkey>", "<node type>")), ", ")
}
