package aws

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxBody is how long a request may be, in bytes.
const maxBody = 1 << 20

// unknown is what requests are counted under that no action is known for.
const unknown = "Unknown"

// call is a request for an action.
type call struct {
	body []byte
	form url.Values // of the query protocols
	path string
	now  time.Time
}

// action is what can be asked for. It runs under the account's lock, and returns
// what its protocol encodes.
type action struct {
	protocol *protocol
	run      func(*Cloud, call) (any, error)
}

var actions = map[string]action{
	"GetMetricData": {rpcCBOR, (*Cloud).getMetricData},
	"ListMetrics":   {rpcCBOR, (*Cloud).listMetrics},

	"DescribeTable": {json10, (*Cloud).describeTable},
	"GetProducts":   {json11, (*Cloud).getProducts},

	"ListBucketMetricsConfigurations": {restXML, (*Cloud).listMetricsConfigurations},

	"DescribeCacheClusters":     {queryXML, (*Cloud).describeCacheClusters},
	"DescribeReplicationGroups": {queryXML, (*Cloud).describeReplicationGroups},
	"DescribeServerlessCaches":  {queryXML, (*Cloud).describeServerlessCaches},
	"GetCallerIdentity":         {queryXML, (*Cloud).getCallerIdentity},
	"AssumeRole":                {queryXML, (*Cloud).assumeRole},

	"DescribeInstances":                    {queryEC2, (*Cloud).describeInstances},
	"DescribeInstanceCreditSpecifications": {queryEC2, (*Cloud).describeCredits},
	"DescribeSpotPriceHistory":             {queryEC2, (*Cloud).describeSpotPrices},
}

// ServeHTTP answers a request for any service. It looks at the path as it is
// given, so that http.StripPrefix may be around it.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	call := call{body: body, form: form(r, body), path: r.URL.Path, now: time.Now()}
	p, name := route(r, call.form)
	asked := actions[name]
	if asked.protocol != p {
		name = unknown
	}
	if f := c.failure(name); f != nil {
		f.fail(w, r, p)
		return
	}
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		p.refuse(w, &problem{http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "got a body of more than 1 MiB"})
	case err != nil: // the client has gone
	case name == unknown:
		p.refuse(w, refused(p.unknown, "got an action that this account does not offer"))
	default:
		c.serve(w, asked, call)
	}
}

func (c *Cloud) serve(w http.ResponseWriter, asked action, call call) {
	body, err := c.perform(asked, call)
	if err == nil {
		asked.protocol.answer(w, body, http.StatusOK)
		return
	}
	var p *problem
	if !errors.As(err, &p) {
		p = &problem{http.StatusInternalServerError, "InternalFailure", err.Error()}
	}
	asked.protocol.refuse(w, p)
}

// perform encodes under the lock, as the answer may hold parts of the account.
func (c *Cloud) perform(asked action, call call) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	answer, err := asked.run(c, call)
	if err != nil {
		return nil, fmt.Errorf("performing a call: %w", err)
	}
	return asked.protocol.encode(answer)
}

// rpcPath comes before the action in the path of a request to CloudWatch.
const rpcPath = "/service/GraniteServiceVersion20100801/operation/"

// versionEC2 is the version of EC2, which tells it from the other query services.
const versionEC2 = "2016-11-15"

// route returns the protocol of the request and what it asks for.
func route(r *http.Request, form url.Values) (*protocol, string) {
	_, operation, rpc := strings.Cut(r.URL.Path, rpcPath)
	service, target, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	switch {
	case rpc:
		return rpcCBOR, operation
	case service == "AWSPriceListService":
		return json11, target
	case service != "":
		return json10, target
	case form.Get("Version") == versionEC2:
		return queryEC2, form.Get("Action")
	case form != nil:
		return queryXML, form.Get("Action")
	case r.Method == http.MethodGet && r.URL.Query().Has("metrics"):
		return restXML, "ListBucketMetricsConfigurations"
	}
	return restXML, unknown
}

// form returns what a request of a query protocol says; nil: it is of another.
func form(r *http.Request, body []byte) url.Values {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return nil
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return url.Values{} // which asks for no action
	}
	return values
}
