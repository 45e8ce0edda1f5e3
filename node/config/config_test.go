package config

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func none(string) (string, bool) { return "", false }

func TestConfigurationFiles(t *testing.T) {
	for _, c := range []struct{ name, file, err string }{
		{"an empty file keeps the defaults", "", ""},
		{"a known key is taken", "[log]\nlevel = \"debug\"\n", ""},
		{"a misspelt key names its line", "[api]\nlisten = \"127.0.0.1:0\"\nlisten_adr = \"x\"\n", `line 3: unknown key "api.listen_adr"`},
		{"an unknown table names its line", "[log]\nlevel = \"info\"\n\n[galery]\nport = 1\n", `line 4: unknown key "galery"`},
		{"broken TOML names its line", "[log]\nlevel = \n", "line 2"},
		{"an interval without a unit says what is expected", "[ledger]\nempty_block_interval = \"5\"\n", "500ms or 10s"},
		{"a profile that does not exist lists those that do", "[ledger]\nprofile = \"fast\"\n", "solo, lan or wan"},
		{"a negative number of workers", "[artist]\nworkers = -1\n", "artist.workers"},
		{"a store too small for a model", "[storage]\nquota_mib = 1\n", "at least 16"},
	} {
		t.Run(c.name, func(t *testing.T) {
			home := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(home, File), []byte(c.file), 0o600))
			got, err := Load(home, none)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.NoError(t, got.Validate())
		})
	}
}

func TestWhatIsWrittenReadsTheSame(t *testing.T) {
	home := t.TempDir()
	c := Default()
	c.Ledger.EmptyBlockInterval = Duration(300 * time.Millisecond)
	c.Network.Listen = []string{"/ip4/127.0.0.1/tcp/4001"}
	require.NoError(t, c.Write(home))
	got, err := Load(home, none)
	require.NoError(t, err)
	require.Equal(t, c.Ledger, got.Ledger)
	require.Equal(t, c.Network, got.Network)
}

func TestTheEnvironmentStandsAboveTheFile(t *testing.T) {
	home := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(home, File), []byte("[log]\nlevel = \"info\"\n"), 0o600))
	env := map[string]string{"ATELIER_LOG_LEVEL": "error", "ATELIER_WORKERS": "two"}
	lookup := func(k string) (string, bool) { v, ok := env[k]; return v, ok }
	_, err := Load(home, lookup)
	require.ErrorContains(t, err, "ATELIER_WORKERS")
	delete(env, "ATELIER_WORKERS")
	got, err := Load(home, lookup)
	require.NoError(t, err)
	require.Equal(t, "error", got.Log.Level)
}

func TestExplainSaysWhereEachSettingComesFrom(t *testing.T) {
	home := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(home, File), []byte("[api]\nlisten = \"127.0.0.1:1\"\n[log]\nlevel = \"info\"\n"), 0o600))
	c, settings, err := Explain(home, func(name string) (string, bool) {
		v, ok := map[string]string{"ATELIER_LOG_LEVEL": "debug", "ATELIER_WORKERS": ""}[name]
		return v, ok
	})
	require.NoError(t, err)
	require.Equal(t, "debug", c.Log.Level)
	have := map[string]Setting{}
	for _, s := range settings {
		have[s.Key] = s
	}
	require.Equal(t, Setting{"api.listen", `"127.0.0.1:1"`, filepath.Join(home, File)}, have["api.listen"])
	require.Equal(t, Setting{"log.level", `"debug"`, "ATELIER_LOG_LEVEL"}, have["log.level"])
	require.Equal(t, Setting{"ledger.empty_block_interval", `"2s"`, "default"}, have["ledger.empty_block_interval"])
	require.Equal(t, Setting{"network.mdns", `false`, "default"}, have["network.mdns"])
	require.Equal(t, Setting{"artist.workers", `0`, "default"}, have["artist.workers"], "an empty variable says nothing")
	for key := range variables {
		require.Contains(t, have, key, "a variable sets what is a setting")
	}
}
