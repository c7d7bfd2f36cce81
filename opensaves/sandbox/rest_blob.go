package sandbox

import (
	"net/http"
	"slices"

	"opensaves-soak/opensaves/sandbox/aws"
	"opensaves-soak/opensaves/sandbox/fault"
)

var (
	errBlobNotFound = &refusal{http.StatusNotFound, "blob not found"}
	errUploading    = &refusal{http.StatusInternalServerError, "Failed to upload blob"}
	errDeletingBlob = &refusal{http.StatusInternalServerError, "Failed to delete blob"}
)

func (q *query) object() objectKey { return objectKey{q.store, q.record, q.name} }

func listBlobs(d *database, q *query, how manner) (reply, error) {
	r, err := d.read(recordKey{q.store, q.record}, how)
	switch {
	case err != nil:
		return reply{}, errRecordNotFound
	case len(r.names) == 0:
		return jsonReply([]byte("null\n")), nil
	}
	return jsonReply(append(appendArray(nil, r.names), '\n')), nil
}

// putBlob stores the bytes and lists the name, like the server without looking
// whether the record has room for it.
func putBlob(d *database, q *query, how manner) (reply, error) {
	metered := how.usage
	how.usage = usage{} // a name that is listed is not written again
	_, err := d.write(q.store, q.record, how, func(at place) (*record, error) {
		metered.got(aws.Records, at.old.size())
		if at.old == nil {
			return nil, errRecordNotFound
		}
		if !how.applies() {
			return at.old, nil
		}
		metered.meter.Upload(len(q.body), metered.waited(fault.S3))
		d.objects.set(q.object(), how.stored(q.body))
		if how.lie == fault.LostUpdate {
			return at.old, nil
		}
		next := at.old.next(how)
		if !slices.Contains(next.names, q.name) {
			next.names = append(slices.Clip(next.names), q.name)
			metered.rewrote(aws.UpdateItem, at.old, next)
		}
		return next, nil
	})
	return reply{status: http.StatusOK}, err
}

func getBlob(d *database, q *query, how manner) (reply, error) {
	if _, err := d.read(recordKey{q.store, q.record}, how); err != nil {
		return reply{}, errRecordNotFound
	}
	content, ok := d.objects.get(q.object())
	how.meter.Look(ok, how.waited(fault.S3))
	if !ok {
		return reply{}, errBlobNotFound
	}
	how.meter.Download(len(content), how.waited(fault.S3))
	if how.lie == fault.Corrupt {
		content = spoiled(content)
	}
	return reply{status: http.StatusOK, kind: bytesKind, head: content}, nil
}

func deleteBlob(d *database, q *query, how manner) (reply, error) {
	_, err := d.write(q.store, q.record, how, func(at place) (*record, error) {
		if at.old == nil {
			return nil, errRecordNotFound
		}
		if !how.applies() {
			return at.old, nil
		}
		how.meter.Remove(how.waited(fault.S3))
		d.objects.drop(q.object())
		next := at.old.next(how)
		next.names = slices.DeleteFunc(slices.Clone(next.names), func(name string) bool { return name == q.name })
		return next, nil
	})
	return reply{status: http.StatusNoContent}, err
}
