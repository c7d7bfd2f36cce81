package sandbox_test

import (
	"net/http"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/google/go-cmp/cmp"

	"opensaves-soak/opensaves/sandbox"
)

func TestTheAccountAnswersBesideTheSandbox(t *testing.T) {
	s := sandbox.New(sandbox.Config{Region: "eu-west-1"})
	address := start(t, s)
	x := dial(t, "http://"+address, address, 0)
	client := cloudwatch.New(cloudwatch.Options{
		Region: "eu-west-1", BaseEndpoint: sdk.String(x.url + sandbox.AWSPath),
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""), Retryer: sdk.NopRetryer{},
	})
	if _, err := client.ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{Namespace: sdk.String("AWS/S3")}); err != nil {
		t.Fatal(err)
	}
	got := x.ask(t, sandbox.ControlPath+"aws")
	want := `200 application/json {"billed_metrics":{},"calls":{"ListMetrics":1}}` + "\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := s.AWS().Calls(); !cmp.Equal(got, map[string]int64{"ListMetrics": 1}) {
		t.Errorf("got calls %v, want one ListMetrics", got)
	}
}

func TestWithoutARegionThereIsNoAccount(t *testing.T) {
	s := sandbox.New(sandbox.Config{})
	address := start(t, s)
	x := dial(t, "http://"+address, address, 0)
	got := []string{x.ask(t, sandbox.ControlPath+"aws"), x.ask(t, sandbox.AWSPath+"/")}
	want := []string{
		`404 application/problem+json {"detail":"nothing is at /api/v1/sandbox/aws","status":404,"title":"Not Found","type":"about:blank"}` + "\n",
		"404 text/plain; charset=utf-8 404 page not found\n",
	}
	if diff := cmp.Diff(want, got); diff != "" || s.AWS() != nil {
		t.Errorf("got an account %v, and (-want +got)\n%s", s.AWS(), diff)
	}
}

// ask returns the status, type and body of the answer to a GET.
func (x *target) ask(t *testing.T, path string) string {
	t.Helper()
	answer := x.send(t, http.MethodGet, path, http.NoBody)
	return answer.Status[:3] + " " + answer.Header.Get("Content-Type") + " " + string(answer.text)
}
