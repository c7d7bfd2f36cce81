package ledger

import (
	"bytes"
	"io"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAHeaderIsReadBackAsItWasWritten(t *testing.T) {
	want := Header{Key: "soak-00c0ffee-0-0-r7", Version: 42, Length: 1 << 20, Sum: 0xdeadbeef}
	got, rest, ok := ParseHeader(string(want.Append(nil)) + "rest")
	if !ok || rest != "rest" {
		t.Fatalf("got rest %q, ok %v, want %q, true", rest, ok, "rest")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
}

func FuzzParseHeader(f *testing.F) {
	f.Add(string(Header{Key: "k", Version: 1, Length: 2, Sum: 3}.Append(nil)))
	f.Add("soak1|k|-1|9999999999999999999|zz|")
	f.Add("soak1||||")
	f.Fuzz(func(t *testing.T, s string) {
		h, rest, ok := ParseHeader(s)
		if !ok {
			return
		}
		again, _, ok := ParseHeader(string(h.Append(nil)) + rest)
		if !ok || again != h {
			t.Errorf("reading %q again: got %+v, want %+v", s, again, h)
		}
	})
}

func TestTheSumDoesNotDependOnTheOrderOfFieldsAndOnAllElse(t *testing.T) {
	sum := func(fields ...[2]string) (s Sum) {
		for _, f := range fields {
			s.Add('p', f[0], f[1])
		}
		return s
	}
	one := sum([2]string{"a", "1"}, [2]string{"b", "2"})
	if other := sum([2]string{"b", "2"}, [2]string{"a", "1"}); one != other {
		t.Errorf("another order: got %x, want %x", other, one)
	}
	for name, other := range map[string]Sum{
		"values swapped":       sum([2]string{"a", "2"}, [2]string{"b", "1"}),
		"names shifted":        sum([2]string{"a1", ""}, [2]string{"b2", ""}),
		"a field missing":      sum([2]string{"a", "1"}),
		"a field of a version": sum([2]string{"a", "1"}, [2]string{"b", "3"}),
	} {
		if one == other {
			t.Errorf("%s: the sum stays %x", name, one)
		}
	}
}

// whole returns a content in pieces of at most limit bytes, put together.
func whole(c *Content, limit int) (all []byte) {
	for int64(len(all)) < c.Size() {
		all = append(all, c.Piece(int64(len(all)), limit)...)
	}
	return all
}

func TestABlobIsRecognisedWhateverItsSizeAndHowItIsCut(t *testing.T) {
	for _, size := range []int64{MinContent, MinContent + 1, 64 << 10, 64<<10 + 1, 4<<20 - 1, 5<<20 + 1} {
		o := NewObject(7, "soak-00c0ffee-0-0-b7", nil)
		version := o.Intend()
		var c Content
		c.Set(o, version, size)
		content := whole(&c, 1<<20)
		if !bytes.Equal(content, whole(&c, 977)) {
			t.Errorf("%d bytes: small pieces make another blob than large ones", size)
		}
		for _, cut := range []int{1 << 30, 1 << 16, 100, 1} {
			if cut == 1 && size > 1<<10 {
				continue
			}
			var checker Checker
			checker.Reset(o)
			if _, err := io.CopyBuffer(struct{ io.Writer }{&checker}, struct{ io.Reader }{bytes.NewReader(content)}, make([]byte, min(int64(cut), size))); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(Seen{Version: version}, checker.Seen()); diff != "" {
				t.Errorf("%d bytes cut every %d (-want +got):\n%s", size, cut, diff)
			}
		}
	}
}

func TestADamagedBlobIsRecognised(t *testing.T) {
	const size = 5000
	o := NewObject(7, "soak-00c0ffee-0-0-b7", nil)
	version := o.Intend()
	var c Content
	c.Set(o, version, size)
	for name, damage := range map[string]func([]byte) []byte{
		"one bit in the filling": func(b []byte) []byte { b[4000] ^= 1; return b },
		"one bit in the header":  func(b []byte) []byte { b[8] ^= 1; return b },
		"cut":                    func(b []byte) []byte { return b[:4999] },
		"longer":                 func(b []byte) []byte { return append(b, 'x') },
		"another blob's":         func(b []byte) []byte { return bytes.Replace(b, []byte("b7"), []byte("b8"), 1) },
		"only a start":           func(b []byte) []byte { return b[:50] },
	} {
		var checker Checker
		checker.Reset(o)
		_, _ = checker.Write(damage(whole(&c, size)))
		if got := checker.Seen(); got.Fault == "" {
			t.Errorf("%s: got %+v, want a fault", name, got)
		}
	}
}

func TestASetKeepsItsObjectsThroughConcurrentChanges(t *testing.T) {
	set := NewSet(1000)
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for range 200 {
				o := NewObject(1, "k", nil)
				o.Unlock()
				if !set.Add(o) {
					t.Error("no room in a set that is not full")
				}
				if set.From(set.Len()/2, func(*Object) bool { return true }) == nil {
					t.Error("no object in a set that has some")
				}
				set.Remove(o)
				set.Remove(o) // once more does nothing
			}
		})
	}
	workers.Wait()
	if got := set.Len(); got != 0 {
		t.Errorf("objects left: got %d, want 0", got)
	}
}

func TestAFullSetTakesNoMore(t *testing.T) {
	set := NewSet(1)
	if !set.Add(NewObject(1, "a", nil)) || set.Add(NewObject(2, "b", nil)) {
		t.Error("want room for one object and no more")
	}
	if got := set.From(0, (*Object).TryLock); got != nil {
		t.Errorf("an object that is locked was given: %v", got.Key)
	}
}
