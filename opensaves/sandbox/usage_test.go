package sandbox

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRESTConsumesWhatTheAWSPortWould(t *testing.T) {
	large := strings.Repeat("x", 5000) // an item of 5 KiB: 6 units to write, 1 to read
	record := `{"record_id":"r","properties":{"owner_id":"o","game_id":"g","text":"` + large + `"}}`
	check := map[string]float64{"stores GetItem": 1, "stores read": 0.5}
	with := func(more map[string]float64) map[string]float64 {
		all := map[string]float64{}
		for _, of := range []map[string]float64{check, more} {
			for name, value := range of {
				all[name] += value
			}
		}
		return all
	}
	meter(t, func(t *testing.T, m *metered) {
		for _, step := range []struct {
			request string
			want    map[string]float64
		}{
			{`POST /api/stores {"store_id":"s"}`, with(map[string]float64{"stores PutItem": 1, "stores write": 1, "metadata PutItem": 1, "metadata write": 1})},
			{`POST /api/stores {"store_id":"s"}`, check},
			{`GET /api/stores/s`, check},
			{`GET /api/stores`, map[string]float64{"stores Scan": 1, "stores read": 0.5, "stores Scan items": 1}},
			{`POST /api/stores/s/records ` + record, with(with(map[string]float64{
				"records PutItem": 1, "records write": 6, "records Owner write": 6, "records Game write": 6,
				"metadata GetItem": 1, "metadata read": 0.5, "metadata PutItem": 1, "metadata write": 1,
			}))},
			{`POST /api/stores/s/records ` + record, with(with(map[string]float64{"records clashes": 1, "records write": 6}))},
			{`GET /api/stores/s/records/r`, map[string]float64{"records GetItem": 1, "records read": 1}},
			{`GET /api/stores/s/records/none`, map[string]float64{"records GetItem": 1, "records read": 0.5}},
			{`PUT /api/stores/s/records/r {"tags":["t"]}`, map[string]float64{
				"records GetItem": 1, "records read": 1, "records UpdateItem": 1, "records write": 6, "records Owner write": 6, "records Game write": 6,
			}},
			{`PUT /api/stores/s/records/r {"properties":{"owner_id":"p"}}`, map[string]float64{
				"records GetItem": 1, "records read": 1, "records UpdateItem": 1, "records write": 6, "records Owner write": 7, "records Game write": 6,
			}},
			{`GET /api/stores/s/records`, with(map[string]float64{"records Query": 1, "records read": 0.5, "records Query items": 1})},
			{`GET /api/stores/s/records?owner_id=p`, with(map[string]float64{"records Query": 1, "records Owner read": 0.5, "records Query items": 1})},
			{`GET /api/stores/s/records?game_id=g`, with(map[string]float64{"records Query": 1, "records Game read": 0.5, "records Query items": 1})},
			{`PUT /api/stores/s/records/r/blobs/b x`, map[string]float64{
				"records GetItem": 1, "records read": 0.5, "records UpdateItem": 1, "records write": 1, "records Owner write": 1, "records Game write": 1,
			}},
			{`PUT /api/stores/s/records/r/blobs/b x`, map[string]float64{"records GetItem": 1, "records read": 0.5}},
			{`GET /api/stores/s/records/r/blobs`, map[string]float64{"records GetItem": 1, "records read": 0.5}},
			{`GET /api/stores/s/records/r/blobs/b`, map[string]float64{"records GetItem": 1, "records read": 0.5}},
			{`DELETE /api/stores/s/records/r/blobs/b`, map[string]float64{
				"records GetItem": 1, "records read": 0.5, "records UpdateItem": 1, "records write": 1, "records Owner write": 1, "records Game write": 1,
			}},
			{`POST /api/metadata/k/i {"a":"` + large + `"}`, map[string]float64{"metadata PutItem": 1, "metadata write": 5}},
			{`POST /api/metadata/k/i {}`, map[string]float64{"metadata PutItem": 1, "metadata write": 5}},
			{`GET /api/metadata/k/i`, map[string]float64{"metadata GetItem": 1, "metadata read": 0.5}},
			{`DELETE /api/metadata/k/i`, map[string]float64{"metadata DeleteItem": 1, "metadata write": 1}},
			{`DELETE /api/stores/s/records/none`, map[string]float64{
				"records DeleteItem": 1, "records write": 1, "metadata GetItem": 1, "metadata read": 0.5, "metadata PutItem": 1, "metadata write": 1,
			}},
			{`DELETE /api/stores/s`, map[string]float64{
				"stores DeleteItem": 1, "stores write": 1, "records Query": 1, "records read": 0.5, "records Query items": 1,
				"records BatchWriteItem": 1, "records write": 1, "records Owner write": 1, "records Game write": 1, "metadata DeleteItem": 1, "metadata write": 1,
			}},
		} {
			m.rest(t, step.request)
			if diff := cmp.Diff(step.want, m.consumed(t, "AWS/DynamoDB")); diff != "" {
				t.Errorf("%.60s (-want +got)\n%s", step.request, diff)
			}
		}
	})
}
