package sandbox

import (
	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves/sandbox/fault"
)

// endpoint is a REST operation: what it touches, what each of its calls to the
// database is answered with when that call fails, and what it does.
type endpoint struct {
	touches  fault.Component
	refusals []error
	body     bool
	handle   func(*database, *query, manner) (reply, error)
}

const (
	onTable  = fault.DynamoDB
	andRedis = fault.DynamoDB | fault.Redis
	andS3    = fault.DynamoDB | fault.S3
)

var endpoints = [metric.Operations]endpoint{
	metric.Ping:           {0, nil, false, ping},
	metric.ListStores:     {onTable, []error{errListingStores}, false, listStores},
	metric.CreateStore:    {onTable, []error{errCreatingStore}, true, createStore},
	metric.GetStore:       {andRedis, []error{errStoreNotFound}, false, getStore},
	metric.DeleteStore:    {onTable, []error{errDeletingStore}, false, deleteStore},
	metric.ListRecords:    {onTable, []error{errStoreNotFound, errQuerying}, false, listRecords},
	metric.QueryByOwner:   {onTable, []error{errStoreNotFound, errQuerying}, false, listRecords},
	metric.QueryByGame:    {onTable, []error{errStoreNotFound, errQuerying}, false, listRecords},
	metric.CreateRecord:   {onTable, []error{errStoreNotFound, errCreatingRecord}, true, createRecord},
	metric.GetRecord:      {andRedis, []error{errRecordNotFound}, false, getRecord},
	metric.UpdateRecord:   {andRedis, []error{errRecordNotFound, errUpdatingRecord}, true, updateRecord},
	metric.DeleteRecord:   {onTable, []error{errDeletingRecord}, false, deleteRecord},
	metric.SetMetadata:    {onTable, []error{errSettingMeta}, true, setMetadata},
	metric.GetMetadata:    {onTable, []error{errMetadataAbsent}, false, getMetadata},
	metric.DeleteMetadata: {onTable, []error{errDeletingMeta}, false, deleteMetadata},
	metric.ListBlobs:      {onTable, []error{errRecordNotFound}, false, listBlobs},
	metric.CreateBlob:     {andS3, []error{errRecordNotFound}, true, putBlob},
	metric.GetBlob:        {andS3, []error{errRecordNotFound}, false, getBlob},
	metric.DeleteBlob:     {andS3, []error{errRecordNotFound}, false, deleteBlob},
}
