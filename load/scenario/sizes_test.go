package scenario

import (
	"math/rand/v2"
	"testing"

	"github.com/alecthomas/units"
)

func TestBlobsHaveTheSizesAtWhichServersChangeTheirWay(t *testing.T) {
	z := newSizes(Spread{units.KiB: 1, 10 * units.MiB: 1})
	r := rand.New(rand.NewPCG(1, 2))
	drawn := map[int64]int{}
	for range 20_000 {
		drawn[z.draw(r)]++
	}
	for _, size := range thresholds {
		for _, near := range []int64{size - 1, size, size + 1} {
			if drawn[near] == 0 {
				t.Errorf("%d bytes: never drawn of %v", near, drawn)
			}
		}
	}
	if small := drawn[int64(units.KiB)]; small < 9_000 || small > 11_000 {
		t.Errorf("1 KiB: got %d of 20,000, want about half: no draw grows", small)
	}
}
