package exporter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/sync/errgroup"

	"opensaves-soak/exporter/live"
)

// Bounds of every connection. Profiles that take longer move their own write deadline.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 10 * time.Second
	writeTimeout      = time.Minute
	idleTimeout       = 2 * time.Minute
	shutdownTimeout   = 5 * time.Second
	maxHeaderBytes    = 16 << 10
)

// Listen checks the web configuration and opens the listeners of the flags,
// so that a port in use fails the start. The caller hands them to Serve,
// which closes them.
func Listen(ctx context.Context, flags *web.FlagConfig) ([]net.Listener, error) {
	if err := web.Validate(*flags.WebConfigFile); err != nil {
		return nil, fmt.Errorf("reading %s: %w", *flags.WebConfigFile, err)
	}
	if flags.WebSystemdSocket != nil && *flags.WebSystemdSocket {
		listeners, err := activation.Listeners()
		if err != nil {
			return nil, fmt.Errorf("taking the sockets of systemd: %w", err)
		}
		if len(listeners) == 0 {
			return nil, errors.New("taking the sockets of systemd: got none, want at least one")
		}
		return listeners, nil
	}
	return ListenOn(ctx, *flags.WebListenAddresses...)
}

// ListenOn opens TCP listeners, all or none; ctx bounds the looking up of names alone.
func ListenOn(ctx context.Context, addresses ...string) ([]net.Listener, error) {
	var config net.ListenConfig
	var listeners []net.Listener
	for _, address := range addresses {
		listener, err := config.Listen(ctx, "tcp", address)
		if err != nil {
			for _, opened := range listeners {
				opened.Close()
			}
			return nil, fmt.Errorf("listening: %w", err)
		}
		listeners = append(listeners, listener)
	}
	return listeners, nil
}

// Serve answers on the listeners until ctx ends, and then gives requests
// in progress five seconds. configFile is exporter-toolkit's, for TLS and
// basic authentication; empty: neither.
func Serve(ctx context.Context, listeners []net.Listener, handler http.Handler, configFile string, logger *slog.Logger) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, listener := range listeners {
		// One server each: the toolkit wraps a server's handler for every listener it serves.
		server := newServer(handler, logger)
		group.Go(func() error { return answer(listener, server, configFile, logger) })
		group.Go(func() error { return shutDown(ctx, server) })
	}
	return group.Wait()
}

func newServer(handler http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ConnContext:       live.ConnContext,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
}

func answer(listener net.Listener, server *http.Server, configFile string, logger *slog.Logger) error {
	defer listener.Close()
	err := web.Serve(listener, server, &web.FlagConfig{WebConfigFile: &configFile}, logger)
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serving on %s: %w", listener.Addr(), err)
}

// shutDown waits for the end of ctx, and cuts what has not ended in time.
func shutDown(ctx context.Context, server *http.Server) error {
	<-ctx.Done()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		return server.Close()
	}
	return nil
}
