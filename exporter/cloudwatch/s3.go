package cloudwatch

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"opensaves-soak/exporter/metric"
)

// What S3 publishes
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html).
// Request metrics exist only where a metrics configuration asks for them.
var (
	requestRows = []row{
		counts("AllRequests", metric.S3AllRequests),
		counts("GetRequests", metric.S3Requests, "get"),
		counts("PutRequests", metric.S3Requests, "put"),
		counts("DeleteRequests", metric.S3Requests, "delete"),
		counts("HeadRequests", metric.S3Requests, "head"),
		counts("PostRequests", metric.S3Requests, "post"),
		counts("ListRequests", metric.S3Requests, "list"),
		counts("4xxErrors", metric.S3Errors, "4xx"),
		counts("5xxErrors", metric.S3Errors, "5xx"),
		share("4xxErrors", metric.S3ErrorRatio, "4xx"), // each request reports 0 or 1
		share("5xxErrors", metric.S3ErrorRatio, "5xx"),
		level("FirstByteLatency", metric.S3FirstByte, milliseconds, "p50", "p90", "p99", average),
		level("TotalRequestLatency", metric.S3Latency, milliseconds, "p50", "p90", "p99", average),
		counts("BytesDownloaded", metric.S3Bytes, "download"),
		counts("BytesUploaded", metric.S3Bytes, "upload"),
	}
	objectRows = []row{{name: "NumberOfObjects", into: metric.S3BucketObjects, stats: []string{average}, unit: plain, empty: hold, period: daily}}
	sizeRows   = []row{{
		name: "BucketSizeBytes", into: metric.S3BucketSize, stats: []string{average}, unit: plain, empty: hold,
		labels: []string{"StandardStorage"}, period: daily,
	}}
)

func share(name string, into metric.Definition, class string) row {
	r := level(name, into, plain, average)
	r.labels = []string{class}
	return r
}

const (
	s3Namespace = "AWS/S3"
	ofAccount   = "{account}" // in the name of a bucket
)

// buckets is what is known of S3.
type buckets struct {
	Options
	account string
	filters map[string][]string // metrics configurations of whole buckets
}

func newS3(o Options) source {
	b := &buckets{Options: o, filters: map[string][]string{}}
	return source{metric.S3, time.Duration(o.Config.S3.Delay), b.discover}
}

func (b *buckets) discover(ctx context.Context, tell looks) plan {
	p := plan{sources: map[string]bool{}}
	offered, seen := true, map[string]bool{}
	for _, name := range b.Config.S3.Buckets {
		name, err := b.named(ctx, name)
		tell("account", err)
		if err != nil || seen[name] {
			offered = offered && err == nil
			continue
		}
		seen[name] = true
		filters, err := b.configurations(ctx, name)
		tell("request_metrics:"+name, err)
		if err == nil {
			b.filters[name] = filters
		}
		offered = offered && err == nil && len(filters) > 0
		p.queries = append(p.queries, b.queries(name)...)
	}
	p.sources["request_metrics"] = offered
	p.billed.bucket = offered
	return p
}

// named fills the account's number in.
func (b *buckets) named(ctx context.Context, name string) (string, error) {
	if strings.Contains(name, ofAccount) && b.account == "" {
		out, err := b.Calls.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil {
			return "", err
		}
		b.account = aws.ToString(out.Account)
	}
	return strings.ReplaceAll(name, ofAccount, b.account), nil
}

// mostPages bounds how many pages a look reads.
const mostPages = 10

// configurations returns the names of those that cover the whole bucket.
func (b *buckets) configurations(ctx context.Context, bucket string) ([]string, error) {
	in := &s3.ListBucketMetricsConfigurationsInput{Bucket: &bucket}
	var found []string
	for range mostPages {
		out, err := b.Calls.ListBucketMetricsConfigurations(ctx, in)
		if err != nil {
			return nil, err
		}
		found = append(found, wholeBucket(out.MetricsConfigurationList)...)
		if in.ContinuationToken = out.NextContinuationToken; in.ContinuationToken == nil {
			break
		}
	}
	return found[:min(1, len(found))], nil // a second one would say the same for the same price
}

func wholeBucket(all []types.MetricsConfiguration) (names []string) {
	for _, c := range all {
		if c.Filter == nil {
			names = append(names, aws.ToString(c.Id))
		}
	}
	return names
}

func (b *buckets) queries(name string) []query {
	region, bucket := b.Connect.Region, dimension{"BucketName", name}
	queries := append(
		target{s3Namespace, []dimension{bucket, {"StorageType", "AllStorageTypes"}}, []string{region, name}}.queries(objectRows),
		target{s3Namespace, []dimension{bucket, {"StorageType", "StandardStorage"}}, []string{region, name}}.queries(sizeRows)...)
	for _, filter := range b.filters[name] {
		requests := target{s3Namespace, []dimension{bucket, {"FilterId", filter}}, []string{region, name, filter}}
		queries = append(queries, requests.queries(requestRows)...)
	}
	return queries
}
