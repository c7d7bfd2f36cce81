package live

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// BenchmarkMoment passes moments on to nobody and to a hundred readers, and waits
// until all have got each. A moment comes once a second, so a thousand cpu-µs are
// a thousandth of a core; the readers' own work is in it.
func BenchmarkMoment(b *testing.B) {
	for _, readers := range []int{0, 100} {
		b.Run(fmt.Sprintf("readers=%d", readers), func(b *testing.B) {
			f := feed(b, kept)
			server := httptest.NewServer(f)
			got := make(chan struct{})
			for range readers {
				response := open(b, server.Client(), http.MethodGet, server.URL, "")
				lines := bufio.NewReaderSize(response.body, 1<<20)
				await(lines, "event: history")
				go func() {
					for await(lines, "id: ") {
						got <- struct{}{}
					}
				}()
			}
			m, used := moment(kept), cpuTime(b)
			m.Operations, m.Components = slices.Repeat(m.Operations, 20), slices.Repeat(m.Components, 10)
			for b.Loop() {
				m.Time = m.Time.Add(time.Second)
				if err := f.Add(m); err != nil {
					b.Fatal(err)
				}
				for range readers {
					<-got
				}
			}
			b.ReportMetric(float64((cpuTime(b)-used).Microseconds())/float64(b.N), "cpu-µs/moment")
			f.End()
			server.Close()
		})
	}
}

// await reads up to a line that begins so, and says whether there was one.
func await(lines *bufio.Reader, prefix string) bool {
	for {
		line, err := lines.ReadSlice('\n')
		if err != nil {
			return false
		}
		if bytes.HasPrefix(line, []byte(prefix)) {
			return true
		}
	}
}

// cpuTime is what this process has used so far.
func cpuTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
