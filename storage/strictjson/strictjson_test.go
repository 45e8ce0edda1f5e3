package strictjson_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/storage/strictjson"
)

func TestUnmarshalTakesOneValueAndNothingElse(t *testing.T) {
	type document struct {
		Version int `json:"version"`
	}
	for name, c := range map[string]struct{ text, wrong string }{
		"a document":                       {`{"version":1}`, ""},
		"white space around it":            {" {\"version\":1}\n", ""},
		"nothing at all":                   {"", "EOF"},
		"a document that broke off":        {`{"version":`, "unexpected EOF"},
		"a field of another version":       {`{"version":1,"colour":"red"}`, `unknown field "colour"`},
		"a value of another type":          {`{"version":"1"}`, "cannot unmarshal string"},
		"a second document behind it":      {`{"version":1}{"version":2}`, "something follows its end"},
		"text behind it that is no JSON":   {`{"version":1} and more`, "something follows its end"},
		"a bracket behind it":              {`{"version":1}]`, "something follows its end"},
		"a document, in a second encoding": {"\xff\xfe{\x00", "invalid character"},
	} {
		t.Run(name, func(t *testing.T) {
			var d document
			err := strictjson.Unmarshal([]byte(c.text), &d)
			if c.wrong != "" {
				require.ErrorContains(t, err, c.wrong)
				return
			}
			require.NoError(t, err)
			require.Equal(t, document{1}, d)
		})
	}
}

func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte(`{"a":[1,2,{"b":null}]}`))
	f.Add([]byte(`{}{}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var v struct {
			A []any `json:"a"`
		}
		if strictjson.Unmarshal(b, &v) == nil {
			require.Error(t, strictjson.Unmarshal(append(b, '0'), &v), "nothing may follow a value")
		}
	})
}
