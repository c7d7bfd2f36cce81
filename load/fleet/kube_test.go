package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	coordination "k8s.io/api/coordination/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"opensaves-soak/load/desired"
	"opensaves-soak/tools/kube"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// town is a namespace on a real API server, with the fleet's ConfigMap.
type town struct {
	*testing.T
	server *kube.Server
	client *kubernetes.Clientset
}

func newTown(t *testing.T) *town {
	server := kube.Start(t)
	client, err := kubernetes.NewForConfig(server.Config())
	if err != nil {
		t.Fatal(err)
	}
	c := &town{t, server, client}
	c.must(client.CoreV1().Namespaces().Create(t.Context(), &core.Namespace{ObjectMeta: meta.ObjectMeta{Name: "soak"}}, meta.CreateOptions{}))
	c.must(client.CoreV1().ConfigMaps("soak").Create(t.Context(), &core.ConfigMap{ObjectMeta: meta.ObjectMeta{Name: "soak-load"}}, meta.CreateOptions{}))
	return c
}

func (c *town) must(_ any, err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

// citizen is one replica.
type citizen struct {
	*Fleet
	store *desired.Store
	kill  context.CancelFunc // ends it
	leave context.CancelFunc // ends its membership
	ended sync.WaitGroup

	mu    sync.Mutex
	place desired.Place
}

func (c *town) join(name string) *citizen {
	one := &citizen{store: desired.NewStore(time.Now(), desired.Base{RPS: 50, MaxRPS: 500}, desired.Hooks{})}
	var err error
	one.Fleet, err = New(Options{
		Cluster: c.server.Config(), Namespace: "soak", Name: "soak", Replica: name,
		Adopt: func(_ context.Context, document []byte, version string) error {
			_, err := one.store.Adopt(time.Now(), document, version, desired.Fleet)
			return err
		},
		Report: func() desired.Report { return desired.Report{AchievedRPS: 7, Records: []string{name}} },
		Log:    slog.New(slog.DiscardHandler),
	})
	if err != nil {
		c.Fatal(err)
	}
	run, kill := context.WithCancel(c.Context())
	member, leave := context.WithCancel(run)
	one.kill, one.leave = kill, leave
	one.ended.Go(func() { _ = one.Run(run) }) // it only ends when it is told to
	one.ended.Go(func() { one.Join(member, one.act) })
	c.Cleanup(func() {
		kill()
		one.ended.Wait()
	})
	return one
}

func (o *citizen) act(p desired.Place) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.place = p
}

func (o *citizen) share() float64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.place.At(time.Now())
}

// within waits until something is so.
func (c *town) within(limit time.Duration, what string, is func() bool) {
	c.Helper()
	beat := time.NewTicker(20 * time.Millisecond)
	defer beat.Stop()
	for end := time.Now().Add(limit); !is(); <-beat.C {
		if time.Now().After(end) {
			c.Fatalf("got something else for %s, want %s", limit, what)
		}
	}
}

// edit writes the document as kubectl edit does.
func (c *town) edit(text string) {
	c.Helper()
	patch, err := json.Marshal(map[string]any{"data": map[string]string{key: text}})
	if err != nil {
		c.Fatal(err)
	}
	c.must(c.client.CoreV1().ConfigMaps("soak").Patch(c.Context(), "soak-load", "application/merge-patch+json", patch, meta.PatchOptions{}))
}

// publish writes the Lease of a process of another version.
func (c *town) publish(name, view string) {
	c.Helper()
	leases := c.client.CoordinationV1().Leases("soak")
	l, err := leases.Get(c.Context(), name, meta.GetOptions{})
	l.Name, l.Labels, l.Annotations = name, map[string]string{label: "soak"}, map[string]string{annotation: view}
	if err != nil {
		c.must(leases.Create(c.Context(), &coordination.Lease{ObjectMeta: meta.ObjectMeta{Name: name, Labels: l.Labels, Annotations: l.Annotations}}, meta.CreateOptions{}))
		return
	}
	c.must(leases.Update(c.Context(), l, meta.UpdateOptions{}))
}

func TestAFleetOnARealAPIServer(t *testing.T) {
	c := newTown(t)
	a := c.join("soak-0")
	c.within(10*time.Second, "a replica alone to send all", func() bool { return a.share() == 1 })
	c.within(10*time.Second, "it to lead", a.Leads)
	b := c.join("soak-1")
	c.within(5*time.Second, "two to send a half each", func() bool { return a.share() == 0.5 && b.share() == 0.5 })
	c.within(10*time.Second, "each to know what the other tells", func() bool {
		others := a.Others()
		return others.AchievedRPS == 7 && strings.Join(others.Records, " ") == "soak-1"
	})

	t.Run("Leases go with the ConfigMap", func(t *testing.T) {
		kept, err := c.client.CoreV1().ConfigMaps("soak").Get(t.Context(), "soak-load", meta.GetOptions{})
		c.must(nil, err)
		l, err := c.client.CoordinationV1().Leases("soak").Get(t.Context(), "soak-0", meta.GetOptions{})
		c.must(nil, err)
		if owners := l.OwnerReferences; len(owners) != 1 || owners[0].UID != kept.UID {
			t.Errorf("got owners %+v, want the ConfigMap", owners)
		}
	})

	t.Run("a document that is written by one or by hand is in force for all", func(t *testing.T) {
		_, version, err := a.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Write(t.Context(), []byte(`{"schema":1,"override":{"rps":100}}`), version); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Write(t.Context(), []byte(`{"schema":1}`), version); !errors.Is(err, desired.ErrConflict) {
			t.Errorf("for an old version: got %v, want ErrConflict", err)
		}
		c.within(2*time.Second, "both to want 100", func() bool { return a.wants() == 100 && b.wants() == 100 })
		c.edit(`{"schema": 1, "override": {"rps": 200}}`)
		c.within(2*time.Second, "both to want 200", func() bool { return a.wants() == 200 && b.wants() == 200 })
	})

	t.Run("a broken document is refused, and told in an event", func(t *testing.T) {
		c.edit(`rps: 300`)
		var found []core.Event
		c.within(5*time.Second, "an event of each replica", func() bool {
			list, err := c.client.CoreV1().Events("soak").List(t.Context(), meta.ListOptions{})
			if err != nil {
				t.Fatal(err)
			}
			found = list.Items
			return len(found) == 2
		})
		if e := found[0]; e.Type != core.EventTypeWarning || e.Reason != "LoadRefused" || e.InvolvedObject.Name != "soak-load" || !strings.Contains(e.Message, "invalid character") {
			t.Errorf("got event %+v, want a warning of the ConfigMap that says why", e)
		}
		if a.wants() != 200 || a.share() != 0.5 {
			t.Errorf("got %v wanted and share %v, want the last good load of 200 and a half of it", a.wants(), a.share())
		}
		c.edit(``)
		c.within(2*time.Second, "the configuration's load", func() bool { return a.wants() == 50 && b.wants() == 50 })
	})

	t.Run("processes of other versions share the fleet", func(t *testing.T) {
		c.publish("soak-2", `{"members":["soak-0","soak-1","soak-2"]}`) // an older one, without a schema or a report
		c.within(3*time.Second, "a third each", func() bool { return near(a.share(), 1./3) && near(b.share(), 1./3) })
		c.publish("soak-3", `{"schema":2,"members":["soak-0","soak-1","soak-2","soak-3"],"weights":{"soak-3":9}}`) // a newer one
		c.publish("soak-2", `{"members":["soak-0","soak-1","soak-2","soak-3"]}`)
		c.within(3*time.Second, "a quarter each", func() bool { return near(a.share(), 0.25) && near(b.share(), 0.25) })
		c.publish("soak-4", `nonsense`) // gives nobody a share until it expires
		c.within(3*time.Second, "nothing", func() bool { return a.share() == 0 && b.share() == 0 })
	})

	t.Run("another one leads and all is sent when one ends", func(t *testing.T) {
		led := make(chan struct{})
		go b.Lead(t.Context(), func(ctx context.Context) {
			close(led)
			<-ctx.Done()
		})
		a.kill()
		a.ended.Wait()
		c.within(15*time.Second, "the other one to lead", b.Leads)
		<-led
		c.within(16*time.Second, "all to be sent", func() bool { return b.share() == 1 })
	})

	t.Run("who leaves leaves no Lease", func(t *testing.T) {
		b.leave()
		c.within(5*time.Second, "no Lease of it", func() bool {
			_, err := c.client.CoordinationV1().Leases("soak").Get(t.Context(), "soak-1", meta.GetOptions{})
			return err != nil
		})
	})
}

func (o *citizen) wants() float64 { return o.store.Get().At(time.Now()).Target }

func near(a, b float64) bool { return a-b < 1e-9 && b-a < 1e-9 }
