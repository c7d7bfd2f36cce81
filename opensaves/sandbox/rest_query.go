package sandbox

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"opensaves-soak/opensaves/sandbox/aws"
)

// listRecords answers the list and both queries.
func listRecords(d *database, q *query, how manner) (reply, error) {
	if _, err := d.seenStore(q.store, how); err != nil {
		return reply{}, errStoreNotFound
	}
	ask := question{backend: d.backend, store: q.store, owner: q.params.Get("owner_id"), game: q.params.Get("game_id")}
	ask.limit, _ = strconv.Atoi(q.params.Get("limit")) // what is no number is ignored
	ask.limit = max(0, ask.limit)
	found := ask.answer(d, how)
	how.found(aws.Records, aws.Query, viewOf(ask.owner, ask.game), amountOf(found))
	found = d.distort(found, &ask, how)
	if len(found) > 0 {
		return reply{status: http.StatusOK, kind: jsonKind, head: []byte(`{"records":[`), records: found, tail: []byte("]}\n")}, nil
	}
	if d.backend == DocumentDB {
		return jsonReply([]byte("{\"records\":null}\n")), nil
	}
	return jsonReply([]byte("{\"records\":[]}\n")), nil
}

// viewOf says where a question is answered.
func viewOf(owner, game string) aws.View {
	switch {
	case game != "":
		return aws.GameIDIndex
	case owner != "":
		return aws.OwnerIDIndex
	}
	return aws.Base
}

// question is what REST can ask of a store's records.
type question struct {
	backend            Backend
	store, owner, game string
	limit              int // 0: none
}

func (q *question) matches(r *record) bool {
	return r.store == q.store && (q.owner == "" || q.game != "" || r.owner == q.owner) && (q.game == "" || r.game == q.game)
}

func (q *question) most() int { return q.limit }

// tied says whether two records may change places: to DocumentDB those of one
// second are as new as each other.
func (q *question) tied(a, b *record) bool {
	return q.backend == DocumentDB && a.created.Unix() == b.created.Unix()
}

// answer returns what the backend finds, in its order.
func (q *question) answer(d *database, how manner) []*record {
	if d.backend == DocumentDB {
		return q.newest(d, how)
	}
	p := page{limit: q.limit}
	more := true
	take := func(r *record) bool {
		more = how.misses(r) || p.add(r)
		return more
	}
	for _, s := range q.shelves(d) {
		if more {
			s.locked(how.plan, func() { q.walk(s, take) })
		}
	}
	if d.prefixed.Load() > 0 {
		slices.SortFunc(p.found, func(a, b *record) int { return strings.Compare(a.store+"#"+a.key, b.store+"#"+b.key) })
	}
	return p.found
}

// shelves returns the store, and for the indexes of DynamoDB, whose range key
// begins with the store's id and "#", those whose ids begin so too.
func (q *question) shelves(d *database) []*shelf {
	own := d.shelf(q.store)
	if own == nil {
		return nil
	}
	if q.owner == "" && q.game == "" || d.prefixed.Load() == 0 {
		return []*shelf{own}
	}
	return append([]*shelf{own}, d.all(q.store+"#")...)
}

// walk yields a store's records that match, in order.
func (q *question) walk(s *shelf, yield func(*record) bool) {
	switch {
	case q.game != "":
		s.indexes.games.ascend(q.game, yield)
	case q.owner != "":
		s.indexes.owners.ascend(q.owner, yield)
	default:
		s.scan(yield)
	}
}

// newest answers as DocumentDB does: all that match, the newest first.
func (q *question) newest(d *database, how manner) []*record {
	s := d.shelf(q.store)
	if s == nil {
		return nil
	}
	p := page{whole: true}
	s.locked(how.plan, func() {
		q.walk(s, func(r *record) bool {
			if (q.owner == "" || r.owner == q.owner) && !how.misses(r) {
				p.add(r)
			}
			return true
		})
	})
	slices.SortStableFunc(p.found, func(a, b *record) int { return cmp.Compare(b.created.Unix(), a.created.Unix()) })
	if q.limit > 0 && len(p.found) > q.limit {
		return p.found[:q.limit]
	}
	return p.found
}
