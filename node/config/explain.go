package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/BurntSushi/toml"
)

// Setting is one value in effect and where it comes from.
type Setting struct {
	Key    string // as in config.toml, "api.listen"
	Value  string // in TOML's notation
	Source string // "default", the path of config.toml, or the name of a variable
}

// Explain is Load that also tells, setting by setting, where each value comes from.
func Explain(home string, lookup func(string) (string, bool)) (Config, []Setting, error) {
	c, err := Load(home, lookup)
	if err != nil {
		return c, nil, err
	}
	path := filepath.Join(home, File)
	var in toml.MetaData
	if b, err := os.ReadFile(path); err == nil {
		var again Config
		if in, err = toml.Decode(string(b), &again); err != nil {
			return c, nil, err
		}
	}
	var settings []Setting
	tables := reflect.ValueOf(c)
	for i := range tables.NumField() {
		table := tables.Type().Field(i).Tag.Get("toml")
		values := tables.Field(i)
		for j := range values.NumField() {
			name := values.Type().Field(j).Tag.Get("toml")
			s := Setting{Key: table + "." + name, Source: "default"}
			if s.Value, err = text(values.Field(j).Interface()); err != nil {
				return c, nil, err
			}
			if in.IsDefined(table, name) {
				s.Source = path
			}
			for _, v := range Variables {
				if value, _ := lookup(v.Name); v.Key == s.Key && value != "" {
					s.Source = v.Name
				}
			}
			settings = append(settings, s)
		}
	}
	return c, settings, nil
}

// text is a value in TOML's notation.
func text(v any) (string, error) {
	if list, ok := v.([]string); ok && len(list) == 0 {
		return "[]", nil
	}
	b, err := toml.Marshal(map[string]any{"x": v})
	return strings.TrimSpace(strings.TrimPrefix(string(b), "x = ")), err
}
