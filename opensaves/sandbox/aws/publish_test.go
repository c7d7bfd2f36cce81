package aws_test

import (
	"testing"
	"time"

	"opensaves-soak/opensaves/sandbox/aws"
)

func TestDynamoDBShowsWhatItsTablesDidAndNothingElse(t *testing.T) {
	publish(t, aws.Holdings{}, func(t *testing.T, p *published) {
		start := time.Now()
		get := aws.Call{Table: aws.Records, Operation: aws.GetItem}
		for range 100 {
			p.Call(get)
			p.Read(aws.Records, aws.Base, 4097)
		}
		put := aws.Call{Table: aws.Records, Operation: aws.PutItem, Wait: 500 * time.Millisecond}
		p.Call(put)
		p.Write(aws.Records, aws.Base, 1024)
		p.Write(aws.Records, aws.GameIDIndex, 1025)
		p.FailCondition(aws.Stores)
		p.FailUser()
		p.Throttle(put)
		list := aws.Call{Table: aws.Stores, Operation: aws.Scan}
		p.Call(list)
		p.Return(list, 3)
		p.Read(aws.Stores, aws.Base, 0)
		time.Sleep(time.Minute + time.Second)

		want(t, p.values(t, "AWS/DynamoDB", "Sum", start), map[string]float64{
			"ConsumedReadCapacityUnits TableName=open-saves-records":                                       100,
			"ConsumedReadCapacityUnits TableName=open-saves-stores":                                        0.5,
			"ConsumedWriteCapacityUnits TableName=open-saves-records":                                      1,
			"ConsumedWriteCapacityUnits GlobalSecondaryIndexName=GameIDIndex TableName=open-saves-records": 2,
			"ConditionalCheckFailedRequests TableName=open-saves-stores":                                   1,
			"UserErrors": 1,
			"ThrottledRequests Operation=PutItem TableName=open-saves-records":        1,
			"WriteThrottleEvents TableName=open-saves-records":                        1,
			"WriteKeyRangeThroughputThrottleEvents TableName=open-saves-records":      1,
			"ReturnedItemCount Operation=Scan TableName=open-saves-stores":            3,
			"SuccessfulRequestLatency Operation=GetItem TableName=open-saves-records": 315,
			"SuccessfulRequestLatency Operation=PutItem TableName=open-saves-records": 504.5,
			"SuccessfulRequestLatency Operation=Scan TableName=open-saves-stores":     9,
		})
		latency := "SuccessfulRequestLatency Operation=GetItem TableName=open-saves-records"
		got := map[string]float64{}
		for _, statistic := range []string{"SampleCount", "p50", "p90", "Maximum"} {
			got[statistic] = p.values(t, "AWS/DynamoDB", statistic, start)[latency]
		}
		want(t, got, map[string]float64{"SampleCount": 100, "p50": 2.5, "p90": 4.75, "Maximum": 15})
		time.Sleep(time.Minute)
		want(t, p.values(t, "AWS/DynamoDB", "Sum", start.Add(time.Minute)), map[string]float64{})
	})
}

const bucket = "BucketName=open-saves-blobs-123456789012"

func TestS3ShowsRequestsEachMinuteAndStorageOnceADay(t *testing.T) {
	publish(t, aws.Holdings{}, func(t *testing.T, p *published) {
		start := time.Now()
		p.Upload(10<<20, 0)
		p.Upload(0, 0)
		p.Look(true, 0)
		p.Download(1000, 3*time.Second)
		p.Look(false, 0)
		p.Remove(0)
		time.Sleep(time.Minute + time.Second)
		of := func(name string) string { return name + " " + bucket + " FilterId=EntireBucket" }
		got := p.values(t, "AWS/S3", "Sum", start)
		size, objects := "BucketSizeBytes "+bucket+" StorageType=StandardStorage", "NumberOfObjects "+bucket+" StorageType=AllStorageTypes"
		delete(got, of("FirstByteLatency"))
		delete(got, of("TotalRequestLatency"))
		want(t, got, map[string]float64{
			of("AllRequests"): 9, of("GetRequests"): 1, of("PutRequests"): 3, of("PostRequests"): 2, of("HeadRequests"): 2, of("DeleteRequests"): 1,
			of("4xxErrors"): 1, of("5xxErrors"): 0, of("BytesUploaded"): 10 << 20, of("BytesDownloaded"): 1000,
		})
		want(t, p.values(t, "AWS/S3", "Average", start.AddDate(0, 0, -1)), map[string]float64{size: 0, objects: 0})
		ratio := p.values(t, "AWS/S3", "Average", start)[of("4xxErrors")]
		slowest := p.values(t, "AWS/S3", "Maximum", start)[of("FirstByteLatency")]
		if ratio != 0.111 || slowest < 3000 {
			t.Errorf("got a ratio of %v and a slowest of %vms, want 0.111 and over 3000ms", ratio, slowest)
		}
		p.Upload(5, 0)
		time.Sleep(24 * time.Hour)
		want(t, p.values(t, "AWS/S3", "Average", start), map[string]float64{size: 10<<20 + 5, objects: 4})
	})
}
