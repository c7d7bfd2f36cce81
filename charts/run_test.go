package charts

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// flag is one in a help text, with the prefix of those that can be negated.
var flag = regexp.MustCompile(`--(\[no-\])?([a-z][a-z.-]*[a-z])`)

func TestTheProgramHasEveryCommandAndFlagThatPodsAreStartedWith(t *testing.T) {
	used := map[string]map[string]bool{}
	for _, values := range []string{
		withTarget + "fleet: {hold: true}\ncontrolToken: {existingSecret: a}\nwebConfig: {existingSecret: b, scheme: http}\n",
		withTarget + "mode: job\n",
	} {
		for _, pod := range pods(render(t, values)) {
			args := pod.Spec.Containers[0].Args
			if used[args[0]] == nil {
				used[args[0]] = map[string]bool{}
			}
			for _, arg := range args[1:] {
				name, _, _ := strings.Cut(arg, "=")
				used[args[0]][name] = true
			}
		}
	}
	for command, flags := range used {
		help, err := program(t, command, "--help")
		if err != nil || !strings.Contains(help, "usage: "+chart+" "+command) {
			t.Errorf("%s: got %v, %.100q, want its help", command, err, help)
			continue
		}
		known := map[string]bool{}
		for _, found := range flag.FindAllStringSubmatch(help, -1) {
			known["--"+found[2]] = true
		}
		for name := range flags {
			if !known[name] {
				t.Errorf("%s: got %s, want a flag that the program has", command, name)
			}
		}
	}
}

func TestTheFleetIsNamedAndFilesAreWhereTheyAreMounted(t *testing.T) {
	pod := daemon(t, withTarget+"fleet: {hold: true}\ncontrolToken: {existingSecret: a, key: b}\nwebConfig: {existingSecret: c}\nextraArgs: [--log.level=debug]")
	want := []string{
		"run", "--config.file=/etc/opensaves-soak/config/config.yaml", "--config.reload-interval=30s",
		"--kubernetes", "--kubernetes.name=opensaves-soak", "--kubernetes.hold",
		"--web.control-token-file=/etc/opensaves-soak/control-token/b",
		"--web.config.file=/etc/opensaves-soak/web/web-config.yaml", "--web.probe-address=:9843", "--log.level=debug",
	}
	if diff := cmp.Diff(want, pod.Spec.Containers[0].Args); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestAFiniteRunHasNoFleetAndNoTokenAndIsNotRepeated(t *testing.T) {
	want := []string{"run", "--config.file=/etc/opensaves-soak/config/config.yaml", "--duration=10m", "--summary.output=/tmp/summary.json"}
	for _, mode := range []string{"job", "cronjob"} {
		objects := render(t, withTarget+"mode: "+mode)
		pod := pods(objects)[0].Spec
		if diff := cmp.Diff(want, pod.Containers[0].Args); diff != "" {
			t.Errorf("%s: wanted -, got +\n%s", mode, diff)
		}
		if *pod.AutomountServiceAccountToken || pod.RestartPolicy != corev1.RestartPolicyNever {
			t.Errorf("%s: got token %t, restart policy %s, want false, Never", mode, *pod.AutomountServiceAccountToken, pod.RestartPolicy)
		}
		if limit := jobs(objects)[0].BackoffLimit; *limit != 0 {
			t.Errorf("%s: got backoff limit %d, want 0", mode, *limit)
		}
	}
}

func jobs(objects []runtime.Object) (all []batchv1.JobSpec) {
	for _, object := range objects {
		switch o := object.(type) {
		case *batchv1.Job:
			all = append(all, o.Spec)
		case *batchv1.CronJob:
			all = append(all, o.Spec.JobTemplate.Spec)
		}
	}
	return all
}

func TestAJobThatWouldRunOtherwiseIsAnotherJob(t *testing.T) {
	names := map[string]string{}
	for _, values := range []string{"", "load: {rps: 9}", "job: {duration: 1h}", "resources: {limits: {memory: 1Gi}}"} {
		for _, object := range render(t, withTarget+"mode: job\n"+values) {
			if job, ok := object.(*batchv1.Job); ok {
				if other, twice := names[job.Name]; twice {
					t.Errorf("%q, %q: got the same name %s, want different ones", values, other, job.Name)
				}
				names[job.Name] = values
			}
		}
	}
	if len(names) != 4 {
		t.Errorf("got %d jobs, want 4", len(names))
	}
}
