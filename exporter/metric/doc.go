// Package metric is the vocabulary that all other rooms share: operations,
// their classes, codes, and the name, help, labels and buckets of every metric.
// It holds no state and imports nothing of this module.
package metric
