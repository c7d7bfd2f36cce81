package opensaves

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/config"
	"github.com/prometheus/common/model"

	"opensaves-soak/exporter/metric"
)

// The backends that a REST target may stand on; their answers differ in places.
const (
	DynamoDB   = "dynamodb"
	DocumentDB = "documentdb"
)

// Config is the section "target" of the configuration file.
type Config struct {
	// Name is how the target is called in target_info; empty: the address.
	Name string `yaml:"name" help:"how the target is called in target_info; empty: the address"`
	// Address is http(s)://host[:port] for REST, host:port or dns:///name:port
	// for gRPC; empty: the embedded sandbox.
	Address string `yaml:"address" help:"http(s)://host[:port] (REST), host:port or dns:///name:port (gRPC); empty: the embedded sandbox"`
	// Protocol is "http" or "grpc"; empty: http where the address has a scheme http(s), else grpc.
	Protocol string `yaml:"protocol" help:"http or grpc; empty: http where the address has a scheme http(s), else grpc"`
	// Backend is DynamoDB or DocumentDB; REST only.
	Backend string `yaml:"backend" help:"REST only: dynamodb or documentdb, whose answers differ in places"`
	// Timeout bounds every operation but those on blobs.
	Timeout model.Duration `yaml:"timeout" help:"bound of an operation, but for blobs"`
	// BlobTimeout bounds the operations on blobs, those whose metric.Operation OfBlob.
	BlobTimeout model.Duration `yaml:"blob_timeout" help:"bound of an operation on blobs"`
	// ConnectionMaxAge is when a connection is replaced, ± 20 %, so that new pods
	// behind a load balancer get traffic; 0 keeps connections.
	ConnectionMaxAge model.Duration `yaml:"connection_max_age" help:"when a connection is replaced, ± 20 %, so that new pods behind a load balancer get traffic; 0s keeps connections"`
	// TLS is how the target is trusted; for gRPC its presence turns TLS on.
	TLS *config.TLSConfig `yaml:"tls" help:"TLSConfig of prometheus/common; for gRPC its presence turns TLS on"`
	// Headers are sent with every request, as HTTP headers or gRPC metadata. Their values are secrets.
	Headers map[string]config.Secret `yaml:"headers" help:"sent with every request, as HTTP headers or gRPC metadata"`
	// HeaderFiles are headers whose values are in files, which are read again when they change.
	HeaderFiles map[string]string `yaml:"header_files" help:"headers whose values are in files, which are read again when they change: {Authorization: /path}"`
}

// DefaultConfig returns what holds where the file is silent.
func DefaultConfig() Config {
	return Config{
		Backend:          DynamoDB,
		Timeout:          model.Duration(5 * time.Second),
		BlobTimeout:      model.Duration(30 * time.Second),
		ConnectionMaxAge: model.Duration(5 * time.Minute),
	}
}

// Wire returns the language that the target speaks. It is defined where Validate is content.
func (c *Config) Wire() metric.Protocol {
	if c.Protocol == metric.HTTP.String() || c.Protocol == "" && hasHTTPScheme(c.Address) {
		return metric.HTTP
	}
	return metric.GRPC
}

// Label returns how the target is called: Name, else the address, else "sandbox".
func (c *Config) Label() string {
	for _, label := range []string{c.Name, c.Address} {
		if label != "" {
			return label
		}
	}
	return "sandbox"
}

// Deadline returns how long a call of op may take.
func (c *Config) Deadline(op metric.Operation) time.Duration {
	if op.OfBlob() {
		return time.Duration(c.BlobTimeout)
	}
	return time.Duration(c.Timeout)
}

// Validate joins every mistake, each with its path in the file. No text holds
// a header's value.
func (c *Config) Validate() error {
	var errs []error
	wrong := func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf("target."+key+": "+format, args...))
	}
	switch c.Protocol {
	case "", metric.HTTP.String(), metric.GRPC.String():
		if err := c.checkAddress(); err != nil {
			wrong("address", "%w", err)
		}
	default:
		wrong("protocol", "got %q, want http or grpc", c.Protocol)
	}
	if c.Backend != DynamoDB && c.Backend != DocumentDB {
		wrong("backend", "got %q, want %s or %s", c.Backend, DynamoDB, DocumentDB)
	}
	if c.Timeout <= 0 {
		wrong("timeout", "got %s, want more than 0s", time.Duration(c.Timeout))
	}
	if c.BlobTimeout <= 0 {
		wrong("blob_timeout", "got %s, want more than 0s", time.Duration(c.BlobTimeout))
	}
	if c.ConnectionMaxAge < 0 {
		wrong("connection_max_age", "got %s, want 0s or more", time.Duration(c.ConnectionMaxAge))
	}
	if c.TLS != nil {
		if err := c.TLS.Validate(); err != nil {
			wrong("tls", "%w", err)
		}
	}
	return errors.Join(append(errs, c.checkHeaders()...)...)
}

func (c *Config) checkAddress() error {
	switch {
	case c.Address == "":
		return nil
	case c.Wire() == metric.HTTP:
		return checkURL(c.Address)
	case hasHTTPScheme(c.Address):
		return errors.New("got an http address with protocol grpc, want host:port or dns:///name:port")
	}
	return checkHostPort(strings.TrimPrefix(c.Address, dnsScheme))
}

const dnsScheme = "dns:///"

func hasHTTPScheme(address string) bool {
	lower := strings.ToLower(address)
	return strings.HasPrefix(lower, "http://") || strings.HasPrefix(lower, "https://")
}

// checkURL keeps the address out of its errors where a password may stand in it.
func checkURL(address string) error {
	const want = "want http(s)://host[:port]"
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return errors.New("got no URL, " + want)
	case u.User != nil:
		return errors.New("got a user in the URL, " + want + " and the Authorization header in header_files")
	case !hasHTTPScheme(address) || u.Hostname() == "":
		return fmt.Errorf("got %q with protocol http, %s", address, want)
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("got %q with a path, %s", address, want)
	case u.Port() == "" && !strings.HasSuffix(u.Host, ":"):
		return nil
	}
	return CheckPort(address, u.Port())
}

func checkHostPort(address string) error {
	if strings.Contains(address, "@") {
		return errors.New("got a user in the address, want host:port and the credentials in header_files")
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || strings.Contains(host, "/") {
		return fmt.Errorf("got %q, want http(s)://host[:port], host:port or dns:///name:port", address)
	}
	return CheckPort(address, port)
}

// CheckPort returns an error that names the address unless its port is from 1 to 65535.
func CheckPort(address, port string) error {
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("got %q with port %q, want a port from 1 to 65535", address, port)
	}
	return nil
}
