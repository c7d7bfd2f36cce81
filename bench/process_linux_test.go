package bench

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// process is a program of ours that runs beside this one.
type process struct {
	name    string
	address string // of its HTTP face, host:port
	pid     int
}

// build compiles the program as it is released, and returns the file.
func build(b *testing.B) string {
	file := filepath.Join(b.TempDir(), "opensaves-soak")
	command := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-o", file, "opensaves-soak/cmd/opensaves-soak")
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		b.Fatalf("building the program: %v\n%s", err, output)
	}
	return file
}

// freeAddress returns one on loopback that nobody listens on.
func freeAddress(b *testing.B) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// run starts a command that will answer HTTP on an address, and ends it with the benchmark.
func run(b *testing.B, name, address string, command *exec.Cmd) *process {
	log, err := os.Create(filepath.Join(b.TempDir(), name+".log"))
	if err != nil {
		b.Fatal(err)
	}
	command.Stderr = log
	if err := command.Start(); err != nil {
		b.Fatalf("starting %s: %v", name, err)
	}
	b.Cleanup(func() {
		_ = command.Process.Kill() // it may have ended
		_ = command.Wait()         // it was killed
		log.Close()
		if said, err := os.ReadFile(log.Name()); err == nil && b.Failed() {
			b.Logf("%s said:\n%s", name, said)
		}
	})
	p := &process{name: name, address: address, pid: command.Process.Pid}
	b.Logf("%s: process %d on %s", name, p.pid, address)
	p.await(b, 10*time.Second, "the port to answer", func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return p
}

// await polls until something holds.
func (p *process) await(b *testing.B, within time.Duration, what string, holds func() bool) {
	for end := time.Now().Add(within); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			b.Fatalf("%s: waited %s for %s", p.name, within, what)
		}
	}
}

var client = &http.Client{Timeout: time.Minute}

// ask sends a request to the HTTP face and returns the body of its answer, which must be 200.
func (p *process) ask(b *testing.B, method, path, body string) []byte {
	request, err := http.NewRequestWithContext(b.Context(), method, "http://"+p.address+path, strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		b.Fatalf("%s: %s %s: got %s %.300s %v, want 200", p.name, method, path, response.Status, answer, err)
	}
	return answer
}

// profile writes what the process shows below /debug/pprof/ to a file of BENCH_PROFILES, if that is set.
func (p *process) profile(b *testing.B, path, file string) {
	directory := os.Getenv("BENCH_PROFILES")
	if directory == "" {
		return
	}
	profile := p.ask(b, http.MethodGet, "/debug/pprof/"+path, "")
	if err := os.WriteFile(filepath.Join(directory, file+".pprof"), profile, 0o600); err != nil {
		b.Fatal(err)
	}
}

// cpuProfile is the path of one over 10 s.
const cpuProfile = "profile?seconds=10"

// cpuTime is what the process has used of all cores, threads that have ended
// included: the clock of clock_getcpuclockid(3), which counts nanoseconds where
// /proc/<pid>/stat counts ticks. The kernel numbers it by the complement of the
// process's id, and 2 for the scheduler's own count.
func (p *process) cpuTime(b *testing.B) time.Duration {
	var used unix.Timespec
	if err := unix.ClockGettime(int32(^p.pid)<<3|2, &used); err != nil {
		b.Fatalf("reading the CPU clock of %s: %v", p.name, err)
	}
	return time.Duration(used.Nano())
}

// residentMiB is the memory that the process holds, in MiB.
func (p *process) residentMiB(b *testing.B) float64 {
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.pid))
	if err != nil {
		b.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(statm))[1])
	if err != nil {
		b.Fatal(err)
	}
	return float64(pages) * float64(os.Getpagesize()) / (1 << 20)
}

// connections is how many TCP connections the process holds to an address.
func (p *process) connections(b *testing.B, address string) (count int) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		b.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		b.Fatal(err)
	}
	table, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/tcp", p.pid))
	if err != nil {
		b.Fatal(err)
	}
	sockets := p.sockets(b)
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line) // local address, remote address and state (01: established) from 1, inode at 9
		if len(fields) > 9 && strings.HasSuffix(fields[2], fmt.Sprintf(":%04X", number)) && fields[3] == "01" && sockets[fields[9]] {
			count++
		}
	}
	return count
}

// sockets are the inodes of those that the process has open.
func (p *process) sockets(b *testing.B) map[string]bool {
	directory := fmt.Sprintf("/proc/%d/fd", p.pid)
	files, err := os.ReadDir(directory)
	if err != nil {
		b.Fatal(err)
	}
	inodes := map[string]bool{}
	for _, file := range files {
		target, _ := os.Readlink(filepath.Join(directory, file.Name())) // it may be closed by now
		if inode, is := strings.CutPrefix(target, "socket:["); is {
			inodes[strings.TrimSuffix(inode, "]")] = true
		}
	}
	return inodes
}
