package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience bounds everything that tests wait for; the machine may be busy.
const patience = 60 * time.Second

// turns are taken by tests that ask much of the machine.
var turns sync.Mutex

// inTurn lets a test run beside those that mostly wait, and beside no other that
// asks for it.
func inTurn(t *testing.T) {
	t.Helper()
	t.Parallel()
	turns.Lock()
	t.Cleanup(turns.Unlock)
}

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		name: func() { os.Exit(Run(context.Background(), os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

// TestScripts runs the program as its users do. Beside testscript's own
// commands there are:
//
//	status N ARGS…      runs the program, which must end with that exit status
//	start NAME ARGS…    starts the program; $NAME is the URL that it listens on
//	end NAME SIGNAL     ends it with a signal; [!] its exit status is not 0; its output is the command's
//	signal NAME SIGNAL  sends a signal
//	http METHOD URL [FILE]   sends a request; status and body are the command's output
//	becomes URL REGEXP  waits until a page matches
//	takeport NAME       takes a port; $NAME is its address
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Values[processKey{}] = map[string]*process{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": statusCmd, "start": startCmd, "end": endCmd, "signal": signalCmd,
			"http": httpCmd, "becomes": becomesCmd, "takeport": takePortCmd,
		},
	})
}

// process is the program while it runs.
type process struct {
	cmd      *exec.Cmd
	url      string
	out      strings.Builder
	err      strings.Builder // the log; to be read when logged is closed
	logged   chan struct{}
	finished bool
}

var listening = regexp.MustCompile(`msg="(?:Listening on|Serving Open Saves).* address=(\S+)`)

// launch starts the program and returns when it listens.
func launch(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, logged: make(chan struct{})}
	cmd.Stdout = &p.out
	log, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	address := make(chan string, 1)
	go func() {
		defer close(p.logged)
		defer close(address)
		for lines := bufio.NewScanner(log); lines.Scan(); {
			fmt.Fprintln(&p.err, lines.Text())
			if match := listening.FindStringSubmatch(lines.Text()); match != nil && p.url == "" {
				p.url = "http://" + match[1]
				address <- p.url
			}
		}
	}()
	select {
	case url, ok := <-address:
		if ok && url != "" {
			return p, nil
		}
	case <-time.After(patience):
	}
	_ = p.end(syscall.SIGKILL) // how it ends says nothing more
	return nil, fmt.Errorf("got a program that does not listen:\n%s", p.err.String())
}

// end sends a signal and waits for the end.
func (p *process) end(signal os.Signal) error {
	if p.finished {
		return nil
	}
	p.finished = true
	cut := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() }) // it may be over
	defer cut.Stop()
	_ = p.cmd.Process.Signal(signal) // likewise
	<-p.logged
	return p.cmd.Wait()
}

func statusCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: status N ARGS…")
	}
	got := 0
	if exit := new(exec.ExitError); errors.As(ts.Exec(name, args[1:]...), &exit) {
		got = exit.ExitCode()
	}
	if fmt.Sprint(got) != args[0] {
		ts.Fatalf("got exit status %d, want %s", got, args[0])
	}
}

type processKey struct{}

// awsVariables are those of the environment that a script sets for what it starts.
var awsVariables = []string{"AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_EC2_METADATA_DISABLED", "AWS_CA_BUNDLE"}

func startCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: start NAME ARGS…")
	}
	cmd := exec.Command(name, args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = os.Environ()
	for _, key := range awsVariables {
		cmd.Env = append(cmd.Env, key+"="+ts.Getenv(key))
	}
	p, err := launch(cmd)
	ts.Check(err)
	ts.Defer(func() { _ = p.end(syscall.SIGKILL) }) // where the script failed
	ts.Setenv(args[0], p.url)
	running(ts)[args[0]] = p
}

func endCmd(ts *testscript.TestScript, neg bool, args []string) {
	p := named(ts, args, 2)
	err := p.end(signalsByName[args[1]])
	fmt.Fprint(ts.Stdout(), p.out.String())
	fmt.Fprint(ts.Stderr(), p.err.String())
	if (err != nil) != neg {
		ts.Fatalf("got %v as the end of %s\n%s", err, args[0], p.err.String())
	}
}

func signalCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("unsupported: ! signal")
	}
	ts.Check(named(ts, args, 2).cmd.Process.Signal(signalsByName[args[1]]))
}

var signalsByName = map[string]os.Signal{"SIGTERM": syscall.SIGTERM, "SIGINT": syscall.SIGINT, "SIGHUP": syscall.SIGHUP}

func running(ts *testscript.TestScript) map[string]*process {
	return ts.Value(processKey{}).(map[string]*process)
}

func named(ts *testscript.TestScript, args []string, want int) *process {
	if len(args) != want {
		ts.Fatalf("got %d arguments, want %d", len(args), want)
	}
	p := running(ts)[args[0]]
	if p == nil {
		ts.Fatalf("nothing was started as %s", args[0])
	}
	return p
}

func httpCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: http METHOD URL [FILE]")
	}
	body := ""
	if len(args) > 2 {
		body = ts.ReadFile(args[2])
	}
	answer, err := ask(args[0], args[1], body)
	ts.Check(err)
	fmt.Fprint(ts.Stdout(), answer)
}

// ask sends a request and returns status line and body.
func ask(method, url, body string) (string, error) {
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.Status + "\n" + string(text), err
}

func becomesCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: becomes URL REGEXP")
	}
	ts.Check(becomes(args[0], args[1]))
}

// becomes waits until a page matches a regular expression, line by line.
func becomes(url, expression string) error {
	want, err := regexp.Compile("(?m)" + expression)
	if err != nil {
		return err
	}
	beat := time.NewTicker(50 * time.Millisecond)
	defer beat.Stop()
	for end := time.Now().Add(patience); ; <-beat.C {
		page, err := ask(http.MethodGet, url, "")
		if err != nil || want.MatchString(page) {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s: got no match of %s in\n%s", url, expression, page)
		}
	}
}

func takePortCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: takeport NAME")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { listener.Close() })
	ts.Setenv(args[0], listener.Addr().String())
}
