package leftover

import (
	"context"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/opensaves"
)

const sentinelID = "sentinel"

// plant writes the metadata that is there for certain.
func (c *cleaner) plant(ctx context.Context) error {
	if c.planted || c.dry {
		return nil
	}
	text := opensaves.Property{Name: opaqueProperty, Value: opensaves.Value{Kind: opensaves.String, Str: registryName}}
	record := opensaves.Record{Properties: []opensaves.Property{text}}
	_, err := c.send(ctx, opensaves.Call{Op: metric.SetMetadata, Store: registryStore, Key: sentinelID, Record: &record})
	c.planted = err == nil
	return err
}

// opaqueProperty is where metadata keep the text that tells whose they are.
const opaqueProperty = "opaque"

// metadata cleans an entry, if it is ours, and says whether there was none.
func (c *cleaner) metadata(ctx context.Context, key string) (absent bool, err error) {
	kind := "soak-" + c.run.Run
	answer, err := c.send(ctx, opensaves.Call{Op: metric.GetMetadata, Store: kind, Key: key})
	switch {
	case opensaves.CodeOf(err) == metric.NotFound:
		return true, nil
	case err != nil:
		return false, c.failed(ctx, MetadataKind, key, err)
	}
	for _, p := range answer.Record.Properties {
		if p.Name == opaqueProperty && c.wrote(p.Str, key, ledger.Metadata) {
			return false, c.remove(ctx, MetadataKind, key, opensaves.Call{Op: metric.DeleteMetadata, Store: kind, Key: key})
		}
	}
	c.count(MetadataKind, Kept)
	return false, nil
}
