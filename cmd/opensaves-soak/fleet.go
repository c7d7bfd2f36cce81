package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"

	"github.com/alecthomas/kingpin/v2"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"

	"opensaves-soak/load/desired"
	"opensaves-soak/load/fleet"
)

// fleetFlags say whether and where the load is shared.
type fleetFlags struct {
	on         bool
	name       string
	namespace  string
	replica    string
	kubeconfig string
	pod        string
	hold       bool
}

func (f *fleetFlags) declare(cmd *kingpin.CmdClause) {
	cmd.Flag("kubernetes", "Share the load with the other replicas of this fleet, by way of the API server.").BoolVar(&f.on)
	cmd.Flag("kubernetes.name", "Name of the fleet: its load is kept in the ConfigMap NAME-load.").Default(name).StringVar(&f.name)
	cmd.Flag("kubernetes.namespace", "Namespace of the fleet; empty: that of the pod's service account.").Envar("POD_NAMESPACE").StringVar(&f.namespace)
	cmd.Flag("kubernetes.replica", "Name of this replica, unique in the fleet; empty: the host's.").Envar("POD_NAME").StringVar(&f.replica)
	cmd.Flag("kubernetes.pod", "Uid of the pod, by which a process that follows another one in the same pod takes over at once; empty: unknown.").Envar("POD_UID").StringVar(&f.pod)
	cmd.Flag("kubernetes.kubeconfig", "File that says how to reach the API server from outside the cluster; empty: from within.").StringVar(&f.kubeconfig)
	cmd.Flag("kubernetes.hold", "Keep sending the last share while there is no API server: a fleet of N then sends up to 2 - 1/N times its rate.").BoolVar(&f.hold)
}

// namespaceFile is where a pod finds its own namespace.
const namespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

// options are what a fleet is made of, as far as flags know.
func (f fleetFlags) options() (o fleet.Options, err error) {
	o = fleet.Options{Namespace: f.namespace, Name: f.name, Replica: f.replica, Pod: f.pod, Hold: f.hold}
	if o.Replica == "" {
		if o.Replica, err = os.Hostname(); err != nil {
			return o, fmt.Errorf("finding the name of this replica: %w", err)
		}
	}
	if o.Namespace == "" {
		text, err := os.ReadFile(namespaceFile)
		if errors.Is(err, fs.ErrNotExist) {
			return o, errors.New("--kubernetes.namespace: got none, and this is no pod")
		} else if err != nil {
			return o, fmt.Errorf("finding the namespace: %w", err)
		}
		o.Namespace = strings.TrimSpace(string(text))
	}
	if f.kubeconfig == "" {
		o.Cluster, err = rest.InClusterConfig()
	} else {
		o.Cluster, err = clientcmd.BuildConfigFromFlags("", f.kubeconfig)
	}
	if err != nil {
		return o, fmt.Errorf("finding the API server: %w", err)
	}
	return o, nil
}

// newFleet makes the fleet of the flags, nil where the load is not shared.
func (d *daemon) newFleet() (*fleet.Fleet, error) {
	if !d.run.fleet.on {
		return nil, nil
	}
	klog.SetSlogLogger(slog.New(slog.DiscardHandler)) // what matters of it we say ourselves
	o, err := d.run.fleet.options()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	o.Adopt = func(ctx context.Context, document []byte, version string) error {
		return d.runner.Adopt(ctx, document, version)
	}
	o.Report = func() desired.Report { return d.runner.Report() }
	o.Log = d.log.With("component", "fleet")
	return fleet.New(o)
}
