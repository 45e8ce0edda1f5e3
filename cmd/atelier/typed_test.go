package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/node/api/apitest"
)

// started is what the program does with a line, in a home of its own.
func started(t *testing.T, line ...string) asked {
	t.Helper()
	t.Setenv("ATELIER_HOME", t.TempDir())
	var out, errOut bytes.Buffer
	code := run(line, strings.NewReader(""), &out, &errOut)
	return asked{code, out.String(), errOut.String()}
}

func TestWhatIsTypedWronglySaysWhatIsAllowed(t *testing.T) {
	vera := apitest.Address("Vera").String()
	for _, c := range []struct{ name, line, want string }{
		{"no members", "network create --members 0", `--members "0": want a whole number from 1 to 128`},
		{"more members than a ceremony can have", "network create --members 129", "1 to 128"},
		{"a number that is none", "network create --members four", "whole number"},
		{"a name with capitals", "network create --network Harbour", "a-z, 0-9 and -"},
		{"an empty title", "network create --title=", "name has 0 bytes, want 1 to 64"},
		{"a member's name that is too long", "network create --member-name " + strings.Repeat("x", 65), "want 1 to 64"},
		{"an address of another kind", "network create --listen 127.0.0.1:4001", "want an address such as /ip4/127.0.0.1/tcp/4001"},
		{"an address to announce that is none", "member join x --announce here", `--announce "here": want an address such as`},
		{"a negative grant", "network create --grant -5", "want an amount such as 12 or 0.5"},
		{"a balance without an amount", "network create --balance " + vera, "want ADDRESS=CREDITS"},
		{"a balance of nothing", "network create --balance " + vera + "=0", "want more than 0"},
		{"a balance of nobody", "network create --balance x=5", "not an account address"},
		{"the same account twice", "network create --balance " + vera + "=1 --balance " + vera + "=2", "two balances"},
		{"a rule without a value", "network create --param dkg", "want NAME=VALUE"},
		{"a rule out of its range", "network create --param round_candidates=0", "round_candidates is 0, want 1 to 60"},
		{"a rule that is text", "network create --param round_candidates=x", "`atelier network params` shows one of each rule"},
		{"sending nothing", "account send " + vera + " 0", `CREDITS "0": want more than 0`},
		{"sending less than nothing", "account send " + vera + " -1", `"-1" is below 0: want an amount such as 12 or 0.5`},
		{"sending less than a base unit", "account send " + vera + " 0.0000000001", "at most 9 decimal places"},
		{"sending more than can exist", "account send " + vera + " " + strings.Repeat("9", 40), "more than can exist"},
		{"sending to nobody", "account send nobody 1", `ADDRESS "nobody": not an account address`},
		{"a picture without pixels", "model render --size 0 --out x.png", `--size "0": want a whole number from 1 to 16384`},
		{"a picture that is too large", "model render --size 16385 --out x.png", "1 to 16384"},
		{"a kernel that does not exist", "model render --kernel abacus --out x.png", "choose among"},
		{"workers below none", "model render --workers -1 --out x.png", "from 0 to 1024"},
		{"a prompt that is too long", "model render --out x.png --prompt " + strings.Repeat("x", 201), "at most 200 bytes"},
		{"training backwards", "model train . --out x --steps -4", "from 0 to 1000000"},
		{"an artist without a name", "model seal --name=", "name has 0 bytes"},
		{"a host without a port", "network show --api localhost", "want HOST:PORT such as 127.0.0.1:8080"},
		{"a port without a host", "network show --api :8080", "want HOST:PORT"},
		{"a port beyond the ports", "network show --api localhost:65536", "want HOST:PORT"},
		{"a service instead of a port", "network show --api localhost:http", "want HOST:PORT"},
		{"a URL of another kind", "network show --api ftp://localhost", "want HOST:PORT"},
		{"an invitation that is cut off", "member join atelier1q", "the end is missing; copy the whole string"},
		{"a letter that no invitation has", "member join atelier1qé", `character 10, 'é', cannot occur in an invitation`},
		{"one of several bytes in front of it", "member join 🎨atelier1q", `character 1, '🎨', cannot occur`},
		{"a seat that is the founder's", "member invite --seat 1", "from 2 to 128"},
		{"an artwork without a name", "artwork show =", "want a request id, 8 hex digits or more of it, or the CID of a folder"},
		{"an artwork by too little of its name", "artwork wait 0011223", "8 hex digits or more"},
		{"an artwork by another name", "market sell heart --tokens 1", `ID "heart": want a request id`},
		{"no artworks at all", "artwork list --limit 0", "from 1 to 1000"},
		{"a status that does not exist", "artwork list --status candidate,fresh", "choose among requested, approved, registered"},
		{"an account that is none", "artwork list --by me", "not an account address"},
		{"a round before the first", "artwork list --round 0", "want a whole number from 1"},
		{"a way of fetching that does not exist", "artwork fetch 00112233 --out x --method ftp", "choose among auto, car, bitswap"},
		{"fetching from nobody", "artwork fetch 00112233 --out x --from nobody", "as `atelier member list` shows them"},
		{"a wait that is over", "artwork wait 00112233 --timeout -5s", "want a time such as 30s, 5m or 1h"},
		{"a wait without a unit", "round wait backing --timeout 60", "want a time such as 30s"},
		{"a phase that nobody waits for", "round wait failed", "choose among backing, opening, settled"},
		{"a round that is no number", "round wait settled last", `NUMBER "last": want a whole number from 1`},
		{"a round to show that is no number", "round show last", "want a whole number from 1"},
		{"a state that does not exist", "approval list --state late", "choose among waiting, approved, expired"},
		{"backing with nothing", "market back 00112233 --deposit 0", "want more than 0"},
		{"an escrow below the deposit", "market back 00112233 --deposit 100 --escrow 50", "--escrow 50 is less than the deposit of 100"},
		{"selling nothing", "market sell 00112233 --tokens 0", "want more than 0"},
		{"selling some", "market sell 00112233 --tokens some", "want an amount"},
		{"quoting both", "market quote 00112233 --deposit 1 --sell 1", "choose one of --deposit and --sell"},
		{"a CID that is none", "verify x --cid baf", "want a CID such as bafybei"},
		{"a level that does not exist", "node start --log-level loud", "choose among debug, info, warn, error"},
		{"a level that the demo does not know", "demo --log-level loud", "choose among debug"},
		{"a demo of too many", "demo --members 17", "from 1 to 16"},
		{"neither true nor false", "version --json=maybe", "choose true or false"},
		{"help for nothing", "help netwrk", `unknown command "netwrk" for "atelier"; did you mean "network"?`},
		{"help for no verb", "help network crate", `did you mean "create"?`},
		{"a flag that does not exist", "version --short", "unknown flag: --short (see `atelier version --help`)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := started(t, strings.Fields(c.line)...)
			require.Equal(t, codeUsage, r.code, r.err)
			require.Contains(t, r.err, c.want)
			require.Empty(t, r.out)
			for _, jargon := range []string{"strconv", "parsing", "invalid argument \"0", "multiaddr "} {
				require.NotContains(t, r.err, jargon)
			}
		})
	}
}

func TestVariablesAreReadLikeFlags(t *testing.T) {
	for _, c := range []struct {
		name, variable, value, line string
		code                        int
		want                        string
	}{
		{"an address of a node that is none", "ATELIER_API", "foo", "network show", 2, `ATELIER_API "foo": want HOST:PORT`},
		{"unless a flag says otherwise", "ATELIER_API", "foo", "network show --api 127.0.0.1:1", 5, "no node answers at http://127.0.0.1:1"},
		{"a kernel that does not exist", "ATELIER_KERNEL", "abacus", "version", 2, "choose among"},
		{"a setting out of range", "ATELIER_WORKERS", "-1", "config show", 2, "ATELIER_WORKERS: artist.workers is -1"},
		{"a misspelt passphrase", "ATELIER_PASPHRASE", "secret", "account create --key x.age", 2, "did you mean ATELIER_PASSPHRASE?"},
		{"a misspelt setting", "ATELIER_LOG_LEVL", "debug", "version", 2, "did you mean ATELIER_LOG_LEVEL?"},
		{"somebody else's", "ATELIER_SERVICE_PORT_HTTP", "80", "version", 0, "note: there is no variable ATELIER_SERVICE_PORT_HTTP"},
		{"the tests'", "ATELIER_TEST_ANYTHING", "1", "version", 0, ""},
		{"an empty one says nothing", "ATELIER_API", "", "version", 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv(c.variable, c.value)
			r := started(t, strings.Fields(c.line)...)
			require.Equal(t, c.code, r.code, r.err)
			require.Contains(t, r.err, c.want)
			require.Equal(t, c.want == "", r.err == "", r.err)
		})
	}
}

func TestAdviceIsALineToTypeAsItStands(t *testing.T) {
	e := &env{}
	require.Equal(t, "atelier verify heart", e.again("verify %s", quoted("heart")))
	e.given = " --api 127.0.0.1:80"
	require.Equal(t, "atelier verify 'red heart' --api 127.0.0.1:80", e.again("verify %s", quoted("red heart")))
	require.Equal(t, `'Vera'\''s'`, quoted("Vera's"))
	require.Equal(t, "''", quoted(""))
	require.Equal(t, "./Müller/z6Mk~1", quoted("./Müller/z6Mk~1"))
}

func TestBothVersionsSayTheSame(t *testing.T) {
	a, b := started(t, "version"), started(t, "--version")
	require.Equal(t, 0, b.code, b.err)
	require.Equal(t, a.out, b.out)
	require.Regexp(t, `^atelier \S+ \(go\S+ \w+/\w+\)\n$`, b.out)
}
