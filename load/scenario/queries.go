package scenario

import (
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/opensaves"
)

// pageLimit is how many records a query asks for that could match many.
const pageLimit = 20

// ask fills the call with a question that a record of the working set answers.
func (w *World) ask(t *Task, about func(*ledger.Object) opensaves.Query) metric.Operation {
	o := w.pick(t, w.records)
	if o == nil {
		return metric.CreateRecord
	}
	t.Call.Store, t.Call.Query = o.Parent.Key, about(o)
	return t.Op
}

func prepareQueryByOwner(w *World, t *Task) metric.Operation {
	return w.ask(t, func(o *ledger.Object) opensaves.Query { return opensaves.Query{Owner: w.content.owner(o)} })
}

func prepareQueryByTag(w *World, t *Task) metric.Operation {
	return w.ask(t, func(o *ledger.Object) opensaves.Query {
		t.tags[0] = w.content.tag(o, o.Version())
		return opensaves.Query{Tags: t.tags[:], Limit: pageLimit}
	})
}

func prepareQueryByProperty(w *World, t *Task) metric.Operation {
	return w.ask(t, func(o *ledger.Object) opensaves.Query {
		season := opensaves.Property{Name: seasonProperty, Value: opensaves.Value{Kind: opensaves.Integer, Int: w.content.season(o)}}
		return opensaves.Query{Filter: opensaves.Filter{Operator: opensaves.Equal, Property: season}, Limit: pageLimit}
	})
}

func prepareQueryByGame(w *World, t *Task) metric.Operation {
	return w.ask(t, func(o *ledger.Object) opensaves.Query {
		return opensaves.Query{Game: w.content.game(o), Limit: pageLimit}
	})
}

func prepareListRecords(w *World, t *Task) metric.Operation {
	return w.ask(t, func(*ledger.Object) opensaves.Query { return opensaves.Query{Limit: pageLimit} })
}

// settleQuery takes note of an answer with many records, which is not judged.
func settleQuery(_ *World, t *Task, err error, _ time.Duration) {
	if err == nil {
		t.unjudged(metric.CheckQuery)
	}
}
