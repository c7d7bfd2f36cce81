package dashboards

import (
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"

	"opensaves-soak/alerts"
)

// The files in json are written by the test that compares them.
//go:generate env UPDATE=1 go test -count=1 -run=^TestTheBoardsAreAsCommitted$ .

// Options is what the boards depend on.
type Options struct {
	Objectives alerts.Objectives // the thresholds of panels; those of the configuration
}

// Board is a dashboard of Grafana.
type Board struct {
	Name  string // of its file, without ".json"
	UID   string // in Grafana, the same in every version
	Title string
	JSON  []byte // classic schema, indented, the same bytes for the same options
}

// Panel is what a board shows in one place.
type Panel struct {
	Board       string // its name
	Title       string
	Description string // one sentence
	Unit        string // as Grafana names it
	Queries     []string
}

// designs are the boards, in the order in which one reads them.
func designs(o Options) []design {
	return []design{
		overview(o), eksPods(), dynamoDB(), s3(), redis(), loadGenerator(o),
	}
}

// Boards returns all boards. An error means that the SDK refused a panel.
func Boards(o Options) ([]Board, error) {
	var all []Board
	for _, d := range designs(o) {
		built, err := d.build()
		if err != nil {
			return nil, err
		}
		text, err := render(built)
		if err != nil {
			return nil, err
		}
		all = append(all, Board{Name: d.name, UID: *built.Uid, Title: d.title, JSON: text})
	}
	return all, nil
}

// Panels returns the panels of all boards in their order, those of folded rows
// included. An error means that the SDK refused one.
func Panels(o Options) ([]Panel, error) {
	var all []Panel
	for _, d := range designs(o) {
		built, err := d.build()
		if err != nil {
			return nil, err
		}
		for _, p := range flat(built.Panels) {
			all = append(all, describe(d.name, p))
		}
	}
	return all, nil
}

// flat is the panels on the board and in its folded rows.
func flat(panels []dashboard.PanelOrRowPanel) []dashboard.Panel {
	var all []dashboard.Panel
	for _, p := range panels {
		if p.Panel != nil {
			all = append(all, *p.Panel)
			continue
		}
		all = append(all, p.RowPanel.Panels...)
	}
	return all
}

func describe(board string, p dashboard.Panel) Panel {
	one := Panel{Board: board, Title: *p.Title, Description: *p.Description, Unit: *p.FieldConfig.Defaults.Unit}
	for _, target := range p.Targets {
		if q, ok := target.(prometheus.Dataquery); ok {
			one.Queries = append(one.Queries, q.Expr)
		}
	}
	return one
}
