// Package dashboards is the Grafana boards of the soak: what they show, the
// JSON that Grafana takes in its classic schema, and how they get into a
// Grafana by its HTTP API (https://grafana.com/docs/grafana/latest/developers/http_api/).
// It reads no metric itself.
package dashboards
