package fleet

import (
	"context"
	"fmt"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/tools/cache"

	"opensaves-soak/load/desired"
)

// key is where in its ConfigMap the document stands.
const key = "load"

// document is what the fleet keeps, in a ConfigMap that is there before.
type document struct{ *cluster }

func (d *document) name() string { return d.fleet + "-load" }

func (d *document) read(ctx context.Context) ([]byte, string, error) {
	kept, err := d.core.ConfigMaps(d.namespace).Get(ctx, d.name(), meta.GetOptions{})
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", desired.ErrUnavailable, err)
	}
	d.owner.Store(&meta.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: kept.Name, UID: kept.UID})
	return []byte(kept.Data[key]), kept.ResourceVersion, nil
}

// write asks for the ConfigMap first, to leave all but the key as it is.
func (d *document) write(ctx context.Context, text []byte, version string) (string, error) {
	kept, err := d.core.ConfigMaps(d.namespace).Get(ctx, d.name(), meta.GetOptions{})
	if err != nil {
		return "", fmt.Errorf("%w: %w", desired.ErrUnavailable, err)
	}
	if kept.Data == nil {
		kept.Data = map[string]string{}
	}
	kept.Data[key], kept.ResourceVersion = string(text), version
	kept, err = d.core.ConfigMaps(d.namespace).Update(ctx, kept, meta.UpdateOptions{FieldManager: manager})
	switch {
	case apierrors.IsConflict(err):
		return "", fmt.Errorf("%w: %w", desired.ErrConflict, err)
	case err != nil:
		return "", fmt.Errorf("%w: %w", desired.ErrUnavailable, err)
	}
	return kept.ResourceVersion, nil
}

// watch tells of every document that is there, until ctx ends.
func (d *document) watch(ctx context.Context, changed func(document []byte, version string)) {
	tell := func(object any) {
		if kept, ok := object.(*core.ConfigMap); ok {
			changed([]byte(kept.Data[key]), kept.ResourceVersion)
		}
	}
	watched := cache.NewListWatchFromClient(d.core.RESTClient(), "configmaps", d.namespace, fields.OneTermEqualSelector("metadata.name", d.name()))
	follow(ctx, watched, &core.ConfigMap{}, cache.ResourceEventHandlerFuncs{AddFunc: tell, UpdateFunc: func(_, after any) { tell(after) }})
}

// complain writes an event about the ConfigMap.
func (d *document) complain(ctx context.Context, reason error) error {
	kept, err := d.core.ConfigMaps(d.namespace).Get(ctx, d.name(), meta.GetOptions{})
	if err != nil {
		return err
	}
	now := meta.NewTime(time.Now())
	_, err = d.core.Events(d.namespace).Create(ctx, &core.Event{
		ObjectMeta: meta.ObjectMeta{GenerateName: d.name() + ".", Namespace: d.namespace},
		InvolvedObject: core.ObjectReference{
			APIVersion: "v1", Kind: "ConfigMap", Namespace: kept.Namespace, Name: kept.Name, UID: kept.UID, ResourceVersion: kept.ResourceVersion,
		},
		Type: core.EventTypeWarning, Reason: "LoadRefused", Message: excerpt(reason.Error()), Action: "Adopt",
		Source:         core.EventSource{Component: manager},
		FirstTimestamp: now, LastTimestamp: now, Count: 1,
		ReportingController: manager, ReportingInstance: d.replica,
	}, meta.CreateOptions{})
	return err
}

// excerpt is what an event has room for.
func excerpt(text string) string { return text[:min(len(text), 1000)] }
