// Package kube runs a real Kubernetes API server for tests: kube-apiserver on loopback
// with an etcd of its own, without root. It has no controllers and no kubelet: nothing
// runs Pods, and a namespace gets no ServiceAccount by itself.
package kube

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/util/cert"

	"opensaves-soak/tools"
)

// Server is an API server that authorizes by RBAC, admits without ServiceAccounts and
// makes tokens for them. Its methods belong to the goroutine of the test that started
// it, and fail that test where they cannot do as they say.
type Server struct {
	t          testing.TB
	config     *rest.Config
	kubeconfig string
	path       string
	args       []string
	apiserver  *process
}

// Start runs a Server until the test has ended, and returns once it is ready.
func Start(t testing.TB) *Server {
	t.Helper()
	directory := t.TempDir()
	certificate, key, err := cert.GenerateSelfSignedCertKey("127.0.0.1", nil, nil)
	if err != nil {
		t.Fatalf("making the API server's certificate: %v", err)
	}
	token := rand.Text()
	write := func(name string, content []byte) string {
		path := filepath.Join(directory, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	port, accounts := hold(t), write("accounts.pem", privateKey(t))
	s := &Server{
		t: t,
		config: &rest.Config{
			Host:            fmt.Sprintf("https://127.0.0.1:%d", port),
			BearerToken:     token,
			TLSClientConfig: rest.TLSClientConfig{CAData: certificate},
		},
		kubeconfig: filepath.Join(directory, "kubeconfig"),
		path:       tools.Path(t, "kube-apiserver"),
		args: []string{
			"--etcd-servers=" + startEtcd(t),
			"--bind-address=127.0.0.1",
			"--advertise-address=127.0.0.1",
			"--endpoint-reconciler-type=none", // it would refuse an address of loopback
			fmt.Sprintf("--secure-port=%d", port),
			"--permit-port-sharing",
			"--shutdown-watch-termination-grace-period=1s", // an open watch would outlast grace
			"--tls-cert-file=" + write("server.crt", certificate),
			"--tls-private-key-file=" + write("server.key", key),
			"--token-auth-file=" + write("tokens.csv", []byte(token+",admin,admin,system:masters\n")),
			"--authorization-mode=RBAC",
			"--disable-admission-plugins=ServiceAccount",
			"--service-account-issuer=https://kubernetes.default.svc",
			"--service-account-key-file=" + accounts,
			"--service-account-signing-key-file=" + accounts,
			"--service-cluster-ip-range=10.96.0.0/16",
		},
	}
	if err := clientcmd.WriteToFile(s.access(), s.kubeconfig); err != nil {
		t.Fatalf("writing the kubeconfig: %v", err)
	}
	s.Start()
	return s
}

// Config returns what a client of the admin needs, who may do everything. It is the
// caller's own.
func (s *Server) Config() *rest.Config { return rest.CopyConfig(s.config) }

// Kubeconfig returns the path of a kubeconfig file of the admin, of mode 0600.
func (s *Server) Kubeconfig() string { return s.kubeconfig }

// Pause stops the process of the API server where it is: connections are made, and
// requests hang, until Resume.
func (s *Server) Pause() {
	s.t.Helper()
	s.signal(syscall.SIGSTOP)
	// The signal is on its way only: requests are answered until the last thread has stopped.
	if err := s.apiserver.stopped(); err != nil {
		s.t.Fatalf("pausing the API server: %v", err)
	}
}

// Resume has the API server go on after Pause.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

// Stop ends the API server within some 2 s, watches too: connections are refused until
// Start. What it stored stays. Stopping one that has ended does nothing.
func (s *Server) Stop() { s.apiserver.end() }

// Start runs the API server again after Stop, on the same port and with what it
// stored, and returns once it is ready.
func (s *Server) Start() {
	s.t.Helper()
	s.apiserver = launch(s.t, s.path, s.args...)
	client, err := rest.HTTPClientFor(s.config)
	if err != nil {
		s.t.Fatalf("making a client of the API server: %v", err)
	}
	defer client.CloseIdleConnections()
	s.apiserver.await(client, s.config.Host+"/readyz")
}

func (s *Server) signal(signal os.Signal) {
	s.t.Helper()
	if err := s.apiserver.Process.Signal(signal); err != nil {
		s.t.Fatalf("sending %v to the API server: %v", signal, err)
	}
}

func (s *Server) access() api.Config {
	const name = "test"
	return api.Config{
		Clusters: map[string]*api.Cluster{
			name: {Server: s.config.Host, CertificateAuthorityData: s.config.CAData},
		},
		AuthInfos:      map[string]*api.AuthInfo{name: {Token: s.config.BearerToken}},
		Contexts:       map[string]*api.Context{name: {Cluster: name, AuthInfo: name}},
		CurrentContext: name,
	}
}

// startEtcd runs an etcd until the test has ended, and returns its URL once it is ready.
func startEtcd(t testing.TB) string {
	t.Helper()
	clients := fmt.Sprintf("http://127.0.0.1:%d", hold(t))
	etcd := launch(t, tools.Path(t, "etcd"),
		"--data-dir="+t.TempDir(),
		"--listen-client-urls="+clients,
		"--advertise-client-urls="+clients,
		fmt.Sprintf("--listen-peer-urls=http://127.0.0.1:%d", hold(t)),
		"--socket-reuse-port",
		"--unsafe-no-fsync", // it need not outlive the machine
	)
	etcd.await(http.DefaultClient, clients+"/readyz")
	return clients
}

// privateKey is a new one in PEM, which signs the tokens of ServiceAccounts.
func privateKey(t testing.TB) []byte {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatalf("making a key: %v", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
}
