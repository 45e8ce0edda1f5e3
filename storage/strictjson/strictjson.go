// Package strictjson reads JSON that a file, a peer or a person gives: one value, with
// no field that its type does not know and nothing behind it. So a document of another
// version, a misspelt name and a file that was appended to are errors, not surprises.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// Unmarshal reads the one value in b into v, as json.Unmarshal does. After an error v may
// be filled in part.
func Unmarshal(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows its end")
	}
	return nil
}
