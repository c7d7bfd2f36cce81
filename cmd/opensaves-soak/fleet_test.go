package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"opensaves-soak/tools/kube"
)

// pods are daemons that share a load, each a process of its own.
type pods struct {
	*testing.T
	api    *kube.Server
	target string // the sandbox
	config string
	all    map[int]*process
	counts *tallies
}

// startPods starts a sandbox that counts what arrives, and n daemons.
func startPods(t *testing.T, rps, n int) *pods {
	p := &pods{T: t, api: kube.Start(t), all: map[int]*process{}, config: filepath.Join(t.TempDir(), "config.yaml")}
	client := kubernetes.NewForConfigOrDie(p.api.Config())
	_, err := client.CoreV1().Namespaces().Create(t.Context(), &core.Namespace{ObjectMeta: meta.ObjectMeta{Name: "soak"}}, meta.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.CoreV1().ConfigMaps("soak").Create(t.Context(), &core.ConfigMap{ObjectMeta: meta.ObjectMeta{Name: "soak-load"}}, meta.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	// Pings are what only arrivals send.
	text := fmt.Sprintf("load: {rps: %d, max_rps: %d, operations: {ping: 1}}\ndata: {stores: 1, records: 10, cleanup: false}\nverify: {self_test: false}\n", rps, rps)
	if err := os.WriteFile(p.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p.target = p.launch("sandbox", "--web.listen-address=127.0.0.1:0").url
	p.counts = &tallies{url: p.target + "/api/v1/sandbox/requests"}
	p.counts.begin(t)
	for i := range n {
		p.add(i)
	}
	return p
}

func (p *pods) launch(args ...string) *process {
	p.Helper()
	one, err := launch(exec.Command(name, args...))
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() {
		_ = one.end(syscall.SIGKILL) // most are over
		if p.Failed() {
			p.Logf("%s:\n%s", strings.Join(args, " "), one.err.String())
		}
	})
	return one
}

func (p *pods) add(i int) {
	p.Helper()
	p.all[i] = p.launch("run", "--config.file="+p.config, "--target.address="+p.target, "--web.listen-address=127.0.0.1:0",
		"--kubernetes", "--kubernetes.name=soak", "--kubernetes.namespace=soak", fmt.Sprintf("--kubernetes.replica=soak-%d", i), "--kubernetes.kubeconfig="+p.api.Kubeconfig())
}

// end ends one, and waits until it is over.
func (p *pods) end(i int, signal syscall.Signal) {
	p.Helper()
	one := p.all[i]
	delete(p.all, i)
	if err := one.end(signal); err != nil && signal == syscall.SIGTERM {
		p.Errorf("soak-%d: got %v, want exit status 0", i, err)
	}
}

func (p *pods) signal(i int, signal syscall.Signal) {
	p.Helper()
	if err := p.all[i].cmd.Process.Signal(signal); err != nil {
		p.Fatal(err)
	}
}

// patch asks one of the replicas for another rate.
func (p *pods) patch(i int, document string) {
	p.Helper()
	answer, err := ask(http.MethodPatch, p.all[i].url+"/api/v1/load", document)
	if err != nil || !strings.HasPrefix(answer, "200") {
		p.Fatalf("soak-%d: got %s, %v, want status 200", i, answer, err)
	}
}

// share waits until one says that it makes such a part of such a rate.
func (p *pods) share(i, rps, count int) {
	p.Helper()
	want := fmt.Sprintf(`"rps":%d,.*"limited_by":null.*"share_rps":%v,.*"count":%d`, rps, float64(rps)/float64(count), count)
	if err := becomes(p.all[i].url+"/api/v1/load", want); err != nil {
		p.Fatal(err)
	}
}

// led holds that exactly one leads.
func (p *pods) led() {
	p.Helper()
	leaders := 0
	for _, one := range p.all {
		page, err := ask(http.MethodGet, one.url+"/metrics", "")
		if err != nil {
			p.Fatal(err)
		}
		leaders += strings.Count(page, "\nopensaves_soak_leader 1")
	}
	if leaders != 1 {
		p.Errorf("got %d leaders, want one", leaders)
	}
}

// tally is how many pings the sandbox had seen at some instant between two.
type tally struct {
	asked, told time.Time
	pings       int
}

// tallies are taken all the time, in the background.
type tallies struct {
	url string
	mu  sync.Mutex
	all []tally
}

func (c *tallies) begin(t *testing.T) {
	var watch sync.WaitGroup
	done := t.Context().Done()
	watch.Go(func() {
		beat := time.NewTicker(50 * time.Millisecond)
		defer beat.Stop()
		for {
			select {
			case <-done:
				return
			case <-beat.C:
				c.take()
			}
		}
	})
	t.Cleanup(watch.Wait)
}

func (c *tallies) take() {
	one := tally{asked: time.Now()}
	answer, err := ask(http.MethodGet, c.url, "")
	one.told = time.Now()
	_, body, _ := strings.Cut(answer, "\n")
	counts := map[string]int{}
	if err != nil || json.Unmarshal([]byte(body), &counts) != nil {
		return // the sandbox has ended, or the test
	}
	one.pings = counts["ping"]
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, one)
}

func (c *tallies) taken() []tally {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all
}

// most is the highest rate of any ten seconds between two instants.
func (c *tallies) most(from, to time.Time) (most float64) {
	all := c.taken()
	j := 0
	for i, first := range all {
		for j+1 < len(all) && all[j+1].told.Sub(first.asked) <= 10*time.Second {
			j++
		}
		if first.asked.After(from) && all[j].told.Before(to) && j > i {
			most = max(most, float64(all[j].pings-first.pings)/10)
		}
	}
	return most
}

// rate is what arrived for a time from an instant on, a second.
func (c *tallies) rate(from time.Time, d time.Duration) float64 {
	time.Sleep(time.Until(from.Add(d + 200*time.Millisecond)))
	var first, last tally
	for _, one := range c.taken() {
		if one.asked.Before(from) {
			first = one
		}
		if one.told.Before(from.Add(d)) {
			last = one
		}
	}
	return float64(last.pings-first.pings) / last.told.Sub(first.told).Seconds()
}

// back holds that the whole rate arrives again, some time after now.
func (p *pods) back(what string, after time.Duration, rps float64) {
	p.Helper()
	got := p.counts.rate(time.Now().Add(after), 5*time.Second)
	if got < 0.97*rps || got > 1.03*rps {
		p.Errorf("%s: got %.1f requests a second %s later, want %v", what, got, after, rps)
	}
	p.Logf("%s: %.1f requests a second from %s later on", what, got, after)
}

func TestAFleetKeepsToItsRateWhateverHappensToIt(t *testing.T) {
	inTurn(t)
	p := startPods(t, 400, 4)
	for i := range p.all {
		p.share(i, 400, 4)
	}
	began := time.Now()
	p.back("four have joined", 2*time.Second, 400)

	p.end(0, syscall.SIGKILL) // which leads, as the first one
	p.back("one was killed", 16*time.Second, 400)
	p.led()

	p.end(1, syscall.SIGTERM)
	p.back("one has left", 2*time.Second, 400)

	p.signal(2, syscall.SIGSTOP)
	stopped := time.Now()
	p.patch(3, `{"rps": 300, "reason": "while one is stopped"}`)
	changed := time.Now()
	p.add(4)
	p.add(5)
	time.Sleep(time.Until(stopped.Add(20 * time.Second)))
	p.signal(2, syscall.SIGCONT)
	p.back("one was stopped for 20 s, and two have joined", 2*time.Second, 300)
	for _, i := range []int{2, 3, 4, 5} {
		p.share(i, 300, 4)
	}

	p.api.Stop()
	cut := time.Now()
	if got := p.counts.rate(cut.Add(11*time.Second), 5*time.Second); got != 0 {
		t.Errorf("without API server for 11 s: got %.1f requests a second, want none", got)
	}
	time.Sleep(time.Until(cut.Add(30 * time.Second)))
	p.api.Start()
	p.back("the API server was gone for 30 s", 5*time.Second, 300)
	p.patch(4, `{"rps": null}`)
	p.back("the override has ended", 6*time.Second, 400) // watches come back later than the API server

	if most := p.counts.most(began, time.Now()); most > 1.01*400+late {
		t.Errorf("got %.1f requests a second within some 10 s, want at most %.0f", most, 1.01*400)
	} else {
		t.Logf("at most %.1f requests a second within any 10 s", most)
	}
	if most := p.counts.most(changed.Add(10*time.Second), cut.Add(30*time.Second)); most > 1.01*300+late {
		t.Errorf("at the lower rate: got %.1f requests a second within some 10 s, want at most %.0f", most, 1.01*300)
	}
	for i := range p.all {
		p.end(i, syscall.SIGTERM)
	}
}

// late is for requests that were sent before the window and arrived in it, on a
// machine that is busy: 100 ms of the rate, over 10 s.
const late = 4
