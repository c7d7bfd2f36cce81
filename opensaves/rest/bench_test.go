package rest_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"opensaves-soak/opensaves"
)

var storedRecord = `{"store_id":"store-1","record_id":"record-1","tags":["alpha","beta"],"properties":{"level":12,"name":"hero","owner_id":"owner-7",` +
	`"game_id":"game-3","version":42,"won":true,"opaque":"` + strings.Repeat("QUJDREVGR0hJSktM", 50) + `"},` +
	`"created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z"}` + "\n"

func benchServer(b *testing.B) string {
	return serve(b, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, storedRecord)
	}).URL
}

// BenchmarkGetRecord is to be compared with BenchmarkBareLoop of the same run.
func BenchmarkGetRecord(b *testing.B) {
	client := newClient(b, testConfig(benchServer(b)), opensaves.Options{})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		var answer opensaves.Answer
		for pb.Next() {
			if err := client.Do(b.Context(), getRecord, &answer); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkBareLoop is net/http alone: it reads the body and does nothing with it.
func BenchmarkBareLoop(b *testing.B) {
	url := benchServer(b) + "/api/stores/s/records/r"
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	b.Cleanup(client.CloseIdleConnections)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		buffer := make([]byte, 64<<10)
		for pb.Next() {
			ctx, cancel := context.WithTimeout(b.Context(), 5*time.Second)
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
			if err != nil {
				b.Fatal(err)
			}
			response, err := client.Do(request)
			if err != nil {
				b.Fatal(err)
			}
			for err == nil {
				_, err = response.Body.Read(buffer)
			}
			_ = response.Body.Close()
			cancel()
		}
	})
}
