package cloudwatch

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func at(t *testing.T, text string) time.Time {
	t.Helper()
	parsed, err := time.Parse(time.TimeOnly, text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.AddDate(2026, 10, 24)
}

func TestWindowsAreWholePeriodsThatHaveSettled(t *testing.T) {
	for name, c := range map[string]struct {
		now             string
		period, delay   time.Duration
		lookback        time.Duration
		wantStart, want string
	}{
		"just before a minute ends":            {"10:03:59", time.Minute, 0, 2 * time.Minute, "10:01:00", "10:03:00"},
		"at the minute":                        {"10:04:00", time.Minute, 0, 2 * time.Minute, "10:02:00", "10:04:00"},
		"a second before the delay has passed": {"10:06:59", time.Minute, 3 * time.Minute, 10 * time.Minute, "09:53:00", "10:03:00"},
		"when the delay has passed":            {"10:07:00", time.Minute, 3 * time.Minute, 10 * time.Minute, "09:54:00", "10:04:00"},
		"five minutes are aligned to the hour": {"10:07:30", 5 * time.Minute, 3 * time.Minute, 10 * time.Minute, "09:50:00", "10:00:00"},
		"a lookback that is no whole period":   {"10:10:00", 5 * time.Minute, 0, 7 * time.Minute, "10:00:00", "10:10:00"},
		"days are aligned to midnight":         {"10:07:30", 24 * time.Hour, 0, 24 * time.Hour, "00:00:00", "00:00:00"},
	} {
		t.Run(name, func(t *testing.T) {
			want := window{at(t, c.wantStart), at(t, c.want)}
			if c.period == daily {
				want.start = want.start.Add(-daily)
			}
			if diff := cmp.Diff(want, settled(at(t, c.now), c.period, c.delay, c.lookback), cmp.AllowUnexported(window{})); diff != "" {
				t.Errorf("wanted -, got +\n%s", diff)
			}
		})
	}
}

func TestAPollComesWhenAnotherMinuteHasSettled(t *testing.T) {
	for now, want := range map[string]string{
		"10:03:59": "10:04:00", "10:04:00": "10:05:00", "10:04:04": "10:05:00",
	} {
		if got := nextPoll(at(t, now), 3*time.Minute); !got.Equal(at(t, want)) {
			t.Errorf("after %s: got %s, want %s", now, got.Format(time.TimeOnly), want)
		}
	}
}
