package trace

import (
	"context"
	"fmt"
	"os"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
)

// fromPod are the attributes that Kubernetes' downward API gives, by the variable
// that a pod's template puts each in.
var fromPod = map[string]attribute.Key{
	"POD_NAME": semconv.K8SPodNameKey, "POD_NAMESPACE": semconv.K8SNamespaceNameKey,
	"POD_UID": semconv.K8SPodUIDKey, "NODE_NAME": semconv.K8SNodeNameKey,
}

// newResource says who makes the spans. OTEL_SERVICE_NAME and
// OTEL_RESOURCE_ATTRIBUTES stand over what is found out otherwise.
func newResource(version string, env func(string) string) (of *resourcepb.Resource, service string, err error) {
	instance := env("POD_NAME")
	if instance == "" {
		instance, _ = os.Hostname() // without one it has no name
	}
	known := []attribute.KeyValue{semconv.ServiceName("opensaves-soak"), semconv.ServiceInstanceID(instance)}
	if version != "" {
		known = append(known, semconv.ServiceVersion(version))
	}
	for variable, key := range fromPod {
		if value := env(variable); value != "" {
			known = append(known, key.String(value))
		}
	}
	found, err := resource.New(context.Background(), resource.WithTelemetrySDK(), resource.WithAttributes(known...), resource.WithFromEnv())
	if err != nil {
		return nil, "", fmt.Errorf("reading OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	of = &resourcepb.Resource{}
	for _, a := range found.Attributes() {
		of.Attributes = append(of.Attributes, text(a.Key, a.Value.String()))
	}
	name, _ := found.Set().Value(semconv.ServiceNameKey)
	return of, name.AsString(), nil
}
