// Package metrics is the place of what operators look at: the Prometheus
// collector, the health endpoints and the observer page of a supervision tree.
// It holds nothing yet.
package metrics
