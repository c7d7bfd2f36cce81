package grpc_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"opensaves-soak/opensaves"
	"opensaves-soak/opensaves/grpc/api"
)

func benchServer(b *testing.B) string {
	record := &api.Record{
		Key: "record-1", OwnerId: "owner-7", Tags: []string{"alpha", "beta"}, OpaqueString: strings.Repeat("QUJDREVGR0hJSktM", 50),
		Properties: map[string]*api.Property{"level": numberOf(12), "name": textOf("hero"), "version": numberOf(42), "game_id": textOf("game-3")},
		Signature:  []byte("0123456789abcdef"),
	}
	return serve(b, func(context.Context, any) (any, error) { return record, nil }, nil)
}

// BenchmarkGetRecord is to be compared with BenchmarkBareLoop of the same run.
func BenchmarkGetRecord(b *testing.B) {
	c := newClient(b, testConfig(benchServer(b)), opensaves.Options{})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		var answer opensaves.Answer
		for pb.Next() {
			if err := c.Do(b.Context(), getRecord, &answer); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkBareLoop is grpc-go alone, with the generated client.
func BenchmarkBareLoop(b *testing.B) {
	conn, err := grpc.NewClient(benchServer(b), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	c := api.NewOpenSavesClient(conn)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			ctx, cancel := context.WithTimeout(b.Context(), 5*time.Second)
			if _, err := c.GetRecord(ctx, &api.GetRecordRequest{StoreKey: "s", Key: "r"}); err != nil {
				b.Fatal(err)
			}
			cancel()
		}
	})
}
