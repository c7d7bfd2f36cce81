package cost_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/pricing"
	"go.uber.org/goleak"

	"opensaves-soak/exporter/cost"
	sandbox "opensaves-soak/opensaves/sandbox/aws"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// wire is a network that ends at a handler, and lets time be held.
type wire struct{ handler http.Handler }

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	w.handler.ServeHTTP(answer, r)
	return answer.Result(), nil
}

var anybody = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "id", SecretAccessKey: "secret"}, nil
})

// client is the one of the SDK.
func client(cloud *sandbox.Cloud) *pricing.Client {
	return pricing.New(pricing.Options{
		Region: "us-east-1", HTTPClient: &http.Client{Transport: wire{cloud}}, Credentials: anybody,
	})
}

// dear is AWS in us-west-2 at twice its prices, so that they cannot be taken for the
// built-in ones.
func dear() *sandbox.Cloud {
	account := sandbox.Stock("us-west-2")
	for _, p := range account.Products {
		for i := range p.Tiers {
			p.Tiers[i].USD *= 2
		}
	}
	return sandbox.New(account)
}

// reprice gives the products of a type of usage another price.
func reprice(cloud *sandbox.Cloud, usage string, usd float64) {
	cloud.Update(func(a *sandbox.Account) {
		for _, p := range a.Products {
			if p.Attributes["usagetype"] == usage {
				p.Tiers[len(p.Tiers)-1].USD = usd
			}
		}
	})
}

// sell adds a product to those of us-west-2.
func sell(cloud *sandbox.Cloud, service, usage, operation string, usd float64) {
	cloud.Update(func(a *sandbox.Account) {
		a.Products = append(a.Products, sandbox.Product{
			Service: service, Tiers: []sandbox.Tier{{Begin: "0", End: "Inf", USD: usd}},
			Attributes: map[string]string{"regionCode": "us-west-2", "usagetype": usage, "operation": operation},
		})
	})
}

// running reads prices from AWS inside a bubble, until the test ends.
func running(t *testing.T, p *cost.Prices, cloud *sandbox.Cloud) (log *bytes.Buffer) {
	log = &bytes.Buffer{}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.Run(ctx, client(cloud).GetProducts, slog.New(slog.NewJSONHandler(log, nil)))
	}()
	synctest.Wait()
	t.Cleanup(func() { cancel(); <-done })
	return log
}

// said takes what the log says, by the items that it says it of.
func said(t *testing.T, log *bytes.Buffer) map[string]string {
	t.Helper()
	all := map[string]string{}
	for decoder := json.NewDecoder(log); decoder.More(); {
		var line struct {
			Msg, Err string
			Items    []string
		}
		if err := decoder.Decode(&line); err != nil {
			t.Fatal(err)
		}
		all[strings.Join(line.Items, " ")] += fmt.Sprintf("%s: %s", line.Msg, line.Err)
	}
	return all
}

// of returns the prices of some items, those that there are.
func of(p *cost.Prices, items map[string]float64) map[string]float64 {
	found := map[string]float64{}
	for item := range items {
		if usd, ok := p.USD(item); ok {
			found[item] = usd
		}
	}
	return found
}
