package report

import (
	"fmt"
	"strings"

	"github.com/go-analyze/charts"
)

// textStyle is that of all text in a chart; the size is in points, of half the size.
var textStyle = charts.FontStyle{FontSize: 20}

// The library wants colours; the page has a set of them for the dark and one for the
// light. So a chart is drawn in colours that only stand for variables of its style.
var (
	axisColour = charts.Color{R: 2, A: 255}
	gridColour = charts.Color{R: 2, B: 1, A: 255}
	textColour = charts.Color{R: 2, B: 2, A: 255}
)

func seriesColour(i int) charts.Color { return charts.Color{R: 1, B: uint8(i), A: 255} }

var theme = charts.ThemeOption{
	AxisStrokeColor: axisColour, AxisSplitLineColor: gridColour, TextColor: textColour, BackgroundColor: charts.ColorTransparent,
}

// styled puts the variables in, and the page's font.
var styled = func() *strings.Replacer {
	pairs := []string{
		axisColour.String(), "var(--axis)", gridColour.String(), "var(--grid)", textColour.String(), "var(--ink)",
		";font-family:'Roboto Medium',sans-serif", "",
	}
	for i := range mostLines {
		pairs = append(pairs, seriesColour(i).String(), fmt.Sprintf("var(--line-%d)", i+1))
	}
	return strings.NewReplacer(pairs...)
}()
