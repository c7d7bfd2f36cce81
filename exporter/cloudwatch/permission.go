package cloudwatch

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/pricing"
)

// Permission is an IAM action that the configuration needs, tried.
type Permission struct {
	Action   string // for example "dynamodb:DescribeTable"
	Resource string // what it was tried on; empty: all
	Err      error  // nil: granted
}

// Missing says whether AWS refused, rather than failed.
func (p Permission) Missing() bool { return denied(p.Err) }

// String says how the try ended, on one line.
func (p Permission) String() string {
	text := p.Action
	if p.Resource != "" {
		text += " on " + p.Resource
	}
	switch {
	case p.Err == nil:
		return "granted: " + text
	case p.Missing():
		return fmt.Sprintf("missing: %s: %s", text, p.Err)
	}
	return fmt.Sprintf("unknown: %s: %s", text, p.Err)
}

// tryTimeout bounds a try.
const tryTimeout = 10 * time.Second

// Try makes each call that the configuration needs once, which costs a
// thousandth of a cent, and tells how each ended.
func (e *Exporter) Try(ctx context.Context, prices bool, tell func(Permission)) {
	t := &trial{config: e.options.Config, calls: e.options.Calls, tell: tell}
	t.tryCloudWatch(ctx)
	t.tryTables(ctx)
	t.tryBuckets(ctx)
	t.tryCaches(ctx)
	t.tryNodes(ctx)
	if prices {
		t.try(ctx, "pricing:GetProducts", "", func(ctx context.Context) error {
			_, err := t.calls.GetProducts(ctx, &pricing.GetProductsInput{ServiceCode: aws.String("AmazonDynamoDB"), MaxResults: aws.Int32(1)})
			return err
		})
	}
}

type trial struct {
	config Config
	calls  Calls
	tell   func(Permission)
}

func (t *trial) try(ctx context.Context, action, resource string, call func(context.Context) error) {
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	t.tell(Permission{action, resource, call(ctx)})
}

func (t *trial) tryCloudWatch(ctx context.Context) {
	t.try(ctx, "cloudwatch:GetMetricData", "", func(ctx context.Context) error {
		end := time.Now().Truncate(minutely)
		_, err := t.calls.GetMetricData(ctx, &cloudwatch.GetMetricDataInput{
			StartTime: aws.Time(end.Add(-minutely)), EndTime: &end,
			MetricDataQueries: []types.MetricDataQuery{{Id: aws.String("m0"), MetricStat: &types.MetricStat{
				Metric: &types.Metric{Namespace: aws.String(dynamoNamespace), MetricName: aws.String("UserErrors")},
				Period: aws.Int32(60), Stat: aws.String(sum),
			}}},
		})
		return err
	})
	if t.config.EKS.Cluster != "" {
		t.try(ctx, "cloudwatch:ListMetrics", "", func(ctx context.Context) error {
			_, err := t.calls.ListMetrics(ctx, &cloudwatch.ListMetricsInput{Namespace: aws.String(insights)})
			return err
		})
	}
}

func (t *trial) tryTables(ctx context.Context) {
	for _, role := range slices.Sorted(maps.Keys(t.config.DynamoDB.Tables)) {
		name := t.config.DynamoDB.Tables[role]
		t.try(ctx, "dynamodb:DescribeTable", name, func(ctx context.Context) error {
			_, err := t.calls.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
			return err
		})
	}
}

func (t *trial) tryBuckets(ctx context.Context) {
	b := &buckets{Options: Options{Config: t.config, Calls: t.calls}}
	for _, name := range t.config.S3.Buckets {
		if strings.Contains(name, ofAccount) {
			t.try(ctx, "sts:GetCallerIdentity", "", func(ctx context.Context) (err error) {
				name, err = b.named(ctx, name)
				return err
			})
		}
		t.try(ctx, "s3:GetMetricsConfiguration", name, func(ctx context.Context) error {
			_, err := b.configurations(ctx, name)
			return err
		})
	}
}

func (t *trial) tryCaches(ctx context.Context) {
	if len(t.config.Redis.Clusters)+len(t.config.Redis.ReplicationGroups) > 0 {
		t.try(ctx, "elasticache:DescribeCacheClusters", "", func(ctx context.Context) error {
			_, err := t.calls.DescribeCacheClusters(ctx, &elasticache.DescribeCacheClustersInput{})
			return err
		})
	}
	if len(t.config.Redis.ReplicationGroups) > 0 {
		t.try(ctx, "elasticache:DescribeReplicationGroups", "", func(ctx context.Context) error {
			_, err := t.calls.DescribeReplicationGroups(ctx, &elasticache.DescribeReplicationGroupsInput{})
			return err
		})
	}
	if len(t.config.Redis.Serverless) > 0 {
		t.try(ctx, "elasticache:DescribeServerlessCaches", "", func(ctx context.Context) error {
			_, err := t.calls.DescribeServerlessCaches(ctx, &elasticache.DescribeServerlessCachesInput{})
			return err
		})
	}
}

func (t *trial) tryNodes(ctx context.Context) {
	if t.config.EKS.Cluster == "" {
		return
	}
	t.try(ctx, "ec2:DescribeInstances", "", func(ctx context.Context) error {
		_, err := t.calls.DescribeInstances(ctx, &ec2.DescribeInstancesInput{MaxResults: aws.Int32(5)})
		return err
	})
	t.try(ctx, "ec2:DescribeInstanceCreditSpecifications", "", func(ctx context.Context) error {
		_, err := t.calls.DescribeInstanceCreditSpecification(ctx, &ec2.DescribeInstanceCreditSpecificationsInput{})
		return err
	})
	t.try(ctx, "ec2:DescribeSpotPriceHistory", "", func(ctx context.Context) error {
		_, err := t.calls.DescribeSpotPriceHistory(ctx, &ec2.DescribeSpotPriceHistoryInput{MaxResults: aws.Int32(1)})
		return err
	})
}
