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
		{"an address that is none", "[network]\nlisten = [\"127.0.0.1:4001\"]\n", `network.listen "127.0.0.1:4001": want an address such as /ip4/`},
		{"an address that libp2p here does not speak", "[network]\nannounce = [\"/ip4/127.0.0.1/udp/1\"]\n", "network.announce "},
		{"an interface without a port", "[api]\nlisten = \"localhost\"\n", `api.listen: "localhost" is not an address such as 127.0.0.1:8080`},
		{"an interface beyond the ports", "[api]\nlisten = \"127.0.0.1:65536\"\n", "api.listen: "},
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
	got, err := Load(home, one("ATELIER_LOG_LEVEL", "error"))
	require.NoError(t, err)
	require.Equal(t, "error", got.Log.Level)
}

func one(name, value string) func(string) (string, bool) {
	return func(k string) (string, bool) { return value, k == name }
}

func TestAVariableThatIsNoSettingNamesItselfAndWhatIsAllowed(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"ATELIER_WORKERS", "two", "a whole number"},
		{"ATELIER_WORKERS", "-1", "0 (all cores) to 1024"},
		{"ATELIER_LOG_LEVEL", "loud", "debug, info, warn or error"},
		{"ATELIER_LOG_FORMAT", "xml", "text or json"},
		{"ATELIER_LISTEN", "127.0.0.1", "/ip4/127.0.0.1/tcp/4001"},
		{"ATELIER_API_LISTEN", "8080", "127.0.0.1:8080"},
		{"ATELIER_BLOCK_INTERVAL", "2", "500ms or 10s"},
		{"ATELIER_EMPTY_BLOCK_INTERVAL", "1h", "50ms to 1m"},
	} {
		_, err := Load(t.TempDir(), one(c.name, c.value))
		var wrong *VariableError
		require.ErrorAs(t, err, &wrong, c.name)
		require.Equal(t, c.name, wrong.Name)
		require.ErrorContains(t, err, c.name+": ")
		require.ErrorContains(t, err, c.want)
	}
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
	for _, v := range Variables {
		require.Contains(t, have, v.Key, "a variable sets what is a setting")
		require.NotEmpty(t, v.Doc)
	}
}
