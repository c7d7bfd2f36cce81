package metric

// What the target and its load cost. All are list prices in USD.
var (
	CostPerHour = costs("usd_per_hour",
		"What the deployment costs in an hour at the present load.", "component", "kind")
	CostPerMillion = costs("usd_per_million_requests",
		"What the deployment costs for a million of the tester's requests at the present load.", "component", "kind")
	CostShared = costs("shared",
		"Whether others make so much of the component's work that its cost is not the tester's alone.", "component")
	CostBudget = costs("budget_usd_per_hour",
		"What the deployment may cost in an hour, from the configuration.")
	CostPrice = costs("price_usd",
		"Price of a unit of the item.", "item", "unit", "region", "source")
	CostPriceAge = costs("price_age_seconds",
		"Time since prices were last read from AWS, or since the date of the built-in ones.")
)

func costs(name, help string, labels ...string) Definition {
	return Definition{Name: "opensaves_cost_" + name, Type: "gauge", Labels: labels, Help: help}
}
