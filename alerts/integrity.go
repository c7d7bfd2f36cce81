package alerts

import (
	"time"

	"opensaves-soak/exporter/metric"
)

// integrity is about answers that are wrong, and about checks that do not check.
func (b builder) integrity() Group {
	checks, judged := b.rate(metric.Checks, 5*time.Minute), b.rate(metric.Checks, 5*time.Minute, `result!="unjudged"`)
	return b.group("integrity", nil,
		alert{
			name: "OpenSavesSoakWrongData", severity: Critical, board: BoardOverview,
			expr:        b.wrongData(),
			summary:     "Open Saves gives wrong data ({{ $labels.kind }}).",
			description: "{{ $value | humanize }} wrong answers of kind {{ $labels.kind }} in an hour, in checks of {{ $labels.check }}: no correct server gives them.",
		},
		alert{
			name: "OpenSavesSoakChecksStalled", severity: Critical, board: BoardOverview,
			expr:        b.stalledChecks(),
			summary:     "Answers are no longer checked.",
			description: "{{ $value }} replicas get answers and have judged none for 10 minutes: wrong data would not be noticed.",
		},
		alert{
			name: "OpenSavesSoakSelfTestMissed", severity: Critical, board: BoardOverview,
			expr:        b.moved(metric.SelfTestMissed, "kind"),
			summary:     "The checks do not find {{ $labels.kind }} when it is there.",
			description: "{{ $value | humanize }} violations of kind {{ $labels.kind }} that the self-test made in the last hour were not found.",
		},
		alert{
			name: "OpenSavesSoakUnjudged", severity: Warning, board: BoardOverview, wait: 15 * time.Minute,
			expr:        sum(judged) + "\n/ (" + sum(checks) + " > 0)\n< " + number(JudgedShare),
			summary:     "Too few answers can be judged.",
			description: "Only {{ $value | humanizePercentage }} of the answers can be judged.",
		})
}

// wrongData leaves lost updates out where the API makes no promise about them, for
// as long as they are counted: the tester may be gone by then.
func (b builder) wrongData() string {
	return "(" + b.moved(metric.CheckViolations, "check", "kind") + ")\nunless on (" + kept + ", kind) label_replace(" +
		over("group", "last_over_time("+b.series(metric.TargetInfo.Name, `protocol="`+metric.HTTP.String()+`"`)+"["+b.over(time.Hour)+"])") + `, "kind", "lost_update", "", "")`
}

// stalledChecks counts the replicas that had answers five to ten minutes ago,
// and have judged none since ten.
func (b builder) stalledChecks() string {
	judged := b.rate(metric.Checks, 10*time.Minute, `result!="unjudged"`)
	success := "rate(" + b.series(metric.Requests.Name, `outcome="`+metric.Success.String()+`"`) +
		"[" + b.over(5*time.Minute) + "] offset " + b.over(5*time.Minute) + ")"
	return over("count", "\n  "+sum(judged, "instance")+" == 0\n  and "+sum(success, "instance")+" > 0\n")
}
