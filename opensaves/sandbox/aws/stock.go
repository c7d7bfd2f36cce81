package aws

import "fmt"

// Stock returns an account that holds the stock deployment of Open Saves in a
// region, such as "us-east-1", and the list prices of what that costs.
func Stock(region string) Account {
	const id = "123456789012"
	return Account{
		ID: id, Region: region,
		Tables: []Table{
			{Name: "open-saves-stores", OnDemand: true},
			{Name: "open-saves-records", OnDemand: true, Indexes: []Index{{Name: "OwnerIDIndex"}, {Name: "GameIDIndex"}}},
			{Name: "open-saves-metadata", OnDemand: true},
		},
		Buckets: []Bucket{{
			Name: "open-saves-blobs-" + id, MetricsConfigurations: []MetricsConfiguration{{ID: "EntireBucket"}},
		}},
		CacheClusters: []CacheCluster{{
			ID: "open-saves-cache", Engine: "redis", EngineVersion: "7.0.7", NodeType: "cache.t4g.small", Nodes: []string{"0001"},
		}},
		Instances: []Instance{stockNode(region, 0), stockNode(region, 1)},
		Products:  stockProducts(region),
	}
}

// stockNode is a node of the cluster; each has a zone of its own.
func stockNode(region string, n int) Instance {
	const cluster = "open-saves-cluster"
	return Instance{
		ID: fmt.Sprintf("i-%017d", n+1), Type: "t3.medium", Credits: "unlimited",
		PrivateDNSName: fmt.Sprintf("ip-10-0-%d-10.%s.compute.internal", n+1, region),
		Zone:           region + string(rune('a'+n)),
		Tags: map[string]string{
			"kubernetes.io/cluster/" + cluster: "owned",
			"eks:cluster-name":                 cluster,
			"aws:eks:cluster-name":             cluster,
		},
	}
}
