package charts

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	kubeyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"

	"opensaves-soak/tools"
)

const (
	chart     = "opensaves-soak"
	release   = "opensaves-soak"
	namespace = "soak"
	// withImage is what every release must set.
	withImage = "image: {repository: opensaves-soak}\n"
	// withTarget is a release that tests something.
	withTarget = withImage + "target: {address: \"http://open-saves.open-saves.svc:8080\"}\n"
)

// scratch is a directory for what all tests share.
var scratch string

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "charts"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	if err := os.RemoveAll(scratch); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(status)
}

var build = sync.OnceValues(func() (string, error) {
	path := filepath.Join(scratch, "opensaves-soak")
	if out, err := exec.Command("go", "build", "-o", path, "../cmd/opensaves-soak").CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the program: %w\n%s", err, out)
	}
	return path, nil
})

// program runs the program of this tree.
func program(t *testing.T, args ...string) (string, error) {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput()
	return string(out), err
}

var pinned struct {
	sync.Mutex
	paths map[string]string
}

// tool is tools.Path, asked once for each tool, so that tests beside each other do
// not all install it.
func tool(t *testing.T, name string) string {
	t.Helper()
	pinned.Lock()
	defer pinned.Unlock()
	if pinned.paths[name] == "" {
		if pinned.paths == nil {
			pinned.paths = map[string]string{}
		}
		pinned.paths[name] = tools.Path(t, name)
	}
	return pinned.paths[name]
}

// helm runs Helm with values, which are YAML. The error has what Helm says.
func helm(t *testing.T, values string, args ...string) ([]byte, error) {
	t.Helper()
	return runHelm(t, nil, values, append(args, "--values=-")...)
}

// runHelm runs Helm with more of an environment, and what it reads.
func runHelm(t *testing.T, env []string, input string, args ...string) ([]byte, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), tool(t, "helm"), append(args, "--namespace="+namespace)...)
	cmd.Env, cmd.Stdin = append(os.Environ(), env...), strings.NewReader(input)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("helm %s: %w\n%s%s", args[0], err, said.Bytes(), out)
	}
	return out, nil
}

// refused is why a chart is not rendered.
func refused(t *testing.T, values string) string {
	t.Helper()
	out, err := helm(t, values, "template", release, chart)
	if err == nil {
		t.Fatalf("got\n%s, want %q refused", out, values)
	}
	return err.Error()
}

var rendered sync.Map // objects by values

// render returns the objects of a release, which nobody may change.
func render(t *testing.T, values string) []runtime.Object {
	t.Helper()
	if objects, ok := rendered.Load(values); ok {
		return objects.([]runtime.Object)
	}
	out, err := helm(t, values, "template", release, chart)
	if err != nil {
		t.Fatal(err)
	}
	objects := parse(t, out)
	rendered.Store(values, objects)
	return objects
}

// parse reads documents of YAML: strictly into the types that Kubernetes itself has.
func parse(t *testing.T, manifest []byte) (objects []runtime.Object) {
	t.Helper()
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	for _, document := range documents(t, manifest) {
		object, _, err := decoder.Decode(document, nil, nil)
		if runtime.IsNotRegisteredError(err) {
			object, err = plainObject(t, document), nil
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, document)
		}
		objects = append(objects, object)
	}
	return objects
}

// documents returns the documents of a file of YAML.
func documents(t *testing.T, file []byte) (all [][]byte) {
	t.Helper()
	reader := kubeyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(file)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, document)
	}
}

// plainObject reads a document as it is, whatever its kind.
func plainObject(t *testing.T, document []byte) *unstructured.Unstructured {
	t.Helper()
	object := new(unstructured.Unstructured)
	if err := kubeyaml.UnmarshalStrict(document, &object.Object); err != nil {
		t.Fatalf("%v\n%s", err, document)
	}
	return object
}

// named returns the object of a type and a name.
func named[T interface {
	comparable
	runtime.Object
	metav1.Object
}](t *testing.T, objects []runtime.Object, name string) T {
	t.Helper()
	for _, object := range objects {
		if found, ok := object.(T); ok && found.GetName() == name {
			return found
		}
	}
	var none T
	t.Fatalf("got no %T named %s, want one", none, name)
	return none
}

// custom returns the objects of a kind that Kubernetes itself does not have.
func custom(objects []runtime.Object, kind string) (found []*unstructured.Unstructured) {
	for _, object := range objects {
		if u, ok := object.(*unstructured.Unstructured); ok && u.GetKind() == kind {
			found = append(found, u)
		}
	}
	return found
}

// pods returns the templates of all pods, that of `helm test` included.
func pods(objects []runtime.Object) (all []corev1.PodTemplateSpec) {
	for _, object := range objects {
		switch o := object.(type) {
		case *appsv1.StatefulSet:
			all = append(all, o.Spec.Template)
		case *batchv1.Job:
			all = append(all, o.Spec.Template)
		case *batchv1.CronJob:
			all = append(all, o.Spec.JobTemplate.Spec.Template)
		case *corev1.Pod:
			all = append(all, corev1.PodTemplateSpec{ObjectMeta: o.ObjectMeta, Spec: o.Spec})
		}
	}
	return all
}

// daemon returns the pod of the StatefulSet.
func daemon(t *testing.T, values string) corev1.PodTemplateSpec {
	t.Helper()
	return named[*appsv1.StatefulSet](t, render(t, values), release).Spec.Template
}

// features calls check with the values of each file in ci.
func features(t *testing.T, check func(t *testing.T, values string)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(chart, "ci", "*-values.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("got %d files in ci, %v, want some", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), "-values.yaml"), func(t *testing.T) {
			t.Parallel()
			values, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			check(t, string(values))
		})
	}
}
