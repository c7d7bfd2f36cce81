package aws

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
)

type tableDescription struct {
	TableName              string
	TableArn               string
	TableStatus            string
	TableSizeBytes         int64
	ItemCount              int64
	BillingModeSummary     *billingMode `json:",omitempty"`
	TableClassSummary      *tableClass  `json:",omitempty"`
	ProvisionedThroughput  throughput
	GlobalSecondaryIndexes []indexDescription `json:",omitempty"`
}

type (
	billingMode struct{ BillingMode string }
	tableClass  struct{ TableClass string }
	throughput  struct{ ReadCapacityUnits, WriteCapacityUnits int64 }
)

type indexDescription struct {
	IndexName             string
	IndexStatus           string
	IndexSizeBytes        int64
	ItemCount             int64
	ProvisionedThroughput throughput
}

func (c *Cloud) describeTable(call call) (any, error) {
	var asked struct{ TableName string }
	if err := json.Unmarshal(call.body, &asked); err != nil {
		return nil, refused("SerializationException", "reading the request: %v", err)
	}
	i := slices.IndexFunc(c.account.Tables, func(t Table) bool { return t.Name == asked.TableName })
	if i < 0 {
		return nil, refused("ResourceNotFoundException", "got table %q, want one of the account", asked.TableName)
	}
	return map[string]any{"Table": c.describe(c.account.Tables[i])}, nil
}

func (c *Cloud) describe(t Table) tableDescription {
	d := tableDescription{
		TableName:             t.Name,
		TableArn:              fmt.Sprintf("arn:aws:dynamodb:%s:%s:table/%s", c.account.Region, c.account.ID, t.Name),
		TableStatus:           cmp.Or(t.Status, "ACTIVE"),
		TableSizeBytes:        t.SizeBytes,
		ItemCount:             t.Items,
		ProvisionedThroughput: throughput{t.ReadUnits, t.WriteUnits},
	}
	if t.OnDemand {
		d.BillingModeSummary = &billingMode{"PAY_PER_REQUEST"}
	}
	if t.Class != "" {
		d.TableClassSummary = &tableClass{t.Class}
	}
	for _, i := range t.Indexes {
		d.GlobalSecondaryIndexes = append(d.GlobalSecondaryIndexes, indexDescription{
			IndexName: i.Name, IndexStatus: "ACTIVE", IndexSizeBytes: i.SizeBytes, ItemCount: i.Items,
			ProvisionedThroughput: throughput{i.ReadUnits, i.WriteUnits},
		})
	}
	return d
}
