package aws_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/pricing"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"

	"opensaves-soak/opensaves/sandbox/aws"
)

// noon is when most tests put their points.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// clients are the clients of AWS that talk to an account.
type clients struct {
	cloud       *aws.Cloud
	config      sdk.Config
	cloudwatch  *cloudwatch.Client
	dynamodb    *dynamodb.Client
	ec2         *ec2.Client
	elasticache *elasticache.Client
	pricing     *pricing.Client
	s3          *s3.Client
	sts         *sts.Client
}

// open opens an account below a prefix of a server's paths.
func open(t *testing.T, account aws.Account) clients {
	t.Helper()
	cloud := aws.New(account)
	server := httptest.NewServer(http.StripPrefix("/aws", cloud))
	t.Cleanup(server.Close)
	cfg := sdk.Config{
		Region:       "us-east-1",
		BaseEndpoint: sdk.String(server.URL + "/aws"),
		Credentials:  credentials.NewStaticCredentialsProvider("key", "secret", ""),
		HTTPClient:   &http.Client{Transport: buffered{server.Client().Transport}},
		Retryer:      func() sdk.Retryer { return sdk.NopRetryer{} },
	}
	return clients{
		cloud:       cloud,
		config:      cfg,
		cloudwatch:  cloudwatch.NewFromConfig(cfg),
		dynamodb:    dynamodb.NewFromConfig(cfg),
		ec2:         ec2.NewFromConfig(cfg),
		elasticache: elasticache.NewFromConfig(cfg),
		pricing:     pricing.NewFromConfig(cfg),
		s3:          s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }),
		sts:         sts.NewFromConfig(cfg),
	}
}

// buffered sends request bodies from memory. The clients of AWS close a body as
// soon as an answer begins, and a transport that is still about to see the end of
// the body closes the connection then, under an answer of some length.
type buffered struct{ next http.RoundTripper }

func (b buffered) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		return b.next.RoundTrip(r)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	return b.next.RoundTrip(r)
}

// compare compares whole answers, but for what the client adds to them.
func compare[T any](t *testing.T, got T, err error, want T) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, cmp.FilterPath(added, cmp.Ignore())); d != "" {
		t.Errorf("answer (-want +got):\n%s", d)
	}
}

func added(p cmp.Path) bool {
	field, is := p.Last().(cmp.StructField)
	if !is || field.Name() == "ResultMetadata" {
		return is
	}
	f, _ := p.Index(-2).Type().FieldByName(field.Name())
	return !f.IsExported() && p.Index(-2).Type() != reflect.TypeFor[time.Time]()
}

// wantProblem checks that a client sees an error of AWS with this status and code.
func wantProblem(t *testing.T, err error, status int, code string) {
	t.Helper()
	var problem smithy.APIError
	if !errors.As(err, &problem) || problem.ErrorCode() != code {
		t.Errorf("got %v, want %s", err, code)
	}
	wantStatus(t, err, status)
}

func wantStatus(t *testing.T, err error, status int) {
	t.Helper()
	var response *smithyhttp.ResponseError
	if !errors.As(err, &response) || response.HTTPStatusCode() != status {
		t.Errorf("got %v, want status %d", err, status)
	}
}
