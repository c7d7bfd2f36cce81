package linear

import "testing"

func TestAnOperationMakesOfARegisterWhatTheServerShould(t *testing.T) {
	for name, test := range map[string]struct {
		op      Op
		old     int64
		value   int64
		updated bool
	}{
		"a read changes nothing":                               {Read(), 5, 5, false},
		"a swap of the expected value sets":                    {CompareAndSwap(5, 9), 5, 9, true},
		"a swap of another value leaves":                       {CompareAndSwap(4, 9), 5, 5, false},
		"a swap for the same value says that it set":           {CompareAndSwap(5, 5), 5, 5, true},
		"a greater value is set":                               {CompareAndSwapGreater(6), 5, 6, true},
		"an equal value is not greater":                        {CompareAndSwapGreater(5), 5, 5, false},
		"a less value is set":                                  {CompareAndSwapLess(4), 5, 4, true},
		"an equal value is not less":                           {CompareAndSwapLess(5), 5, 5, false},
		"an increment within its bounds adds one":              {AtomicInc(1, 9), 5, 6, true},
		"an increment from the lower bound adds one":           {AtomicInc(1, 9), 1, 2, true},
		"an increment below the upper bound reaches it":        {AtomicInc(1, 9), 8, 9, true},
		"an increment at the upper bound wraps to the lower":   {AtomicInc(1, 9), 9, 1, true},
		"an increment above the bounds goes to the lower":      {AtomicInc(1, 9), 20, 1, true},
		"an increment below the bounds goes to the lower":      {AtomicInc(1, 9), -3, 1, true},
		"an increment in bounds of one value stays there":      {AtomicInc(5, 5), 5, 5, true},
		"a decrement within its bounds takes one off":          {AtomicDec(1, 9), 5, 4, true},
		"a decrement from the upper bound takes one off":       {AtomicDec(1, 9), 9, 8, true},
		"a decrement above the lower bound reaches it":         {AtomicDec(1, 9), 2, 1, true},
		"a decrement at the lower bound wraps to the upper":    {AtomicDec(1, 9), 1, 9, true},
		"a decrement above the bounds goes to the upper":       {AtomicDec(1, 9), 20, 9, true},
		"a decrement below the bounds goes to the upper":       {AtomicDec(1, 9), -3, 9, true},
		"a decrement in bounds of one value stays where it is": {AtomicDec(5, 5), 5, 5, true},
	} {
		t.Run(name, func(t *testing.T) {
			value, updated := test.op.Apply(test.old)
			if value != test.value || updated != test.updated {
				t.Errorf("of %d: got %d, %v, want %d, %v", test.old, value, updated, test.value, test.updated)
			}
		})
	}
}
