package cloudwatch

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/pricing"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
	"github.com/prometheus/client_golang/prometheus"
)

// Calls are the operations of AWS that are used: methods of the SDK's clients,
// kept as functions so that the linker drops all others.
type Calls struct {
	GetMetricData                       getMetricData
	ListMetrics                         func(context.Context, *cloudwatch.ListMetricsInput, ...func(*cloudwatch.Options)) (*cloudwatch.ListMetricsOutput, error)
	DescribeTable                       func(context.Context, *dynamodb.DescribeTableInput, ...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error)
	ListBucketMetricsConfigurations     func(context.Context, *s3.ListBucketMetricsConfigurationsInput, ...func(*s3.Options)) (*s3.ListBucketMetricsConfigurationsOutput, error)
	DescribeCacheClusters               func(context.Context, *elasticache.DescribeCacheClustersInput, ...func(*elasticache.Options)) (*elasticache.DescribeCacheClustersOutput, error)
	DescribeReplicationGroups           func(context.Context, *elasticache.DescribeReplicationGroupsInput, ...func(*elasticache.Options)) (*elasticache.DescribeReplicationGroupsOutput, error)
	DescribeServerlessCaches            func(context.Context, *elasticache.DescribeServerlessCachesInput, ...func(*elasticache.Options)) (*elasticache.DescribeServerlessCachesOutput, error)
	DescribeInstances                   func(context.Context, *ec2.DescribeInstancesInput, ...func(*ec2.Options)) (*ec2.DescribeInstancesOutput, error)
	DescribeInstanceCreditSpecification func(context.Context, *ec2.DescribeInstanceCreditSpecificationsInput, ...func(*ec2.Options)) (*ec2.DescribeInstanceCreditSpecificationsOutput, error)
	DescribeSpotPriceHistory            func(context.Context, *ec2.DescribeSpotPriceHistoryInput, ...func(*ec2.Options)) (*ec2.DescribeSpotPriceHistoryOutput, error)
	GetCallerIdentity                   func(context.Context, *sts.GetCallerIdentityInput, ...func(*sts.Options)) (*sts.GetCallerIdentityOutput, error)
	GetProducts                         func(context.Context, *pricing.GetProductsInput, ...func(*pricing.Options)) (*pricing.GetProductsOutput, error)
}

// Connection is where the calls go, and as whom.
type Connection struct {
	Region     string
	RoleARN    string       // taken on with the credentials of the default chain; empty: those themselves
	ExternalID string       // for that role
	Sandbox    string       // address of a sandbox that answers instead, which asks for no credentials; empty: AWS
	HTTP       *http.Client // nil: the SDK's
	Log        *slog.Logger // gets what the SDK says of itself, at level debug
}

// Retries of a call, within the time of its poll. The SDK's adaptive mode would
// hold calls back by a rate that it measures, which a few a minute do not give it.
const (
	maxAttempts = 5
	maxBackoff  = 5 * time.Second
)

// Connect makes the calls. Nothing is sent yet; an error is that of a broken
// AWS configuration file or environment.
func (m *metrics) Connect(ctx context.Context, c Connection) (Calls, error) {
	options := []func(*config.LoadOptions) error{
		config.WithRegion(c.Region),
		config.WithRetryer(func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.MaxBackoff = maxAttempts, maxBackoff })
		}),
		config.WithLogger(logging.LoggerFunc(func(_ logging.Classification, format string, v ...any) {
			c.Log.Debug("The AWS SDK says", "text", fmt.Sprintf(format, v...))
		})),
		config.WithAPIOptions([]func(*middleware.Stack) error{m.watch}),
	}
	if c.Sandbox != "" {
		options = append(options, config.WithBaseEndpoint(c.Sandbox),
			config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("sandbox", "sandbox", "")))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return Calls{}, err
	}
	if c.HTTP != nil {
		cfg.HTTPClient = c.HTTP
	}
	if c.RoleARN != "" {
		cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), c.RoleARN, func(o *stscreds.AssumeRoleOptions) {
			if c.ExternalID != "" {
				o.ExternalID = &c.ExternalID
			}
		}))
	}
	cfg.Credentials = named{cfg.Credentials}
	return calls(cfg), nil
}

// pricingRegion has one of the few endpoints of the Price List API, which know
// the prices of all regions
// (https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-price-list-query-api.html).
const pricingRegion = "us-east-1"

func calls(cfg aws.Config) Calls {
	watch, elastic, machines := cloudwatch.NewFromConfig(cfg), elasticache.NewFromConfig(cfg), ec2.NewFromConfig(cfg)
	buckets := s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.UsePathStyle = o.BaseEndpoint != nil // no names below an endpoint of one's own
	})
	prices := pricing.NewFromConfig(cfg, func(o *pricing.Options) { o.Region = pricingRegion })
	return Calls{
		GetMetricData: watch.GetMetricData, ListMetrics: watch.ListMetrics,
		DescribeTable:                       dynamodb.NewFromConfig(cfg).DescribeTable,
		ListBucketMetricsConfigurations:     buckets.ListBucketMetricsConfigurations,
		DescribeCacheClusters:               elastic.DescribeCacheClusters,
		DescribeReplicationGroups:           elastic.DescribeReplicationGroups,
		DescribeServerlessCaches:            elastic.DescribeServerlessCaches,
		DescribeInstances:                   machines.DescribeInstances,
		DescribeInstanceCreditSpecification: machines.DescribeInstanceCreditSpecifications,
		DescribeSpotPriceHistory:            machines.DescribeSpotPriceHistory,
		GetCallerIdentity:                   sts.NewFromConfig(cfg).GetCallerIdentity,
		GetProducts:                         prices.GetProducts,
	}
}

// named gives the errors of credentials a type, so that they can be told from
// those of the network.
type named struct{ aws.CredentialsProvider }

// Retrieve implements aws.CredentialsProvider.
func (n named) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := n.CredentialsProvider.Retrieve(ctx)
	if err != nil {
		return c, &credentialsError{err}
	}
	return c, nil
}

type credentialsError struct{ err error }

func (e *credentialsError) Error() string { return "getting AWS credentials: " + e.err.Error() }
func (e *credentialsError) Unwrap() error { return e.err }

// watch measures every call of every client: as a whole, and by attempts.
func (m *metrics) watch(stack *middleware.Stack) error {
	whole := middleware.InitializeMiddlewareFunc("Measure", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		start := time.Now()
		out, metadata, err := next.HandleInitialize(ctx, in)
		m.called(middleware.GetOperationName(ctx), time.Since(start), metadata, err)
		return out, metadata, err
	})
	return stack.Initialize.Add(whole, middleware.After)
}

// called notes a call that has ended.
func (m *metrics) called(api string, took time.Duration, metadata middleware.Metadata, err error) {
	m.calls.WithLabelValues(api).Inc()
	m.durations.WithLabelValues(api).Observe(took.Seconds())
	if attempts, ok := retry.GetAttemptResults(metadata); ok {
		m.trials.WithLabelValues(api).Add(float64(max(0, len(attempts.Results)-1)))
	}
	if err != nil {
		m.failures.With(prometheus.Labels{"api": api, "code": errorCode(err)}).Inc()
	}
}
