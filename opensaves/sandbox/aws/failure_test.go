package aws_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/pricing"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"opensaves-soak/opensaves/sandbox/aws"
)

// operations are calls of each protocol and service, by action.
func (c clients) operations(ctx context.Context) map[string]func() error {
	call := func(f func() (any, error)) func() error {
		return func() error { _, err := f(); return err }
	}
	return map[string]func() error{
		"ListMetrics": call(func() (any, error) { return c.cloudwatch.ListMetrics(ctx, &cloudwatch.ListMetricsInput{}) }),
		"DescribeTable": call(func() (any, error) {
			return c.dynamodb.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: sdk.String("open-saves-stores")})
		}),
		"GetProducts": call(func() (any, error) {
			return c.pricing.GetProducts(ctx, &pricing.GetProductsInput{ServiceCode: sdk.String("AmazonEKS")})
		}),
		"ListBucketMetricsConfigurations": call(func() (any, error) {
			return c.s3.ListBucketMetricsConfigurations(ctx, &s3.ListBucketMetricsConfigurationsInput{Bucket: sdk.String("open-saves-blobs-123456789012")})
		}),
		"DescribeCacheClusters": call(func() (any, error) {
			return c.elasticache.DescribeCacheClusters(ctx, &elasticache.DescribeCacheClustersInput{})
		}),
		"DescribeInstances": call(func() (any, error) { return c.ec2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{}) }),
		"GetCallerIdentity": call(func() (any, error) { return c.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}) }),
	}
}

func TestFailuresAreSeenInEachProtocolUntilTheyAreHealed(t *testing.T) {
	c := open(t, aws.Stock("us-east-1"))
	for action, run := range c.operations(t.Context()) {
		t.Run(action, func(t *testing.T) {
			c.cloud.Fail(action, &aws.Failure{Status: 403, Code: "AccessDeniedException"})
			wantProblem(t, run(), 403, "AccessDeniedException")
			c.cloud.Fail(action, nil)
			c.cloud.Fail("*", &aws.Failure{Status: 400, Code: "ThrottlingException", Times: 2})
			wantProblem(t, run(), 400, "ThrottlingException")
			wantProblem(t, run(), 400, "ThrottlingException")
			c.cloud.Fail(action, &aws.Failure{Status: 503, Times: 1})
			wantStatus(t, run(), 503)
			if err := run(); err != nil {
				t.Errorf("got %v after the failures, want none", err)
			}
			compare(t, c.cloud.Calls()[action], nil, 5)
		})
	}
}

func TestAnEmptyBodyIsNoErrorOfCloudWatch(t *testing.T) {
	c := open(t, aws.Account{})
	c.cloud.Fail("GetMetricData", &aws.Failure{})
	_, err := c.cloudwatch.GetMetricData(t.Context(), window(1, ask("a", latency, "Sum")))
	wantStatus(t, err, 500)
	if problem, is := errors.AsType[smithy.APIError](err); is {
		t.Errorf("got the code %q, want none", problem.ErrorCode())
	}
}

func TestACallThatHangsEndsWhenTheClientGivesUp(t *testing.T) {
	c := open(t, aws.Account{})
	c.cloud.Fail("ListMetrics", &aws.Failure{Hang: true})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := c.cloudwatch.ListMetrics(ctx, &cloudwatch.ListMetricsInput{})
		done <- err
	}()
	for c.cloud.Calls()["ListMetrics"] == 0 {
		select {
		case err := <-done:
			t.Fatalf("got %v, want no answer", err)
		default:
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the end of the context", err)
	}
}

func TestActionsThatAreNotOfferedAreRefused(t *testing.T) {
	c := open(t, aws.Account{})
	ctx := t.Context()
	_, err := c.cloudwatch.ListDashboards(ctx, &cloudwatch.ListDashboardsInput{})
	wantProblem(t, err, 400, "UnknownOperationException")
	_, err = c.dynamodb.ListTables(ctx, &dynamodb.ListTablesInput{})
	wantProblem(t, err, 400, "UnknownOperationException")
	_, err = c.elasticache.DescribeEvents(ctx, &elasticache.DescribeEventsInput{})
	wantProblem(t, err, 400, "InvalidAction")
	_, err = c.ec2.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{})
	wantProblem(t, err, 400, "InvalidAction")
	_, err = c.s3.ListBuckets(ctx, &s3.ListBucketsInput{})
	wantProblem(t, err, 400, "NotImplemented")
	compare(t, c.cloud.Calls(), nil, map[string]int64{"Unknown": 5})
}

func TestBodiesAreLimited(t *testing.T) {
	c := open(t, aws.Account{})
	long := strings.NewReader("Action=GetCallerIdentity&x=" + strings.Repeat("x", 1<<20))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, *c.config.BaseEndpoint, long)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := c.config.HTTPClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	compare(t, response.StatusCode, nil, http.StatusRequestEntityTooLarge)
}
