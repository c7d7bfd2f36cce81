package dashboards

import (
	"github.com/grafana/grafana-foundation-sdk/go/units"

	"opensaves-soak/alerts"
	"opensaves-soak/exporter/metric"
)

// s3 shows the target's bucket.
func s3() design {
	return design{
		name: "s3", uid: alerts.BoardS3, title: "S3",
		description: "What the bucket of Open Saves answers and moves, beside what the tester sees; all but the storage needs S3 request metrics.",
		sections: []section{
			numbers(s3RequestsNow(), s3FailedNow(), firstByteNow(), s3BytesNow(), bucketSizeNow(), bucketObjectsNow()),
			{columns: 4, height: 4, panels: []panel{requestMetrics(), p99Now(), ageOf(metric.S3, alerts.S3DataAgeSeconds), costOf(metric.S3)}},
			graphs("", testerRate(), testerLatency(), s3Requests(), s3ErrorRatios(), firstByte(), testerFirstByte(), s3Bytes(), payload()),
			details("Latency and errors", s3Latency(), s3ErrorRate(), blobTimes(), s3AllRequests()),
			details("Storage and cost", bucketSize(), bucketObjects(), costsOf(metric.S3), costsOfMillion(metric.S3)),
		},
	}
}

func s3RequestsNow() panel {
	return number(about{"Requests", "Requests a second to the bucket, of all types.", units.RequestsPerSecond},
		sum("", awsNow(metric.S3AllRequests)), neutral())
}

func s3FailedNow() panel {
	return number(about{"Server errors", "Share of the requests to the bucket that were answered with a status from 500 on.", units.PercentUnit},
		highest("", awsNow(metric.S3ErrorRatio, `class="5xx"`)), under(alerts.S3Failed)).Decimals(2)
}

func firstByteNow() panel {
	return number(about{"First byte p99", "Time from a whole request to the first byte of its answer that 99 of 100 stay below.", units.Seconds},
		highest("", awsNow(metric.S3FirstByte, `stat="p99"`)), neutral())
}

func s3BytesNow() panel {
	return number(about{"Moved", "Bytes a second that requests to the bucket move, up and down.", units.BytesPerSecondSI},
		sum("", awsNow(metric.S3Bytes)), neutral())
}

func bucketSizeNow() panel {
	return number(about{"Stored", "Bytes that the bucket holds, noncurrent versions and unfinished uploads included, as of a day or two ago.", units.BytesSI},
		sum("", awsNow(metric.S3BucketSize)), neutral())
}

func bucketObjectsNow() panel {
	return number(about{"Objects", "Objects that the bucket holds, noncurrent versions included, as of a day or two ago.", units.Short},
		sum("", awsNow(metric.S3BucketObjects)), neutral())
}

// requestMetrics says why a board without them is empty.
func requestMetrics() panel {
	return number(about{"Request metrics", "Whether the bucket's request metrics are switched on, without which most of this board is empty.", units.BoolYesNo},
		highest("", own(metric.CloudWatchSource, ofComponent(metric.S3), `source="request_metrics"`)), over(1)).NoValue("not polled")
}

func s3Requests() panel {
	return bars(awsGraph(about{"Requests by type", "Requests to a bucket, by their type.", units.RequestsPerSecond},
		query{sum("type", aws(metric.S3Requests)), "{{type}}"}))
}

func s3ErrorRatios() panel {
	return line(awsGraph(about{"Error ratio by class", "Share of the requests to a bucket that were answered with a status of the class, with the limit of 5xx as the line.", units.PercentUnit},
		query{highest("bucket, class", aws(metric.S3ErrorRatio)), "{{bucket}} {{class}}"}), under(alerts.S3Failed))
}

func firstByte() panel {
	return awsGraph(about{"First byte", "Time from a whole request to the first byte of its answer, as S3 measures it.", units.Seconds},
		awsPercentiles("", "", metric.S3FirstByte)...)
}

func testerFirstByte() panel {
	return graph(about{"First byte of the tester", "Time from the intended start of a successful blob read to its first byte, as the tester sees it.", units.Seconds},
		percentiles(metric.BlobDuration, ofOperation, `phase="first_byte"`)...)
}

func s3Bytes() panel {
	return awsGraph(about{"Bytes", "Bytes that requests to a bucket move, by direction.", units.BytesPerSecondSI},
		query{sum("direction", aws(metric.S3Bytes)), "{{direction}}"})
}

func s3Latency() panel {
	return awsGraph(about{"Whole request", "Time from the first byte of a request to the last byte of its answer, as S3 measures it.", units.Seconds},
		awsPercentiles("", "", metric.S3Latency)...)
}

func s3ErrorRate() panel {
	return bars(awsGraph(about{"Errors by class", "Requests to a bucket that were answered with a status of the class.", units.RequestsPerSecond},
		query{sum("class", aws(metric.S3Errors)), "{{class}}"}))
}

func s3AllRequests() panel {
	return awsGraph(about{"Requests by bucket", "Requests to a bucket of all types.", units.RequestsPerSecond},
		query{sum("bucket", aws(metric.S3AllRequests)), "{{bucket}}"})
}

func bucketSize() panel {
	return awsGraph(about{"Stored by bucket", "Bytes that a bucket holds, as of a day or two ago, beside those that the tester keeps there.", units.BytesSI},
		query{sum("bucket, storage_type", aws(metric.S3BucketSize)), "{{bucket}} {{storage_type}}"},
		query{sum("", own(metric.WorkingSetBytes, `kind="blob"`)), "the tester's"})
}

func bucketObjects() panel {
	return awsGraph(about{"Objects by bucket", "Objects that a bucket holds, noncurrent versions included, as of a day or two ago.", units.Short},
		query{sum("bucket", aws(metric.S3BucketObjects)), "{{bucket}}"})
}
