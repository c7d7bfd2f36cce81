package sandbox

import (
	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves/sandbox/fault"
)

// endpoint is a REST operation: what it touches, what it is answered with when
// the database does not serve it, whether it has a body, and what it does.
type endpoint struct {
	touches fault.Component
	failures
	body   bool
	handle func(*database, *query, manner) (reply, error)
}

const (
	onTable  = fault.DynamoDB
	andRedis = fault.DynamoDB | fault.Redis
	andS3    = fault.DynamoDB | fault.S3
)

var endpoints = [metric.Operations]endpoint{
	metric.Ping:           {0, failures{}, false, ping},
	metric.ListStores:     {onTable, failures{[]error{errListingStores}, errListingStores, nil}, false, listStores},
	metric.CreateStore:    {onTable, failures{[]error{errCreatingStore}, errCreatingStore, errStoreExists}, true, createStore},
	metric.GetStore:       {andRedis, failures{[]error{errStoreNotFound}, errStoreNotFound, nil}, false, getStore},
	metric.DeleteStore:    {onTable, failures{[]error{errDeletingStore}, errDeletingStore, nil}, false, deleteStore},
	metric.ListRecords:    {onTable, failures{[]error{errStoreNotFound, errQuerying}, errStoreNotFound, nil}, false, listRecords},
	metric.QueryByOwner:   {onTable, failures{[]error{errStoreNotFound, errQuerying}, errStoreNotFound, nil}, false, listRecords},
	metric.QueryByGame:    {onTable, failures{[]error{errStoreNotFound, errQuerying}, errStoreNotFound, nil}, false, listRecords},
	metric.CreateRecord:   {onTable, failures{[]error{errStoreNotFound, errCreatingRecord}, errCreatingRecord, errCreatingRecord}, true, createRecord},
	metric.GetRecord:      {andRedis, failures{[]error{errRecordNotFound}, errRecordNotFound, nil}, false, getRecord},
	metric.UpdateRecord:   {andRedis, failures{[]error{errRecordNotFound, errUpdatingRecord}, errUpdatingRecord, nil}, true, updateRecord},
	metric.DeleteRecord:   {onTable, failures{[]error{errDeletingRecord}, errDeletingRecord, nil}, false, deleteRecord},
	metric.SetMetadata:    {onTable, failures{[]error{errSettingMeta}, errSettingMeta, nil}, true, setMetadata},
	metric.GetMetadata:    {onTable, failures{[]error{errMetadataAbsent}, errMetadataAbsent, nil}, false, getMetadata},
	metric.DeleteMetadata: {onTable, failures{[]error{errDeletingMeta}, errDeletingMeta, nil}, false, deleteMetadata},
	metric.ListBlobs:      {onTable, failures{[]error{errRecordNotFound}, errRecordNotFound, nil}, false, listBlobs},
	metric.CreateBlob:     {andS3, failures{[]error{errRecordNotFound}, errUploading, nil}, true, putBlob},
	metric.GetBlob:        {andS3, failures{[]error{errRecordNotFound}, errRecordNotFound, nil}, false, getBlob},
	metric.DeleteBlob:     {andS3, failures{[]error{errRecordNotFound}, errDeletingBlob, nil}, false, deleteBlob},
}
