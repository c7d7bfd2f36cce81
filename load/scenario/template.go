package scenario

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/brianvoe/gofakeit/v7"

	"opensaves-soak/opensaves"
)

//go:embed templates/*.json
var builtIn embed.FS

// variants is how many filled copies of a template there are to choose from:
// filling takes microseconds, too long for each write.
const variants = 64

// templates are shapes of stores and records, already filled.
type templates struct {
	records [][]opensaves.Property
	stores  []storeShape
}

type storeShape struct {
	name string
	tags []string
}

// recordTemplate is an entry of records.json: weight, and properties that are a
// text with {functions} of gofakeit, a range of integers, or a boolean.
type recordTemplate struct {
	Weight     int                        `json:"weight"`
	Properties map[string]json.RawMessage `json:"properties"`
}

type storeTemplate struct {
	Weight int      `json:"weight"`
	Name   string   `json:"name"`
	Tags   []string `json:"tags"`
}

// loadTemplates reads records.json and stores.json from a directory, or the
// built-in ones where dir is empty.
func loadTemplates(dir string) (*templates, error) {
	files, err := fs.Sub(builtIn, "templates")
	if err != nil {
		return nil, fmt.Errorf("opening the built-in templates: %w", err)
	}
	if dir != "" {
		files = os.DirFS(dir)
	}
	var records []recordTemplate
	var stores []storeTemplate
	if err := errors.Join(readJSON(files, "records.json", &records), readJSON(files, "stores.json", &stores)); err != nil {
		return nil, fmt.Errorf("data.templates: %w", err)
	}
	t := &templates{}
	faker := gofakeit.New(1) // the same shapes in every run
	for i, r := range records {
		if err := t.addRecord(faker, r); err != nil {
			return nil, fmt.Errorf("data.templates: records.json[%d]: %w", i, err)
		}
	}
	for i, s := range stores {
		if err := t.addStore(faker, s); err != nil {
			return nil, fmt.Errorf("data.templates: stores.json[%d]: %w", i, err)
		}
	}
	if len(t.records) == 0 || len(t.stores) == 0 {
		return nil, errors.New("data.templates: got no template with a weight above 0, want one in each file")
	}
	return t, nil
}

// templateLimit bounds a file of templates, in bytes.
const templateLimit = 1 << 20

func readJSON(files fs.FS, name string, into any) error {
	f, err := files.Open(name)
	if err != nil {
		return fmt.Errorf("opening templates: %w", err)
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.LimitReader(f, templateLimit+1))
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	if len(raw) > templateLimit {
		return fmt.Errorf("reading %s: got over %d bytes, want at most that", name, templateLimit)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	return nil
}

func (t *templates) addRecord(faker *gofakeit.Faker, r recordTemplate) error {
	if err := weightInRange(r.Weight); err != nil {
		return err
	}
	for range variants * r.Weight {
		var shape []opensaves.Property
		for _, name := range slices.Sorted(maps.Keys(r.Properties)) {
			v, err := fill(faker, r.Properties[name])
			if err != nil {
				return fmt.Errorf("properties.%s: %w", name, err)
			}
			shape = append(shape, opensaves.Property{Name: name, Value: v})
		}
		if err := checkNames(shape); err != nil {
			return err
		}
		t.records = append(t.records, shape)
	}
	return nil
}

func (t *templates) addStore(faker *gofakeit.Faker, s storeTemplate) error {
	if err := weightInRange(s.Weight); err != nil {
		return err
	}
	for range variants * s.Weight {
		name, err := faker.Generate(s.Name)
		if err != nil {
			return fmt.Errorf("name: %w", err)
		}
		shape := storeShape{name: name}
		for _, tag := range s.Tags {
			filled, err := faker.Generate(tag)
			if err != nil {
				return fmt.Errorf("tags: %w", err)
			}
			shape.tags = append(shape.tags, filled)
		}
		t.stores = append(t.stores, shape)
	}
	return nil
}

func weightInRange(weight int) error {
	if weight < 0 || weight > 100 {
		return fmt.Errorf("weight: got %d, want 0 to 100", weight)
	}
	return nil
}

// checkNames keeps templates off the properties that the tester sets itself.
func checkNames(shape []opensaves.Property) error {
	for _, p := range shape {
		if slices.Contains(reserved, p.Name) {
			return fmt.Errorf("properties.%s: got a name that the tester uses itself, want another", p.Name)
		}
	}
	return nil
}

// fill makes a value from {"from": 1, "to": 9}, a boolean, or a text with functions.
func fill(faker *gofakeit.Faker, raw json.RawMessage) (v opensaves.Value, err error) {
	var span struct{ From, To *int64 }
	var text string
	if json.Unmarshal(raw, &v.Bool) == nil {
		v.Kind = opensaves.Boolean
		return v, nil
	}
	if json.Unmarshal(raw, &span) == nil && span.From != nil && span.To != nil {
		const exact = 1 << 40 // leaves room for versions below 2^53, which every server keeps
		if *span.From < -exact || *span.To > exact || *span.From > *span.To {
			return v, fmt.Errorf("got a range from %d to %d, want one within ±2^40", *span.From, *span.To)
		}
		v.Kind, v.Int = opensaves.Integer, *span.From+faker.Int64()%(*span.To-*span.From+1)
		return v, nil
	}
	if err := json.Unmarshal(raw, &text); err != nil || text == "" {
		return v, fmt.Errorf(`got %.100s, want a text, true, false or {"from": 1, "to": 9}`, raw)
	}
	v.Kind = opensaves.String
	if v.Str, err = faker.Generate(text); err != nil {
		return v, fmt.Errorf("filling %.100q: %w", text, err)
	}
	return v, nil
}
