package kube_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	authentication "k8s.io/api/authentication/v1"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"opensaves-soak/tools/kube"
)

func TestAnAPIServer(t *testing.T) {
	server := kube.Start(t)
	admin := client(t, server.Config())
	namespace := &core.Namespace{ObjectMeta: meta.ObjectMeta{Name: "soak"}}
	if _, err := admin.CoreV1().Namespaces().Create(t.Context(), namespace, meta.CreateOptions{}); err != nil {
		t.Fatal(err)
	}

	t.Run("answers who has its kubeconfig, which only the owner reads", func(t *testing.T) {
		config, err := clientcmd.BuildConfigFromFlags("", server.Kubeconfig())
		if err != nil {
			t.Fatal(err)
		}
		got, err := client(t, config).Discovery().ServerVersion()
		if err != nil || got.GitVersion != "v1.34.4" {
			t.Fatalf("got version %v and error %v, want v1.34.4", got, err)
		}
		file, err := os.Stat(server.Kubeconfig())
		if err != nil || file.Mode() != 0o600 {
			t.Fatalf("got file %v and error %v, want mode 0600", file, err)
		}
	})
	t.Run("refuses a ServiceAccount's own token what RBAC does not give", func(t *testing.T) {
		_, err := client(t, serviceAccount(t, server, "soak", "nobody")).CoreV1().ConfigMaps("soak").List(t.Context(), meta.ListOptions{})
		if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), `"system:serviceaccount:soak:nobody"`) {
			t.Fatalf("got %v, want the list forbidden to the ServiceAccount", err)
		}
	})
	t.Run("hangs while it is paused", func(t *testing.T) {
		server.Pause()
		err := list(t, admin)
		server.Resume()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v, want no answer in time", err)
		}
		if _, err := admin.CoreV1().Namespaces().Get(t.Context(), "soak", meta.GetOptions{}); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("refuses connections while it is stopped, and keeps what it stored", func(t *testing.T) {
		maps := admin.CoreV1().ConfigMaps("soak")
		want, err := maps.Create(t.Context(), &core.ConfigMap{
			ObjectMeta: meta.ObjectMeta{Name: "plan"},
			Data:       map[string]string{"rate": "5"},
		}, meta.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		server.Stop()
		if err := list(t, admin); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("got %v, want connections refused", err)
		}
		server.Start()
		got, err := maps.Get(t.Context(), "plan", meta.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("the ConfigMap after the restart (-want +got):\n%s", diff)
		}
	})
	t.Run("ends where it is paused", func(t *testing.T) {
		server.Pause()
		server.Stop()
		if err := list(t, admin); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("got %v, want connections refused", err)
		}
	})
}

// list asks for namespaces and waits half a second for them.
func list(t *testing.T, c kubernetes.Interface) error {
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	_, err := c.CoreV1().Namespaces().List(ctx, meta.ListOptions{})
	return err
}

// serviceAccount makes a ServiceAccount, and returns what a client of it needs.
func serviceAccount(t *testing.T, server *kube.Server, namespace, name string) *rest.Config {
	t.Helper()
	accounts := client(t, server.Config()).CoreV1().ServiceAccounts(namespace)
	account := &core.ServiceAccount{ObjectMeta: meta.ObjectMeta{Name: name}}
	if _, err := accounts.Create(t.Context(), account, meta.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	request, err := accounts.CreateToken(t.Context(), name, &authentication.TokenRequest{}, meta.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	config := rest.AnonymousClientConfig(server.Config())
	config.BearerToken = request.Status.Token
	return config
}

func client(t *testing.T, config *rest.Config) kubernetes.Interface {
	t.Helper()
	c, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
