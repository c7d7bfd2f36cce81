package aws_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/smithy-go/encoding/cbor"

	"opensaves-soak/opensaves/sandbox/aws"
)

func FuzzGetMetricDataAnswersWhateverComes(f *testing.F) {
	f.Add(cbor.Encode(cbor.Map{
		"StartTime": &cbor.Tag{ID: 1, Value: cbor.Float64(1763640000)},
		"EndTime":   &cbor.Tag{ID: 1, Value: cbor.Uint(1763640060)},
		"MetricDataQueries": cbor.List{cbor.Map{"Id": cbor.String("a"), "MetricStat": cbor.Map{
			"Metric": cbor.Map{
				"Namespace": cbor.String("N"), "MetricName": cbor.String("m"),
				"Dimensions": cbor.List{cbor.Map{"Name": cbor.String("d"), "Value": cbor.String("v")}},
			},
			"Period": cbor.Uint(60), "Stat": cbor.String("p99.9"),
		}}},
		"MaxDatapoints": cbor.Uint(1),
		"NextToken":     cbor.String("eyJSZXF1ZXN0IjoxfQ"),
	}))
	f.Add([]byte{0xbf, 0xff})
	f.Add([]byte{})
	cloud := aws.New(aws.Account{})
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, action := range []string{"GetMetricData", "ListMetrics"} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/service/GraniteServiceVersion20100801/operation/"+action, bytes.NewReader(body))
			w := httptest.NewRecorder()
			cloud.ServeHTTP(w, r)
			if w.Code != http.StatusOK && w.Code != http.StatusBadRequest {
				t.Errorf("%s: got %d: %q", action, w.Code, w.Body)
			}
		}
	})
}
