package report

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"

	"github.com/go-analyze/charts"
)

// chart shows lines over a common axis.
type chart struct {
	Title string // with the units
	Note  string
	Wide  bool
	x     axis
	xName string
	write func(float64) string // x, for those who cannot see
	lines []trace
}

// trace is a series of values; one that cannot be drawn breaks it.
type trace struct {
	name   string
	unit   string
	points []spot // by x
	look   look
	right  bool // it belongs to the right axis
}

type spot struct{ x, y float64 }

// look is how a line is drawn.
type look int

const (
	dotted look = iota // its points, and lines between them
	smooth             // lines alone
	apart              // points alone
)

// mostLines is how many colours there are.
const mostLines = 8

// enough says whether a line has two points.
func (l trace) enough() bool {
	n := 0
	for _, p := range l.points {
		if drawable(p.y) {
			n++
		}
	}
	return n >= 2
}

// drawable says whether a number is one that a tick can be labelled with.
func drawable(v float64) bool {
	size := math.Abs(v)
	return size == 0 || size > 1e-9 && size < 1e12
}

// Alt says in words where each line begins and ends.
func (c chart) Alt() string {
	said := []string{c.Title}
	for _, l := range c.lines {
		known := slices.DeleteFunc(slices.Clone(l.points), func(p spot) bool { return !drawable(p.y) })
		first, last := known[0], known[len(known)-1]
		said = append(said, fmt.Sprintf("%s: from %s %s at %s to %s %s at %s", l.name, figures(first.y), l.unit, c.write(first.x), figures(last.y), l.unit, c.write(last.x)))
	}
	return strings.Join(said, "; ") + "."
}

// columns are the places that the axis has for points: the library knows no axis of
// numbers, only one of evenly spaced columns.
func (c chart) columns() int {
	const about = 600
	gaps := len(c.x.ticks) - 1
	return gaps*(about/gaps) + 1
}

func (c chart) column(x float64) int {
	last := c.columns() - 1
	return min(max(int(math.Round(c.x.at(x)*float64(last))), 0), last)
}

// path fills the columns of a line, between its points too unless they stand apart.
func (c chart) path(l trace, joined bool) []float64 {
	values := slices.Repeat([]float64{charts.GetNullValue()}, c.columns())
	before, height := -1, 0.0
	for _, p := range l.points {
		if !drawable(p.y) {
			before = -1
			continue
		}
		here := c.column(p.x)
		for i := before + 1; joined && before >= 0 && i < here; i++ {
			values[i] = height + (p.y-height)*float64(i-before)/float64(here-before)
		}
		if here == before && !joined && here+1 < len(values) {
			here++ // Two points at the same place are both seen.
		}
		values[here], before, height = p.y, here, p.y
	}
	return values
}

// The size of a chart. Its unit is half a pixel of the page, since the library
// rounds to whole ones.
const (
	chartWidth, wideWidth = 1120, 2280
	chartHeight           = 560
)

// SVG draws the chart in the colours of the page's style.
func (c chart) SVG() (template.HTML, error) {
	width := chartWidth
	if c.Wide {
		width = wideWidth
	}
	series, colours := c.series()
	palette := theme
	palette.SeriesColors = colours
	painter := charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputSVG, Width: width, Height: chartHeight})
	err := painter.LineChart(charts.LineChartOption{
		Theme:      charts.MakeTheme(palette),
		Padding:    charts.NewBox(4, 20, 20, 4),
		SeriesList: series,
		Symbol:     charts.Symbol{Shape: charts.SymbolNone}, LineStrokeWidth: 4,
		Legend: charts.LegendOption{Show: new(false)}, // the page has one that wraps
		XAxis:  c.xAxis(),
		YAxis:  c.yAxes(),
	})
	if err != nil {
		return "", fmt.Errorf("drawing %q: %w", c.Title, err)
	}
	drawn, err := painter.Bytes()
	if err != nil {
		return "", fmt.Errorf("drawing %q: %w", c.Title, err)
	}
	return template.HTML(styled.Replace(string(drawn))), nil
}

// shapes are those of points, and what stands for them in a legend.
var shapes = []struct {
	symbol charts.SymbolShape
	key    string
}{{charts.SymbolDot, "●"}, {charts.SymbolSquare, "■"}, {charts.SymbolDiamond, "◆"}}

// Legend is the lines by their names.
func (c chart) Legend() (list []struct{ Key, Name string }) {
	for i, l := range c.lines {
		key := shapes[i%len(shapes)].key
		if l.look == smooth {
			key = "—"
		}
		list = append(list, struct{ Key, Name string }{key, l.name})
	}
	return list
}

// series are the lines, and after them the points of those that have both, in the
// same colour.
func (c chart) series() (list charts.LineSeriesList, colours []charts.Color) {
	add := func(l trace, joined bool, shape charts.SymbolShape, colour int) {
		s := charts.LineSeries{Values: c.path(l, joined), Symbol: charts.Symbol{Shape: shape, Size: 8}}
		if l.right {
			s.YAxisIndex = 1
		}
		list, colours = append(list, s), append(colours, seriesColour(colour))
	}
	for i, l := range c.lines {
		if l.look == apart {
			add(l, false, shapes[i%len(shapes)].symbol, i)
		} else {
			add(l, true, "", i)
		}
	}
	for i, l := range c.lines {
		if l.look == dotted {
			add(l, false, shapes[i%len(shapes)].symbol, i)
		}
	}
	return list, colours
}

func (c chart) xAxis() charts.XAxisOption {
	option := charts.XAxisOption{
		Title: c.xName, TitleFontStyle: textStyle, LabelFontStyle: textStyle,
		LabelCount: len(c.x.ticks) - 1, BoundaryGap: new(true), // the labels stand below their ticks
	}
	gap := (c.columns() - 1) / (len(c.x.ticks) - 1)
	for i := range c.columns() {
		option.Labels = append(option.Labels, c.x.ticks[(i+gap/2)/gap])
	}
	return option
}

// yAxes begin with 0. The right one is there if a line belongs to it.
func (c chart) yAxes() (list []charts.YAxisOption) {
	highest := map[bool]float64{}
	for _, l := range c.lines {
		for _, p := range l.points {
			if drawable(p.y) {
				highest[l.right] = max(highest[l.right], p.y)
			}
		}
	}
	for _, right := range []bool{false, true} {
		list = append(list, charts.YAxisOption{
			LabelFontStyle: textStyle, Min: new(0.0), Max: new(top(highest[right])), LabelCount: intervals + 1, ValueFormatter: figures,
		})
	}
	return list
}
