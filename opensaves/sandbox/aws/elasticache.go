package aws

import (
	"encoding/xml"
	"net/http"
)

type cacheClusters struct {
	XMLName  xml.Name       `xml:"DescribeCacheClustersResponse"`
	Clusters []cacheCluster `xml:"DescribeCacheClustersResult>CacheClusters>CacheCluster"`
}

type cacheCluster struct {
	CacheClusterID     string `xml:"CacheClusterId"`
	CacheClusterStatus string
	Engine             string
	EngineVersion      string
	CacheNodeType      string
	NumCacheNodes      int
	ReplicationGroupID string      `xml:"ReplicationGroupId,omitempty"`
	CacheNodes         []cacheNode `xml:"CacheNodes>CacheNode"`
}

type cacheNode struct {
	CacheNodeID     string `xml:"CacheNodeId"`
	CacheNodeStatus string
}

func (c *Cloud) describeCacheClusters(call call) (any, error) {
	var out cacheClusters
	for _, one := range c.account.CacheClusters {
		if id := call.form.Get("CacheClusterId"); id != "" && id != one.ID {
			continue
		}
		cluster := cacheCluster{
			CacheClusterID: one.ID, CacheClusterStatus: "available",
			Engine: one.Engine, EngineVersion: one.EngineVersion,
			CacheNodeType: one.NodeType, NumCacheNodes: len(one.Nodes), ReplicationGroupID: one.ReplicationGroup,
		}
		if call.form.Get("ShowCacheNodeInfo") == "true" {
			for _, id := range one.Nodes {
				cluster.CacheNodes = append(cluster.CacheNodes, cacheNode{id, "available"})
			}
		}
		out.Clusters = append(out.Clusters, cluster)
	}
	return out, call.missing("CacheClusterId", len(out.Clusters), "CacheClusterNotFound")
}

type replicationGroups struct {
	XMLName xml.Name           `xml:"DescribeReplicationGroupsResponse"`
	Groups  []replicationGroup `xml:"DescribeReplicationGroupsResult>ReplicationGroups>ReplicationGroup"`
}

type replicationGroup struct {
	ReplicationGroupID string `xml:"ReplicationGroupId"`
	Status             string
	MemberClusters     []string  `xml:"MemberClusters>ClusterId"`
	NodeGroup          nodeGroup `xml:"NodeGroups>NodeGroup"`
}

type nodeGroup struct {
	NodeGroupID string `xml:"NodeGroupId"`
	Status      string
	Members     []nodeGroupMember `xml:"NodeGroupMembers>NodeGroupMember"`
}

type nodeGroupMember struct {
	CacheClusterID string `xml:"CacheClusterId"`
	CacheNodeID    string `xml:"CacheNodeId"`
	CurrentRole    string
}

func (c *Cloud) describeReplicationGroups(call call) (any, error) {
	var out replicationGroups
	for _, one := range c.account.ReplicationGroups {
		if id := call.form.Get("ReplicationGroupId"); id != "" && id != one.ID {
			continue
		}
		shard := nodeGroup{NodeGroupID: "0001", Status: "available"}
		role := "primary"
		for _, id := range one.Members {
			shard.Members = append(shard.Members, nodeGroupMember{id, "0001", role})
			role = "replica"
		}
		out.Groups = append(out.Groups, replicationGroup{one.ID, "available", one.Members, shard})
	}
	return out, call.missing("ReplicationGroupId", len(out.Groups), "ReplicationGroupNotFoundFault")
}

type serverlessCaches struct {
	XMLName xml.Name          `xml:"DescribeServerlessCachesResponse"`
	Caches  []serverlessCache `xml:"DescribeServerlessCachesResult>ServerlessCaches>member"`
}

type serverlessCache struct {
	ServerlessCacheName string
	Status              string
	Engine              string
}

func (c *Cloud) describeServerlessCaches(call call) (any, error) {
	var out serverlessCaches
	for _, one := range c.account.ServerlessCaches {
		if name := call.form.Get("ServerlessCacheName"); name == "" || name == one.Name {
			out.Caches = append(out.Caches, serverlessCache{one.Name, "available", one.Engine})
		}
	}
	return out, call.missing("ServerlessCacheName", len(out.Caches), "ServerlessCacheNotFoundFault")
}

// missing is the problem of a call for one of a kind of which none was found.
func (call call) missing(parameter string, found int, code string) error {
	if id := call.form.Get(parameter); id != "" && found == 0 {
		return &problem{http.StatusNotFound, code, "got " + parameter + " " + id + ", want one of the account"}
	}
	return nil
}
