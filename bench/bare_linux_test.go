package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	_ "net/http/pprof" // on loopback, for as long as a benchmark runs
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves/grpc/api"
)

// bareVariable makes this binary a bare loop instead of a test.
const bareVariable = "BENCH_BARE_LOOP"

func TestMain(m *testing.M) {
	if address := os.Getenv(bareVariable); address != "" {
		if err := serveBare(address, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// bareTask is what a bare loop does: get_record at a rate.
type bareTask struct {
	Address     string        // of the sandbox
	GRPC        bool          // else REST
	Connections int           // gRPC: channels that calls take in turn
	Timeout     time.Duration // of a request
	Keys        [][2]string   // store and key of records, read in this order, over and over
}

// bareCount is what a loop has done so far.
type bareCount struct{ Sent, Failed int64 }

// bare is the least that sends the daemon's requests: one pacer, a goroutine for
// each request, a deadline, and a look at the status. It decodes what the
// generated stub decodes, and on REST reads the body and drops it.
type bare struct {
	bareTask
	get    func(ctx context.Context, n int) error
	sent   atomic.Int64
	failed atomic.Int64
}

// serveBare reads a task from in, then rates, each of which it answers with its count.
func serveBare(address string, in io.Reader, out io.Writer) error {
	go func() { _ = http.ListenAndServe(address, nil) }() // profiles, until the process ends
	orders, answers := json.NewDecoder(in), json.NewEncoder(out)
	var l bare
	if err := orders.Decode(&l.bareTask); err != nil {
		return fmt.Errorf("reading the task: %w", err)
	}
	l.get = l.http()
	if l.GRPC {
		var err error
		if l.get, err = l.grpc(); err != nil {
			return err
		}
	}
	rates := make(chan float64)
	go l.pace(rates)
	for {
		var rate float64
		if err := orders.Decode(&rate); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading a rate: %w", err)
		}
		rates <- rate
		if err := answers.Encode(bareCount{Sent: l.sent.Load(), Failed: l.failed.Load()}); err != nil {
			return fmt.Errorf("writing the count: %w", err)
		}
	}
}

// pace sends when it is due, and never waits for an answer.
func (l *bare) pace(rates <-chan float64) {
	var due time.Time
	var gap time.Duration // 0: nothing is due
	timer := time.NewTimer(time.Hour)
	for n := 0; ; {
		for now := time.Now(); gap > 0 && !due.After(now); due = due.Add(gap) {
			go l.send(n)
			n++
		}
		timer.Stop()
		if gap > 0 {
			timer.Reset(time.Until(due))
		}
		select {
		case <-timer.C:
		case rate := <-rates:
			due, gap = time.Now(), 0
			if rate > 0 {
				gap = time.Duration(float64(time.Second) / rate)
			}
		}
	}
}

func (l *bare) send(n int) {
	ctx, cancel := context.WithTimeout(context.Background(), l.Timeout)
	defer cancel()
	l.sent.Add(1)
	if err := l.get(ctx, n); err != nil {
		l.failed.Add(1)
	}
}

// http is net/http as it is used, but that it asks for no compression, and keeps
// connections for as long as the daemon does.
func (l *bare) http() func(context.Context, int) error {
	client := &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 1000, IdleConnTimeout: 50 * time.Second, DisableCompression: true,
	}}
	buffers := sync.Pool{New: func() any { return new([64 << 10]byte) }}
	urls := make([]string, len(l.Keys))
	for i, k := range l.Keys {
		urls[i] = "http://" + l.Address + "/api/stores/" + k[0] + "/records/" + k[1]
	}
	return func(ctx context.Context, n int) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, urls[n%len(urls)], nil)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		buffer := buffers.Get().(*[64 << 10]byte)
		defer buffers.Put(buffer)
		for err == nil {
			_, err = response.Body.Read(buffer[:])
		}
		if !errors.Is(err, io.EOF) || response.StatusCode != http.StatusOK {
			return fmt.Errorf("reading a record: got %s, %w", response.Status, err)
		}
		return nil
	}
}

// grpc is grpc-go as it is used, with the generated stub.
func (l *bare) grpc() (func(context.Context, int) error, error) {
	stubs := make([]api.OpenSavesClient, l.Connections)
	for i := range stubs {
		conn, err := grpc.NewClient(l.Address, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return nil, fmt.Errorf("opening a channel: %w", err)
		}
		stubs[i] = api.NewOpenSavesClient(conn)
	}
	return func(ctx context.Context, n int) error {
		k := l.Keys[n%len(l.Keys)]
		_, err := stubs[n%len(stubs)].GetRecord(ctx, &api.GetRecordRequest{StoreKey: k[0], Key: k[1]})
		return err
	}, nil
}

// bareProcess is a bare loop as another process.
type bareProcess struct {
	*process
	orders  *json.Encoder
	answers *json.Decoder
}

func newBare(b *testing.B, r *rig, keys [][2]string) *bareProcess {
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	address := freeAddress(b)
	command := exec.CommandContext(b.Context(), self)
	command.Env = append(os.Environ(), bareVariable+"="+address)
	in, err := command.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	p := &bareProcess{process: run(b, "bare", address, command), orders: json.NewEncoder(in), answers: json.NewDecoder(out)}
	task := bareTask{
		Address: r.sandbox.address, GRPC: r.wire == metric.GRPC, Keys: keys,
		Connections: r.daemon.connections(b, r.sandbox.address), Timeout: 5 * time.Second,
	}
	if err := p.orders.Encode(task); err != nil {
		b.Fatal(err)
	}
	return p
}

// rate sets the loop's, and returns its count so far.
func (p *bareProcess) rate(b *testing.B, rps float64) (count bareCount) {
	if err := errors.Join(p.orders.Encode(rps), p.answers.Decode(&count)); err != nil {
		b.Fatal(err)
	}
	return count
}
