package aws_test

import (
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	cachetypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"opensaves-soak/opensaves/sandbox/aws"
)

func units(read, write int64) *dynamodbtypes.ProvisionedThroughputDescription {
	return &dynamodbtypes.ProvisionedThroughputDescription{ReadCapacityUnits: &read, WriteCapacityUnits: &write}
}

func TestDescribeTableTellsTheBillingModeOfOnDemandTablesAlone(t *testing.T) {
	c := open(t, aws.Stock("us-east-1"))
	c.cloud.Update(func(a *aws.Account) {
		a.Tables[1].SizeBytes, a.Tables[1].Items, a.Tables[1].Class = 4000, 40, "STANDARD"
		a.Tables[1].Indexes[0].SizeBytes = 400
		a.Tables = append(a.Tables, aws.Table{Name: "old", Status: "UPDATING", ReadUnits: 5, WriteUnits: 6})
	})
	got, err := c.dynamodb.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: sdk.String("open-saves-records")})
	index := func(name string, size int64) dynamodbtypes.GlobalSecondaryIndexDescription {
		return dynamodbtypes.GlobalSecondaryIndexDescription{
			IndexName: &name, IndexStatus: dynamodbtypes.IndexStatusActive, IndexSizeBytes: &size,
			ItemCount: sdk.Int64(0), ProvisionedThroughput: units(0, 0),
		}
	}
	compare(t, got, err, &dynamodb.DescribeTableOutput{Table: &dynamodbtypes.TableDescription{
		TableName:              sdk.String("open-saves-records"),
		TableArn:               sdk.String("arn:aws:dynamodb:us-east-1:123456789012:table/open-saves-records"),
		TableStatus:            dynamodbtypes.TableStatusActive,
		TableSizeBytes:         sdk.Int64(4000),
		ItemCount:              sdk.Int64(40),
		BillingModeSummary:     &dynamodbtypes.BillingModeSummary{BillingMode: dynamodbtypes.BillingModePayPerRequest},
		TableClassSummary:      &dynamodbtypes.TableClassSummary{TableClass: dynamodbtypes.TableClassStandard},
		ProvisionedThroughput:  units(0, 0),
		GlobalSecondaryIndexes: []dynamodbtypes.GlobalSecondaryIndexDescription{index("OwnerIDIndex", 400), index("GameIDIndex", 0)},
	}})
	got, err = c.dynamodb.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: sdk.String("old")})
	compare(t, got, err, &dynamodb.DescribeTableOutput{Table: &dynamodbtypes.TableDescription{
		TableName:             sdk.String("old"),
		TableArn:              sdk.String("arn:aws:dynamodb:us-east-1:123456789012:table/old"),
		TableStatus:           dynamodbtypes.TableStatusUpdating,
		TableSizeBytes:        sdk.Int64(0),
		ItemCount:             sdk.Int64(0),
		ProvisionedThroughput: units(5, 6),
	}})
	_, err = c.dynamodb.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: sdk.String("none")})
	wantProblem(t, err, 400, "ResourceNotFoundException")
}

func TestABucketListsItsMetricsConfigurations(t *testing.T) {
	account := aws.Stock("us-east-1")
	account.Buckets[0].MetricsConfigurations = append(account.Buckets[0].MetricsConfigurations, aws.MetricsConfiguration{ID: "Blobs", Prefix: "blobs/"})
	c := open(t, account)
	got, err := c.s3.ListBucketMetricsConfigurations(t.Context(), &s3.ListBucketMetricsConfigurationsInput{Bucket: &account.Buckets[0].Name})
	compare(t, got, err, &s3.ListBucketMetricsConfigurationsOutput{
		IsTruncated: sdk.Bool(false),
		MetricsConfigurationList: []s3types.MetricsConfiguration{
			{Id: sdk.String("EntireBucket")},
			{Id: sdk.String("Blobs"), Filter: &s3types.MetricsFilterMemberPrefix{Value: "blobs/"}},
		},
	})
	_, err = c.s3.ListBucketMetricsConfigurations(t.Context(), &s3.ListBucketMetricsConfigurationsInput{Bucket: sdk.String("nobodys")})
	wantProblem(t, err, 404, "NoSuchBucket")
}

func TestCachesAreDescribedByKind(t *testing.T) {
	account := aws.Stock("us-east-1")
	account.ReplicationGroups = []aws.ReplicationGroup{{ID: "group", Members: []string{"group-001", "group-002"}}}
	account.CacheClusters = append(account.CacheClusters, aws.CacheCluster{ID: "group-001", Engine: "valkey", ReplicationGroup: "group", Nodes: []string{"0001"}})
	account.ServerlessCaches = []aws.ServerlessCache{{Name: "serverless", Engine: "valkey"}, {Name: "other", Engine: "redis"}}
	c := open(t, account)

	clusters, err := c.elasticache.DescribeCacheClusters(t.Context(), &elasticache.DescribeCacheClustersInput{
		CacheClusterId: sdk.String("open-saves-cache"), ShowCacheNodeInfo: sdk.Bool(true),
	})
	compare(t, clusters, err, &elasticache.DescribeCacheClustersOutput{CacheClusters: []cachetypes.CacheCluster{{
		CacheClusterId: sdk.String("open-saves-cache"), CacheClusterStatus: sdk.String("available"),
		Engine: sdk.String("redis"), EngineVersion: sdk.String("7.0.7"),
		CacheNodeType: sdk.String("cache.t4g.small"), NumCacheNodes: sdk.Int32(1),
		CacheNodes: []cachetypes.CacheNode{{CacheNodeId: sdk.String("0001"), CacheNodeStatus: sdk.String("available")}},
	}}})
	clusters, err = c.elasticache.DescribeCacheClusters(t.Context(), &elasticache.DescribeCacheClustersInput{CacheClusterId: sdk.String("group-001")})
	compare(t, clusters, err, &elasticache.DescribeCacheClustersOutput{CacheClusters: []cachetypes.CacheCluster{{
		CacheClusterId: sdk.String("group-001"), CacheClusterStatus: sdk.String("available"),
		Engine: sdk.String("valkey"), EngineVersion: sdk.String(""), CacheNodeType: sdk.String(""),
		NumCacheNodes: sdk.Int32(1), ReplicationGroupId: sdk.String("group"), CacheNodes: []cachetypes.CacheNode{},
	}}})

	groups, err := c.elasticache.DescribeReplicationGroups(t.Context(), &elasticache.DescribeReplicationGroupsInput{})
	member := func(id, role string) cachetypes.NodeGroupMember {
		return cachetypes.NodeGroupMember{CacheClusterId: &id, CacheNodeId: sdk.String("0001"), CurrentRole: &role}
	}
	compare(t, groups, err, &elasticache.DescribeReplicationGroupsOutput{ReplicationGroups: []cachetypes.ReplicationGroup{{
		ReplicationGroupId: sdk.String("group"), Status: sdk.String("available"),
		MemberClusters: []string{"group-001", "group-002"},
		NodeGroups: []cachetypes.NodeGroup{{
			NodeGroupId: sdk.String("0001"), Status: sdk.String("available"),
			NodeGroupMembers: []cachetypes.NodeGroupMember{member("group-001", "primary"), member("group-002", "replica")},
		}},
	}}})

	serverless, err := c.elasticache.DescribeServerlessCaches(t.Context(), &elasticache.DescribeServerlessCachesInput{ServerlessCacheName: sdk.String("serverless")})
	compare(t, serverless, err, &elasticache.DescribeServerlessCachesOutput{ServerlessCaches: []cachetypes.ServerlessCache{{
		ServerlessCacheName: sdk.String("serverless"), Status: sdk.String("available"), Engine: sdk.String("valkey"),
	}}})
}

func TestCachesThatTheAccountDoesNotHaveAreNotFound(t *testing.T) {
	c := open(t, aws.Stock("us-east-1"))
	none := sdk.String("none")
	_, err := c.elasticache.DescribeCacheClusters(t.Context(), &elasticache.DescribeCacheClustersInput{CacheClusterId: none})
	wantProblem(t, err, 404, "CacheClusterNotFound")
	_, err = c.elasticache.DescribeReplicationGroups(t.Context(), &elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: none})
	wantProblem(t, err, 404, "ReplicationGroupNotFoundFault")
	_, err = c.elasticache.DescribeServerlessCaches(t.Context(), &elasticache.DescribeServerlessCachesInput{ServerlessCacheName: none})
	wantProblem(t, err, 404, "ServerlessCacheNotFoundFault")
}

// reserved is a reservation of an instance of this account.
func reserved(i aws.Instance, lifecycle ec2types.InstanceLifecycleType, tags ...ec2types.Tag) ec2types.Reservation {
	return ec2types.Reservation{
		ReservationId: sdk.String("r-" + i.ID[2:]), OwnerId: sdk.String("123456789012"),
		Instances: []ec2types.Instance{{
			InstanceId: &i.ID, InstanceType: ec2types.InstanceType(i.Type), PrivateDnsName: &i.PrivateDNSName,
			Placement: &ec2types.Placement{AvailabilityZone: &i.Zone}, InstanceLifecycle: lifecycle,
			State: &ec2types.InstanceState{Code: sdk.Int32(16), Name: ec2types.InstanceStateNameRunning}, Tags: tags,
		}},
	}
}

func TestInstancesAreFilteredByTagAndState(t *testing.T) {
	account := aws.Stock("us-east-1")
	spot := aws.Instance{ID: "i-9", Type: "m7g.large", PrivateDNSName: "nine", Zone: "us-east-1c", Spot: true, Tags: map[string]string{"team": "a&b"}}
	account.Instances = append(account.Instances, spot)
	c := open(t, account)
	filter := func(name string, values ...string) ec2types.Filter {
		return ec2types.Filter{Name: &name, Values: values}
	}
	running := filter("instance-state-name", "pending", "running")
	tag := func(key, value string) ec2types.Tag { return ec2types.Tag{Key: &key, Value: &value} }
	node := func(n int) ec2types.Reservation {
		return reserved(account.Instances[n], "", tag("aws:eks:cluster-name", "open-saves-cluster"),
			tag("eks:cluster-name", "open-saves-cluster"), tag("kubernetes.io/cluster/open-saves-cluster", "owned"))
	}
	nine := reserved(spot, ec2types.InstanceLifecycleTypeSpot, tag("team", "a&b"))
	for _, one := range []struct {
		in   ec2.DescribeInstancesInput
		want []ec2types.Reservation
	}{
		{ec2.DescribeInstancesInput{}, []ec2types.Reservation{node(0), node(1), nine}},
		{ec2.DescribeInstancesInput{InstanceIds: []string{"i-9"}}, []ec2types.Reservation{nine}},
		{ec2.DescribeInstancesInput{Filters: []ec2types.Filter{running, filter("tag:eks:cluster-name", "open-saves-cluster")}}, []ec2types.Reservation{node(0), node(1)}},
		{ec2.DescribeInstancesInput{Filters: []ec2types.Filter{filter("tag-key", "none", "team"), running}}, []ec2types.Reservation{nine}},
		{ec2.DescribeInstancesInput{Filters: []ec2types.Filter{filter("tag:team", "a", "b")}}, []ec2types.Reservation{}},
		{ec2.DescribeInstancesInput{Filters: []ec2types.Filter{filter("instance-state-name", "stopped")}}, []ec2types.Reservation{}},
	} {
		got, err := c.ec2.DescribeInstances(t.Context(), &one.in)
		compare(t, got, err, &ec2.DescribeInstancesOutput{Reservations: one.want})
	}
	_, err := c.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{Filters: []ec2types.Filter{filter("colour", "red")}})
	wantProblem(t, err, 400, "InvalidParameterValue")
	_, err = c.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{"i-0"}})
	wantProblem(t, err, 400, "InvalidInstanceID.NotFound")
}

func TestInstancesHaveCreditsAndSpotPrices(t *testing.T) {
	c := open(t, aws.Account{
		Instances: []aws.Instance{{ID: "i-1", Credits: "standard"}, {ID: "i-2", Credits: "unlimited"}, {ID: "i-3"}},
		SpotPrices: []aws.SpotPrice{
			{Type: "t3.medium", Zone: "us-east-1a", USD: 0.0125}, {Type: "t3.medium", Zone: "us-east-1b", USD: 0.013}, {Type: "t3.large", Zone: "us-east-1a", USD: 0.025},
		},
	})
	credit := func(id, credits string) ec2types.InstanceCreditSpecification {
		return ec2types.InstanceCreditSpecification{InstanceId: &id, CpuCredits: &credits}
	}
	for _, one := range []struct {
		ids  []string
		want []ec2types.InstanceCreditSpecification
	}{
		{nil, []ec2types.InstanceCreditSpecification{credit("i-2", "unlimited")}},
		{[]string{"i-3", "i-1"}, []ec2types.InstanceCreditSpecification{credit("i-3", "standard"), credit("i-1", "standard")}},
	} {
		got, err := c.ec2.DescribeInstanceCreditSpecifications(t.Context(), &ec2.DescribeInstanceCreditSpecificationsInput{InstanceIds: one.ids})
		compare(t, got, err, &ec2.DescribeInstanceCreditSpecificationsOutput{InstanceCreditSpecifications: one.want})
	}
	got, err := c.ec2.DescribeSpotPriceHistory(t.Context(), &ec2.DescribeSpotPriceHistoryInput{
		InstanceTypes: []ec2types.InstanceType{"t3.medium", "t3.small"}, ProductDescriptions: []string{"Linux/UNIX"}, StartTime: sdk.Time(time.Now()),
	})
	price := func(zone, usd string) ec2types.SpotPrice {
		return ec2types.SpotPrice{InstanceType: "t3.medium", AvailabilityZone: &zone, SpotPrice: &usd, ProductDescription: ec2types.RIProductDescriptionLinuxUnix}
	}
	if err == nil {
		for i, p := range got.SpotPriceHistory {
			if age := time.Since(*p.Timestamp); age < 0 || age > time.Hour+time.Minute {
				t.Errorf("got a price of %v, want one of this hour", p.Timestamp)
			}
			got.SpotPriceHistory[i].Timestamp = nil
		}
	}
	compare(t, got, err, &ec2.DescribeSpotPriceHistoryOutput{SpotPriceHistory: []ec2types.SpotPrice{
		price("us-east-1a", "0.012500"), price("us-east-1b", "0.013000"),
	}})
}

func TestCallersHaveTheAccountAndAssumeItsRoles(t *testing.T) {
	c := open(t, aws.Stock("us-east-1"))
	got, err := c.sts.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	compare(t, got, err, &sts.GetCallerIdentityOutput{
		Account: sdk.String("123456789012"), Arn: sdk.String("arn:aws:iam::123456789012:user/sandbox"), UserId: sdk.String("AIDASANDBOX"),
	})
	const role = "arn:aws:iam::123456789012:role/reader"
	provider := stscreds.NewAssumeRoleProvider(c.sts, role, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName, o.ExternalID, o.Duration = "soak", sdk.String("external"), time.Hour
	})
	credentials, err := provider.Retrieve(t.Context())
	if left := time.Until(credentials.Expires); left < 59*time.Minute || left > time.Hour {
		t.Errorf("got credentials for %v, want an hour", left)
	}
	credentials.Expires = time.Time{}
	compare(t, credentials, err, sdk.Credentials{
		AccessKeyID: "ASIASANDBOX", SecretAccessKey: "sandbox", SessionToken: role + " soak external",
		CanExpire: true, Source: stscreds.ProviderName, AccountID: "123456789012",
	})
	_, err = c.sts.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: sdk.String("arn:aws:iam::999999999999:role/reader"), RoleSessionName: sdk.String("soak")})
	wantProblem(t, err, 400, "ValidationError")
}
