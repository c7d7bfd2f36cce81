package scenario

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves"
)

func TestANameIsLostWhenTwoListsLackIt(t *testing.T) {
	const end, quiet, second = 40 * time.Second, 30 * time.Second, 15 * time.Second
	for name, test := range map[string]struct {
		lists   [][]int // which of three uploads, the third of unknown end, each list shows
		at      []time.Duration
		want    []metric.Result
		accused bool
	}{
		"all names that were acknowledged are there":   {lists: [][]int{{0, 1}}, at: []time.Duration{end + quiet}, want: []metric.Result{metric.Right}},
		"the one that nobody knows of may be there":    {lists: [][]int{{0, 1, 2}}, at: []time.Duration{end + quiet}, want: []metric.Result{metric.Right}},
		"one is lacking before reads must show it":     {lists: [][]int{{0}}, at: []time.Duration{end + quiet - 1}, want: []metric.Result{metric.Right}},
		"one is lacking, and ten seconds later too":    {lists: [][]int{{0}, {0, 2}, {0}}, at: []time.Duration{end + quiet, end + quiet + 10*time.Second, end + quiet + second}, want: []metric.Result{metric.Unjudged, metric.Unjudged, metric.Violation}, accused: true},
		"one is lacking, and then it is there":         {lists: [][]int{{0}, {0, 1}, {0}}, at: []time.Duration{end + quiet, end + quiet + second, end + quiet + 2*second}, want: []metric.Result{metric.Unjudged, metric.Right, metric.Right}},
		"one is lacking, and then only another one":    {lists: [][]int{{1}, {0}}, at: []time.Duration{end + quiet, end + quiet + second}, want: []metric.Result{metric.Unjudged, metric.Unjudged}},
		"none is there although two were acknowledged": {lists: [][]int{{}, {}}, at: []time.Duration{end + quiet, end + quiet + second}, want: []metric.Result{metric.Unjudged, metric.Violation}, accused: true},
	} {
		t.Run(name, func(t *testing.T) {
			w, told := newContest(t, metric.HTTP)
			names := crowded(t, w, end)
			var got []metric.Result
			for i, list := range test.lists {
				task := sent(t, w, metric.ListBlobs, test.at[i])
				for _, n := range list {
					task.Answer.Blobs = append(task.Answer.Blobs, names[n])
				}
				w.Settle(task, nil, test.at[i]+time.Second)
				got = append(got, task.Result.Verdict)
			}
			if diff := cmp.Diff(test.want, got); diff != "" || test.accused != (len(*told) > 0) {
				t.Errorf("told %v; verdicts wanted -, got +\n%s", *told, diff)
			}
		})
	}
}

// crowded makes a contest that three arrivals upload to at once, the third with
// an unknown end, and returns the names of their blobs.
func crowded(t *testing.T, w *World, end time.Duration) (names []string) {
	t.Helper()
	task := NewTask(3, 4)
	if w.Prepare(task, inLane(metric.CreateBlob), 0); task.Op != metric.CreateRecord {
		t.Fatalf("the first upload: got %s, want it to make a record", task.Op)
	}
	w.Settle(task, nil, 0)
	for i := range w.contests.places {
		w.contests.places[i].Store(task.contest)
	}
	early := NewTask(3, 4)
	if w.Prepare(early, inLane(metric.CreateBlob), time.Second); early.Op != metric.ListBlobs {
		t.Errorf("an upload to a record just made: got %s, want a list", early.Op)
	}
	var uploads []*Task
	for range 3 {
		uploads = append(uploads, sent(t, w, metric.CreateBlob, end-time.Second))
	}
	for i, upload := range uploads {
		names = append(names, upload.Call.Blob)
		w.Settle(upload, []error{nil, nil, &opensaves.Error{Op: upload.Op, Code: metric.Internal}}[i], end)
	}
	return names
}

func TestTheBlobsOfAContestAreDeletedBeforeItsRecord(t *testing.T) {
	w, _ := newContest(t, metric.HTTP)
	names := crowded(t, w, 40*time.Second)
	list := sent(t, w, metric.ListBlobs, 80*time.Second)
	list.Answer.Blobs = append(list.Answer.Blobs, names...)
	w.Settle(list, nil, 80*time.Second)
	w.Prepare(NewTask(7, 8), inLane(metric.CreateBlob), 81*time.Second)
	var got []string
	for _, d := range w.doubts {
		got = append(got, d.call.Op.String()+" "+d.call.Blob)
	}
	want := []string{"delete_blob " + names[0], "delete_blob " + names[1], "delete_blob " + names[2], "delete_record "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}
