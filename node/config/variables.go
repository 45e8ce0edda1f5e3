package config

import (
	"fmt"
	"strconv"
	"strings"
)

// Variable is a setting that the environment may give.
type Variable struct {
	Name string // of the variable
	Key  string // of the setting, as in config.toml
	Doc  string // what it sets, for people
	set  func(c *Config, value string) error
}

// Variables are the settings that the environment may give. An empty variable says
// nothing.
var Variables = []Variable{
	{"ATELIER_LISTEN", "network.listen", "addresses to listen on, joined by commas",
		func(c *Config, v string) error { c.Network.Listen = strings.Split(v, ","); return nil }},
	{"ATELIER_API_LISTEN", "api.listen", "host:port of the node's interface and gallery",
		func(c *Config, v string) error { c.API.Listen = v; return nil }},
	{"ATELIER_BLOCK_INTERVAL", "ledger.block_interval", "least time between two blocks, such as 500ms",
		func(c *Config, v string) error { return c.Ledger.BlockInterval.UnmarshalText([]byte(v)) }},
	{"ATELIER_EMPTY_BLOCK_INTERVAL", "ledger.empty_block_interval", "time after which an idle ledger makes a block",
		func(c *Config, v string) error { return c.Ledger.EmptyBlockInterval.UnmarshalText([]byte(v)) }},
	{"ATELIER_WORKERS", "artist.workers", "goroutines that render; 0 means one for each core",
		func(c *Config, v string) (err error) {
			if c.Artist.Workers, err = strconv.Atoi(v); err != nil {
				return fmt.Errorf("%q is not a whole number", v)
			}
			return nil
		}},
	{"ATELIER_LOG_LEVEL", "log.level", "what the node logs: debug, info, warn or error",
		func(c *Config, v string) error { c.Log.Level = v; return nil }},
	{"ATELIER_LOG_FORMAT", "log.format", "how the node logs: text or json",
		func(c *Config, v string) error { c.Log.Format = v; return nil }},
}

// VariableError is a variable whose value no node could run with.
type VariableError struct {
	Name string
	Err  error
}

func (e *VariableError) Error() string { return e.Name + ": " + e.Err.Error() }
func (e *VariableError) Unwrap() error { return e.Err }

// environment takes what lookup gives over what the file gave, which is valid.
func (c *Config) environment(lookup func(string) (string, bool)) error {
	for _, v := range Variables {
		if text, ok := lookup(v.Name); ok && text != "" {
			err := v.set(c, text)
			if err == nil {
				err = c.Validate()
			}
			if err != nil {
				return &VariableError{v.Name, err}
			}
		}
	}
	return nil
}
