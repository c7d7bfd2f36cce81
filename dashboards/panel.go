package dashboards

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/heatmap"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// panel is built with its board, which gives it its place and number.
type panel = cog.Builder[dashboard.Panel]

// about is what every panel has: a title, one sentence and the unit of its values.
type about struct{ title, description, unit string }

// query is an expression, and the name of its series as Grafana fills it in.
type query struct{ expr, legend string }

// Colours of thresholds.
const (
	good = "green"
	bad  = "red"
)

// step is how far apart the samples of AWS are. As the least step of a query it
// makes $__rate_interval long enough for them.
const step = "1m"

var source = common.DataSourceRef{Type: new("prometheus"), Uid: new("$datasource")}

// number shows the value that an expression has now.
func number(a about, expr string, limits cog.Builder[dashboard.ThresholdsConfig]) *stat.PanelBuilder {
	return stat.NewPanelBuilder().
		Title(a.title).Description(a.description).Unit(a.unit).Datasource(source).
		Thresholds(limits).NoValue("–").
		ColorMode(common.BigValueColorModeBackground).GraphMode(common.BigValueGraphModeNone).Orientation(common.VizOrientationAuto).
		ReduceOptions(common.NewReduceDataOptionsBuilder().Calcs([]string{"lastNotNull"})).
		WithTarget(prometheus.NewDataqueryBuilder().RefId("A").Datasource(source).Expr(expr).LegendFormat("{{component}}").Instant())
}

// graph shows expressions over time, with its objective or alert as a dashed
// line where Thresholds are set.
func graph(a about, queries ...query) *timeseries.PanelBuilder {
	p := timeseries.NewPanelBuilder().
		Title(a.title).Description(a.description).Unit(a.unit).Datasource(source).
		Min(0).LineWidth(1).FillOpacity(5).ShowPoints(common.VisibilityModeNever).
		Legend(common.NewVizLegendOptionsBuilder().DisplayMode(common.LegendDisplayModeTable).
			Placement(common.LegendPlacementBottom).ShowLegend(true).Calcs([]string{"lastNotNull", "max"})).
		Tooltip(common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeMulti).Sort(common.SortOrderDescending))
	for i, q := range queries {
		p.WithTarget(ranged(i, q))
	}
	return p
}

// awsGraph is a graph of what AWS says once a minute, or less often.
func awsGraph(a about, queries ...query) *timeseries.PanelBuilder {
	p := graph(a)
	for i, q := range queries {
		p.WithTarget(ranged(i, q).Interval(step))
	}
	// A point a minute is a line, and a gap of more than five is a gap.
	return p.SpanNulls(common.BoolOrFloat64{Float64: new(300_000.0)})
}

// bars is a graph whose series add up.
func bars(p *timeseries.PanelBuilder) *timeseries.PanelBuilder {
	return p.FillOpacity(40).Stacking(common.NewStackingConfigBuilder().Mode(common.StackingModeNormal).Group("A"))
}

// line draws a threshold of a graph.
func line(p *timeseries.PanelBuilder, limits cog.Builder[dashboard.ThresholdsConfig]) *timeseries.PanelBuilder {
	return p.Thresholds(limits).
		ThresholdsStyle(common.NewGraphThresholdsStyleConfigBuilder().Mode(common.GraphThresholdsStyleModeDashed))
}

func ranged(i int, q query) *prometheus.DataqueryBuilder {
	return prometheus.NewDataqueryBuilder().RefId(string(rune('A' + i))).Datasource(source).
		Expr(q.expr).LegendFormat(q.legend).Range()
}

// heat shows how often which latency is met.
func heat(a about, expr string) *heatmap.PanelBuilder {
	return heatmap.NewPanelBuilder().
		Title(a.title).Description(a.description).Unit(a.unit).Datasource(source).
		Calculate(false).CellGap(1).ShowLegend().
		YAxis(heatmap.NewYAxisConfigBuilder().Unit(a.unit).AxisPlacement(common.AxisPlacementLeft)).
		Color(heatmap.NewHeatmapColorOptionsBuilder().Mode(heatmap.HeatmapColorModeScheme).Scheme("Oranges").
			Scale(heatmap.HeatmapColorScaleExponential).Exponent(0.5).Steps(64).Fill("dark-orange")).
		CellValues(heatmap.NewCellValuesBuilder().Unit(units.RequestsPerSecond)).
		Tooltip(heatmap.NewHeatmapTooltipBuilder().Mode(common.TooltipDisplayModeSingle).YHistogram(true)).
		WithTarget(ranged(0, query{expr, "{{le}}"}).Format(prometheus.PromQueryFormatHeatmap))
}

// column is one of a table: its expression, name and unit.
type column struct{ expr, name, unit string }

// listing is a table with a row for each value of a label.
func listing(a about, label string, columns ...column) *table.PanelBuilder {
	p := table.NewPanelBuilder().
		Title(a.title).Description(a.description).Unit(a.unit).Datasource(source).Filterable(true).
		Footer(common.NewTableFooterOptionsBuilder().Reducer([]string{"sum"})) // hidden, but the schema wants one
	names, hidden := map[string]string{}, map[string]bool{}
	for i, c := range columns {
		q := ranged(i, query{c.expr, c.name}).Instant().Format(prometheus.PromQueryFormatTable)
		id := string(rune('A' + i))
		names["Value #"+id] = c.name
		hidden[fmt.Sprintf("Time %d", i+1)] = true // the join numbers them
		p.WithTarget(q).OverrideByName(c.name, []dashboard.DynamicConfigValue{{Id: "unit", Value: c.unit}})
	}
	return p.
		WithTransformation(dashboard.DataTransformerConfig{Id: "joinByField", Options: map[string]string{"byField": label, "mode": "outer"}}).
		WithTransformation(dashboard.DataTransformerConfig{Id: "organize", Options: map[string]any{"excludeByName": hidden, "renameByName": names}})
}

// under is good below the limit.
func under(limit float64) cog.Builder[dashboard.ThresholdsConfig] {
	return thresholds(good, limit, bad)
}

// over is good from the limit on.
func over(limit float64) cog.Builder[dashboard.ThresholdsConfig] { return thresholds(bad, limit, good) }

// neutral has no limit.
func neutral() cog.Builder[dashboard.ThresholdsConfig] {
	return dashboard.NewThresholdsConfigBuilder().Mode(dashboard.ThresholdsModeAbsolute).
		Steps([]dashboard.Threshold{{Color: "text"}})
}

// exactly is good at a whole number alone.
func exactly(n float64) cog.Builder[dashboard.ThresholdsConfig] {
	next := n + 1
	return dashboard.NewThresholdsConfigBuilder().Mode(dashboard.ThresholdsModeAbsolute).
		Steps([]dashboard.Threshold{{Color: bad}, {Color: good, Value: &n}, {Color: bad, Value: &next}})
}

func thresholds(below string, limit float64, above string) cog.Builder[dashboard.ThresholdsConfig] {
	return dashboard.NewThresholdsConfigBuilder().Mode(dashboard.ThresholdsModeAbsolute).
		Steps([]dashboard.Threshold{{Color: below}, {Color: above, Value: &limit}})
}
