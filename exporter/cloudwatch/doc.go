// Package cloudwatch turns what Amazon CloudWatch and a few Describe calls say
// of an Open Saves deployment into gauges and counters. It polls in the
// background, once for each finished period, and a scrape only reads
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html).
// Trouble with AWS shows in metrics and never reaches the load.
package cloudwatch
