package opensaves_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/config"
	"go.yaml.in/yaml/v3"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves"
)

func TestConfigNamesEveryMistake(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*opensaves.Config)
		want   string
	}{
		"the defaults are right":                 {func(*opensaves.Config) {}, ""},
		"a URL with a port is right":             {func(c *opensaves.Config) { c.Address = "http://open-saves.open-saves.svc:8080/" }, ""},
		"a URL without a port is right":          {func(c *opensaves.Config) { c.Address = "HTTPS://[::1]" }, ""},
		"a host and port is right":               {func(c *opensaves.Config) { c.Address = "open-saves:6000" }, ""},
		"a name for the resolver is right":       {func(c *opensaves.Config) { c.Address = "dns:///open-saves:6000" }, ""},
		"times of 0 or less":                     {func(c *opensaves.Config) { c.Timeout, c.BlobTimeout, c.ConnectionMaxAge = -1e9, 0, -1 }, "target.timeout: got -1s, want more than 0s\ntarget.blob_timeout: got 0s, want more than 0s\ntarget.connection_max_age: got -1ns, want 0s or more"},
		"an unknown protocol":                    {func(c *opensaves.Config) { c.Protocol = "soap" }, `target.protocol: got "soap", want http or grpc`},
		"an unknown backend":                     {func(c *opensaves.Config) { c.Backend = "paper" }, `target.backend: got "paper", want dynamodb or documentdb`},
		"http with protocol grpc":                {func(c *opensaves.Config) { c.Address, c.Protocol = "http://a:1", "grpc" }, "target.address: got an http address with protocol grpc, want host:port or dns:///name:port"},
		"host and port with protocol http":       {func(c *opensaves.Config) { c.Address, c.Protocol = "localhost:8080", "http" }, `target.address: got "localhost:8080" with protocol http, want http(s)://host[:port]`},
		"a password in a URL does not show":      {func(c *opensaves.Config) { c.Address = "http://u:hush@a" }, "target.address: got a user in the URL, want http(s)://host[:port] and the Authorization header in header_files"},
		"a password in an address does not show": {func(c *opensaves.Config) { c.Address = "u:hush@a:1" }, "target.address: got a user in the address, want host:port and the credentials in header_files"},
		"a URL with a path":                      {func(c *opensaves.Config) { c.Address = "http://a/api" }, `target.address: got "http://a/api" with a path, want http(s)://host[:port]`},
		"a URL with a bad port":                  {func(c *opensaves.Config) { c.Address = "http://a:0" }, `target.address: got "http://a:0" with port "0", want a port from 1 to 65535`},
		"a host without a port":                  {func(c *opensaves.Config) { c.Address = "open-saves" }, `target.address: got "open-saves", want http(s)://host[:port], host:port or dns:///name:port`},
		"an unknown scheme":                      {func(c *opensaves.Config) { c.Address = "xds:///a:1" }, `target.address: got "xds:///a:1", want http(s)://host[:port], host:port or dns:///name:port`},
		"two ways to trust":                      {func(c *opensaves.Config) { c.TLS = &config.TLSConfig{CA: "a", CAFile: "b"} }, "target.tls: at most one of ca, ca_file & ca_ref must be configured"},
		"headers that cannot be": {func(c *opensaves.Config) {
			c.Headers = map[string]config.Secret{"A b": "x", "Content-Length": "1", "Empty": "", "X": "hu\nsh", "grpc-timeout": "1", "Auth": "x"}
			c.HeaderFiles = map[string]string{"auth": "/f", "Y": ""}
		}, "target.headers.A b: got no header name\n" +
			"target.headers.Content-Length: got a header that the wire sets itself, want another one\n" +
			"target.headers.Empty: got an empty value\n" +
			"target.headers.X: got a value with a character that no header may hold\n" +
			"target.headers.grpc-timeout: got a header that the wire sets itself, want another one\n" +
			"target.header_files.Y: got no path, want a file\n" +
			"target.header_files.auth: got the header a second time, want it only as target.headers.Auth"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := opensaves.DefaultConfig()
			test.change(&cfg)
			got := ""
			if err := cfg.Validate(); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheWireFollowsTheAddress(t *testing.T) {
	for _, test := range []struct {
		address, protocol string
		want              metric.Protocol
	}{
		{"http://a", "", metric.HTTP},
		{"HTTPS://a", "", metric.HTTP},
		{"a:1", "", metric.GRPC},
		{"dns:///a:1", "", metric.GRPC},
		{"", "", metric.GRPC},
		{"", "http", metric.HTTP},
		{"", "grpc", metric.GRPC},
	} {
		cfg := opensaves.Config{Address: test.address, Protocol: test.protocol}
		if got := cfg.Wire(); got != test.want {
			t.Errorf("%q with protocol %q: got %s, want %s", test.address, test.protocol, got, test.want)
		}
	}
}

func TestConfigReadsYAMLOverItsDefaults(t *testing.T) {
	cfg := opensaves.DefaultConfig()
	const file = "address: a:1\ntimeout: 1m30s\ntls: {}\nheaders: {X: y}\nheader_files: {Authorization: /f}\n"
	if err := yaml.Unmarshal([]byte(file), &cfg); err != nil {
		t.Fatal(err)
	}
	want := opensaves.DefaultConfig()
	want.Address, want.Timeout, want.TLS = "a:1", 90e9, &config.TLSConfig{}
	want.Headers, want.HeaderFiles = map[string]config.Secret{"X": "y"}, map[string]string{"Authorization": "/f"}
	if diff := cmp.Diff(want, cfg); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := cfg.Deadline(metric.GetBlob); got != 30*time.Second {
		t.Errorf("got a deadline of %s for blobs, want 30s", got)
	}
}

func TestHeaderFilesAreReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	write := func(value string) {
		t.Helper()
		if err := os.WriteFile(path+".new", []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	cfg := opensaves.DefaultConfig()
	cfg.Headers, cfg.HeaderFiles = map[string]config.Secret{"X": "y"}, map[string]string{"Authorization": path}
	if _, err := cfg.WatchHeaders(func(*opensaves.Headers) {}); err == nil || !strings.Contains(err.Error(), "target.header_files.Authorization") {
		t.Errorf("got %v without the file, want an error that names it", err)
	}
	write(" Bearer one\n")
	seen := make(chan map[string]string, 9)
	stop, err := cfg.WatchHeaders(func(h *opensaves.Headers) { seen <- h.Values })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for _, token := range []string{"Bearer one", "Bearer two"} {
		select {
		case got := <-seen:
			if diff := cmp.Diff(map[string]string{"X": "y", "Authorization": token}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("got no %s", token)
		}
		write("Bearer two")
	}
	write("") // is no value: the old one stays
	stop()
	if len(seen) != 0 {
		t.Errorf("got %v, want the old value", <-seen)
	}
}

func TestWhatAServerSaysIsCutAndRedacted(t *testing.T) {
	h := &opensaves.Headers{Values: map[string]string{"Authorization": "hush"}}
	for said, want := range map[string]string{
		"  one\r\n\ttwo ": "one two", "is hush right?": "is <redacted> right?", "\xff": "�",
		strings.Repeat("é", 150):          strings.Repeat("é", 100),
		strings.Repeat("x", 198) + "hush": strings.Repeat("x", 198) + "<r",
	} {
		if got := h.Text(said); got != want {
			t.Errorf("%q: got %q, want %q", said, got, want)
		}
	}
}
