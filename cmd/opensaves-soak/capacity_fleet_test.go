package main

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"opensaves-soak/load/desired"
)

func TestAFleetThatToldOfNoRateWithinAStepHeldNone(t *testing.T) {
	for settle, want := range map[time.Duration]string{
		12 * time.Second: "Held no rate; the tester itself fell short at 100 requests a second: the rate of the fleet: got none, want a step of 15s or more.",
		15 * time.Second: "Held no rate; the tester itself fell short at 100 requests a second: the fleet made 52 of 100.",
	} {
		synctest.Test(t, func(t *testing.T) {
			r := rampUp(t, 1e6, desired.Base{RPS: 100, MaxRPS: 400})
			r.replicas, r.fleet = 2, 0.52
			s := r.search(t)
			s.settle, s.prove = settle, 10*time.Second
			s.run(t.Context())
			if got := s.result.String(); got != want {
				t.Errorf("settle %s:\ngot  %s\nwant %s", settle, got, want)
			}
		})
	}
}

func TestAReplicaAloneSearchesInShortSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rampUp(t, 1e6, desired.Base{RPS: 100, MaxRPS: 400})
		s := r.search(t)
		s.settle, s.prove = 12*time.Second, 10*time.Second
		s.run(t.Context())
		if got := s.result; !got.Proven || got.RPS != 400 {
			t.Errorf("got %v, want 400 proven", got)
		}
	})
}

func TestALeaderThatIsToldToEndTakesItsRateOutOfTheFleet(t *testing.T) {
	inTurn(t)
	p := startPods(t, 50, 0)
	text := `
load: {rps: 20, max_rps: 50, operations: {ping: 1}, stages: [{rps: 30, duration: 24h, find_capacity: true}]}
data: {stores: 1, records: 10, cleanup: false}
verify: {self_test: false}
`
	if err := os.WriteFile(p.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	const mark = "capacity search: "
	p.add(0)
	if err := becomes(p.all[0].url+"/api/v1/load", `"source":"api"`); err != nil {
		t.Fatal(err)
	}
	if got := p.document(); !strings.Contains(got, mark) {
		t.Errorf("got %s of the fleet while its leader searches, want %q in it", got, mark)
	}
	p.end(0, syscall.SIGTERM)
	if got := p.document(); strings.Contains(got, mark) {
		t.Errorf("got %s of the fleet after its leader has ended, want no %q in it", got, mark)
	}
}

// document is what the API server has of the load.
func (p *pods) document() (text string) {
	p.Helper()
	kept, err := kubernetes.NewForConfigOrDie(p.api.Config()).CoreV1().ConfigMaps("soak").Get(p.Context(), "soak-load", meta.GetOptions{})
	if err != nil {
		p.Fatal(err)
	}
	for _, value := range kept.Data {
		text += value
	}
	return text
}
