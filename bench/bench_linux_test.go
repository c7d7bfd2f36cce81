package bench

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"opensaves-soak/exporter/metric"
)

// BenchmarkProgram measures every bar and prints the table. It is to be run
// once: -benchtime=1x.
func BenchmarkProgram(b *testing.B) {
	t := table{began: time.Now(), machine: readMachine(b)}
	program := build(b)
	for _, wire := range []metric.Protocol{metric.HTTP, metric.GRPC} {
		t.run(b, "cpu/"+wire.String(), func(b *testing.B) []row { return []row{cpu(b, program, wire)} })
		t.run(b, "tracing/"+wire.String(), func(b *testing.B) []row { return []row{tracing(b, program, wire)} })
	}
	for _, wire := range []metric.Protocol{metric.HTTP, metric.GRPC} {
		t.run(b, "delivered/"+wire.String(), func(b *testing.B) []row { return delivered(b, program, wire) })
		t.run(b, "memory/"+wire.String(), func(b *testing.B) []row { return []row{memory(b, program, wire)} })
		t.run(b, "face/"+wire.String(), func(b *testing.B) []row { return face(b, program, wire) })
	}
	t.run(b, "ledger", judging)
	t.write(b)
}

// row is one bar and how it was met.
type row struct {
	what, bar, measured string
	ok                  bool
}

// table is what a run finds.
type table struct {
	rows    []row
	began   time.Time
	machine machine
}

func (t *table) run(b *testing.B, name string, measure func(*testing.B) []row) {
	b.Run(name, func(b *testing.B) {
		rows := measure(b)
		t.rows = append(t.rows, rows...)
		for _, r := range rows {
			if !r.ok {
				b.Errorf("%s: got %s, want %s", r.what, r.measured, r.bar)
			}
		}
	})
}

// write prints the table, and writes it to BENCH_OUTPUT.
func (t *table) write(b *testing.B) {
	text := t.markdown(b)
	fmt.Print("\n", text)
	if file := os.Getenv("BENCH_OUTPUT"); file != "" {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			b.Error(err)
		}
	}
}

func (t *table) markdown(b *testing.B) string {
	var text strings.Builder
	took, used := time.Since(t.began), readMachine(b).since(t.machine)
	others := used.busy - float64(ownTime(b))/float64(took)/float64(runtime.NumCPU())
	fmt.Fprintf(&text, "%s; %d cores; Linux %s; %s; %s. Over %s the hypervisor took %.1f %% of the CPU and other programs %.1f %%: figures of a busy machine mean little.\n\n",
		processor(b), runtime.NumCPU(), strings.TrimSpace(contents(b, "/proc/sys/kernel/osrelease")), runtime.Version(),
		t.began.UTC().Format(time.RFC3339), took.Round(time.Second), 100*used.stolen, 100*max(0, others))
	text.WriteString("| what | bar | measured | |\n|---|---|---|---|\n")
	for _, r := range t.rows {
		verdict := "pass"
		if !r.ok {
			verdict = "**fail**"
		}
		fmt.Fprintf(&text, "| %s | %s | %s | %s |\n", r.what, r.bar, r.measured, verdict)
	}
	return text.String()
}

// processor is the model as the kernel names it.
func processor(b *testing.B) string {
	for line := range strings.Lines(contents(b, "/proc/cpuinfo")) {
		if name, model, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(model)
		}
	}
	return runtime.GOARCH // arm64 has no such line
}

// machine is what was done with the time of all cores: in ticks, or in shares of all.
type machine struct{ busy, stolen, all float64 }

func readMachine(b *testing.B) (m machine) {
	line, _, _ := strings.Cut(contents(b, "/proc/stat"), "\n")
	for i, field := range strings.Fields(line)[1:9] { // what guests use is in user time already
		ticks, err := strconv.ParseFloat(field, 64)
		if err != nil {
			b.Fatal(err)
		}
		m.all += ticks
		switch i {
		case 3, 4: // idle, waiting for a disk
		case 7:
			m.stolen = ticks
		default:
			m.busy += ticks
		}
	}
	return m
}

// since is the shares of the time since an earlier reading.
func (m machine) since(earlier machine) machine {
	all := max(1, m.all-earlier.all)
	return machine{busy: (m.busy - earlier.busy) / all, stolen: (m.stolen - earlier.stolen) / all, all: 1}
}

// ownTime is the CPU time of this process and of those that it has ended.
func ownTime(b *testing.B) (own time.Duration) {
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var used unix.Rusage
		if err := unix.Getrusage(who, &used); err != nil {
			b.Fatal(err)
		}
		own += time.Duration(used.Utime.Nano() + used.Stime.Nano())
	}
	return own
}

func contents(b *testing.B, file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	return string(text)
}

// setting is a number above 0 of the environment.
func setting(b *testing.B, name string, otherwise float64) float64 {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || value <= 0 {
		b.Fatalf("%s: got %q, want a number above 0", name, text)
	}
	return value
}
