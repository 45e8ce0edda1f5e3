package main

import (
	"bytes"
	"crypto/ed25519"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/api/apitest"
	"github.com/atelier-dao/atelier/node/guardian"
	"github.com/atelier-dao/atelier/node/keys"
	"github.com/atelier-dao/atelier/shamir"
)

// guarded founds a network of four whose three guardians have key files in dir.
func guarded(t *testing.T, policy curation.DeathPolicy) (s *apitest.Studio, key func(name string) string) {
	dir := t.TempDir()
	key = func(name string) string { return filepath.Join(dir, name+".age") }
	s = apitest.Found(t, 4, func(g *curation.Genesis) {
		g.Succession = curation.Succession{Policy: policy, Threshold: 2, AnswerBlocks: 30}
		if policy == curation.GuardianPolicy {
			g.Succession.DelayBlocks = 10
		} else {
			g.Succession.SilentBlocks = 100
		}
		for _, name := range []string{"Gerda", "Hakan", "Ilse"} {
			require.NoError(t, keys.SaveAccount(key(name), "", apitest.Key(name)))
			g.Succession.Guardians = append(g.Succession.Guardians, curation.Guardian{Name: name, Account: apitest.Address(name)})
			g.Balances = append(g.Balances, curation.GenesisBalance{Account: apitest.Address(name), Amount: curve.Credits(10)})
		}
	})
	return s, key
}

func TestGuardiansKeepTheKeyAndGiveItBack(t *testing.T) {
	s, key := guarded(t, curation.GuardianPolicy)
	atelier := ask(t, s)
	tend := func(name string) asked { return atelier("guardian", "tend", "--key", key(name)) }
	r := tend("Gerda")
	require.Equal(t, codeLedger, r.code, "%s%s", r.out, r.err)
	require.Contains(t, r.err, "wait for the end of the ceremony")
	s.Run("the ceremony", func(v curation.View) bool { _, ok := v.Committee(); return ok })
	for _, name := range []string{"Gerda", "Hakan", "Ilse"} {
		r = tend(name)
		require.Equal(t, 0, r.code, r.err)
		require.Regexp(t, `accepted a share of the key [0-9a-f]{12}… of network [0-9a-f]{64}`, r.out)
		require.FileExists(t, key(name)+".sharing-1.age")
		require.FileExists(t, key(name)+".network.json")
	}
	s.Run("acknowledgements", func(v curation.View) bool {
		l, ok := v.SharingLog(1)
		return ok && l.Phase().String() == "acknowledge"
	})
	for _, name := range []string{"Gerda", "Hakan", "Ilse"} {
		require.Contains(t, tend(name).out, "proved its share of the key")
	}
	s.Blocks(1)
	r = atelier("guardian", "show", "--key", key("Ilse"))
	require.Equal(t, 0, r.code, r.err)
	require.Contains(t, r.out, "any 2 of 3 guardians hold the key too")
	require.Regexp(t, `guardians +1 Gerda +has proved its share`, r.out)
	require.Regexp(t, `sharing +number 1, since height \d+: 3 of 3 proved; it outlives the members' handovers`, r.out)
	require.Regexp(t, `next +nothing: keep the key file`, r.out)
	require.Contains(t, tend("Ilse").out, "next: nothing", "and nothing is said twice")

	for _, name := range []string{"Gerda", "Hakan", "Ilse"} {
		require.Contains(t, atelier("guardian", "tend", "--again", "--key", key(name)).out, "accepted a share")
	}
	s.Run("acknowledgements", func(v curation.View) bool {
		l, ok := v.SharingLog(2)
		return ok && l.Phase().String() == "acknowledge"
	})
	for _, name := range []string{"Gerda", "Hakan", "Ilse"} {
		require.Contains(t, tend(name).out, "proved its share of the key")
	}
	s.Blocks(1)
	r = tend("Ilse")
	require.Contains(t, r.out, "keeps the seed of sharing 1 until other nodes tell that a newer one counts")
	require.FileExists(t, key("Ilse")+".sharing-1.age")
	r = atelier("guardian", "tend", "--key", key("Ilse"), "--also", serve(t, s))
	require.Equal(t, 0, r.code, r.err)
	require.NotContains(t, r.out, "keeps the seed")
	require.NoFileExists(t, key("Ilse")+".sharing-1.age")
	require.FileExists(t, key("Ilse")+".sharing-2.age")

	another, _ := guarded(t, curation.GuardianPolicy)
	for _, verb := range []string{"tend", "recover", "publish"} {
		r = ask(t, another)("guardian", verb, "--key", key("Gerda"))
		require.Equal(t, codeFailed, r.code, verb)
		require.Contains(t, r.err, "nothing is done on this node's word, ask another node: it tells of the key")
	}
	r = atelier("guardian", "recover", "--key", key("Gerda"))
	require.Equal(t, 0, r.code, r.err)
	require.Regexp(t, `recovery +1 of 2 votes`, r.out)
	r = atelier("guardian", "recover", "--key", key("Hakan"))
	require.Regexp(t, `state +lost: the network has lost its key`, r.out)
	require.Regexp(t, `recovery +pending until height \d+; 0 objections`, r.out)
	r = atelier("network", "show")
	require.Contains(t, r.out, "lost: ")
	require.Regexp(t, `on death +guardian: any 2 of 3`, r.out)
	s.Run("the recovery", func(v curation.View) bool { return len(v.Ceremony().Guardians) > 0 })
	lonely := func() {
		r := tend("Gerda")
		require.Equal(t, codeFailed, r.code)
		require.Contains(t, r.err, "a node that lies could have the guardian's share by it: name nodes of other members with --also")
		r = atelier("guardian", "tend", "--watch", "1ms", "--key", key("Gerda"), "--also", serve(t, s), "--also", serve(t, another))
		require.Equal(t, codeFailed, r.code)
		require.Contains(t, r.err, "does not agree, and nothing is given away or destroyed: it is a node of another network")
	}
	lonely()
	for _, name := range []string{"Gerda", "Hakan", "Ilse"} {
		require.Contains(t, atelier("guardian", "tend", "--key", key(name), "--also", serve(t, s)).out, "committed to what it deals to the members")
	}
	s.Blocks(1)
	lonely()
	for _, name := range []string{"Gerda", "Hakan", "Ilse"} {
		r = atelier("guardian", "tend", "--key", key(name), "--also", serve(t, s))
		require.Equal(t, 0, r.code, r.err)
		require.Contains(t, r.out, "dealt the key to the members")
	}
	s.Run("the same key again", func(v curation.View) bool { c, _ := v.Committee(); return c.Epoch() == 2 })
	r = atelier("committee", "show")
	require.Contains(t, r.out, "committee of epoch 2")
	r = atelier("model", "open", "--out", t.TempDir())
	require.NotEqual(t, 0, r.code)
	require.Contains(t, r.err, "the key is not public")
	r = atelier("guardian", "publish", "--key", key("Gerda"))
	require.Contains(t, r.err, "its policy is guardian")
}

// liar writes something else than it is told.
type liar struct {
	http.ResponseWriter
	change func([]byte) []byte
}

func (l liar) Unwrap() http.ResponseWriter { return l.ResponseWriter }

func (l liar) Write(b []byte) (int, error) {
	_, err := l.ResponseWriter.Write(l.change(b))
	return len(b), err
}

// lying serves a node that lies in one of its answers.
func lying(t *testing.T, s *apitest.Studio, path, old, changed string) string {
	t.Helper()
	handler, err := api.New(s, api.Options{})
	require.NoError(t, err)
	pattern, lied := regexp.MustCompile(old), false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == path {
			w = liar{w, func(b []byte) []byte {
				lied = lied || pattern.Match(b)
				return pattern.ReplaceAll(b, []byte(changed))
			}}
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(func() { server.Close(); require.True(t, lied, "nothing of %s is like %s", path, old) })
	return server.Listener.Addr().String()
}

func TestGuardiansEntrustTheirSharesWhenTheLedgerHasDied(t *testing.T) {
	s, key := guarded(t, curation.WillPolicy)
	atelier := ask(t, s)
	out := filepath.Join(t.TempDir(), "gerda.share")
	reader := apitest.Address("Member 1").String()
	entrust := func(args ...string) asked {
		return atelier(append([]string{"guardian", "entrust", "--key", key("Gerda"), "--out", out, "--to", reader}, args...)...)
	}
	s.Run("the ceremony", func(v curation.View) bool { _, ok := v.Committee(); return ok })
	r := entrust("--trust-node")
	require.Equal(t, codeFailed, r.code)
	require.Contains(t, r.err, "no share of the key is held here")
	for _, name := range []string{"Gerda", "Hakan", "Ilse"} {
		require.Equal(t, 0, atelier("guardian", "tend", "--key", key(name)).code)
	}
	s.Run("acknowledgements", func(v curation.View) bool {
		l, ok := v.SharingLog(1)
		return ok && l.Phase().String() == "acknowledge"
	})
	for _, name := range []string{"Gerda", "Hakan", "Ilse"} {
		require.Contains(t, atelier("guardian", "tend", "--key", key(name)).out, "proved its share")
	}

	for says, args := range map[string][]string{
		"name nodes of other members with --also":                                                 nil,
		"does not agree, and nothing is given away or destroyed: it is a node of another network": {"--also", serve(t, func() *apitest.Studio { s, _ := guarded(t, curation.GuardianPolicy); return s }())},
		"is no member of":                     {"--trust-node", "--to", apitest.Address("Hakan").String()},
		"wait until 2000000h0m0s have passed": {"--trust-node", "--still", "2000000h"},
		"--still":                             {"--trust-node", "--still", "soon"},
	} {
		r := entrust(args...)
		require.NotEqual(t, 0, r.code)
		require.Contains(t, r.err, says)
		require.NoFileExists(t, out)
	}
	for says, lie := range map[string]struct{ path, old, changed string }{
		"it tells of no sharing that counts":    {"/v1/succession", `"sharing":{`, `"other":{`},
		"its state after block":                 {"/v1/events", `"app_hash":"[0-9a-f]{64}"`, `"app_hash":"` + strings.Repeat("0", 64) + `"`},
		"the node tells of block 1 where block": {"/v1/events", `"height":\d+,"time"`, `"height":1,"time"`},
		"block 1 is the last there, not":        {"/v1/network", `"height":\d+`, `"height":1`},
	} {
		r := entrust("--also", lying(t, s, lie.path, lie.old, lie.changed))
		require.NotEqual(t, 0, r.code, says)
		require.Contains(t, r.err, "does not agree, and nothing is given away or destroyed")
		require.Contains(t, r.err, says)
		require.NoFileExists(t, out)
	}
	r = entrust("--also", serve(t, s), "--json")
	require.Equal(t, 0, r.code, r.err)
	require.Contains(t, r.out, `"needed": 2`)
	r = entrust("--trust-node")
	require.Contains(t, r.err, "exists already")
	other := filepath.Join(t.TempDir(), "ilse.share")
	require.Equal(t, 0, atelier("guardian", "entrust", "--key", key("Ilse"), "--out", other, "--to", reader, "--trust-node").code)

	// The key that two shares make is the network's.
	e := &env{key: keyOf(t, "Member 1")}
	succession, err := api.NewClient(serve(t, s), "").Succession(t.Context())
	require.NoError(t, err)
	secret, err := e.entrustedKey(succession, []string{out, other})
	require.NoError(t, err)
	x, err := shamir.DecodeScalar(shamir.Ristretto255, secret[:])
	require.NoError(t, err)
	var public [32]byte
	s.Read(func(v curation.View) { c, _ := v.Committee(); public = c.X() })
	require.Equal(t, public[:], shamir.Encode(shamir.Ristretto255.Point().Mul(x, nil)))

	// What is wrong with a file is said of that file.
	bad := func(name string, change func(*guardian.Entrusted)) string {
		b, err := os.ReadFile(out)
		require.NoError(t, err)
		plain, err := keys.Entrusted(apitest.Key("Member 1"), b)
		require.NoError(t, err)
		share, err := guardian.DecodeEntrusted(plain)
		require.NoError(t, err)
		change(&share)
		plain, err = share.Encode()
		require.NoError(t, err)
		b, err = keys.Entrust(apitest.Key("Member 1").Public().(ed25519.PublicKey), plain)
		require.NoError(t, err)
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, b, 0o600))
		return path
	}
	large := filepath.Join(t.TempDir(), "large")
	require.NoError(t, os.WriteFile(large, make([]byte, maxShareFile+1), 0o600))
	for says, files := range map[string][]string{
		"1 of the 2 shares that make the key are here": {out, out},
		"that of guardian 2 does not fit the key":      {other, bad("a", func(e *guardian.Entrusted) { e.Guardian = 2 })},
		"that of guardian 1 is of another network":     {bad("b", func(e *guardian.Entrusted) { e.Chain[0]++ }), other},
		"that of guardian 1 is of sharing 2":           {bad("c", func(e *guardian.Entrusted) { e.Sharing = 2 }), other},
		"guardian 9 has no share":                      {bad("d", func(e *guardian.Entrusted) { e.Guardian = 9 }), other},
		"large is larger than 64 KiB":                  {large},
		"no such file":                                 {"nowhere"},
	} {
		_, err := e.entrustedKey(succession, files)
		require.ErrorContains(t, err, says)
	}
	e.key = key("Gerda")
	_, err = e.entrustedKey(succession, []string{out})
	require.ErrorIs(t, err, keys.ErrNotEntrusted)
}

func TestANodeIsNoWitnessOfItself(t *testing.T) {
	for name, c := range map[string]struct {
		api  string
		also []string
		ok   bool
	}{
		"nobody else":                     {"127.0.0.1:8080", nil, true},
		"other ports":                     {"127.0.0.1:8080", []string{"127.0.0.1:8081", "127.0.0.1:8082"}, true},
		"other hosts":                     {"192.0.2.1:8080", []string{"192.0.2.2:8080", "[2001:db8::1]:8080"}, true},
		"a port in another scheme":        {"http://ada.example", []string{"https://ada.example"}, true},
		"the same":                        {"127.0.0.1:8080", []string{"127.0.0.1:8080"}, false},
		"one twice":                       {"127.0.0.1:8080", []string{"127.0.0.1:8081", "127.0.0.1:8081"}, false},
		"as a URL":                        {"127.0.0.1:8080", []string{"http://127.0.0.1:8080/"}, false},
		"with capitals":                   {"ada.example:8080", []string{"ADA.example.:8080"}, false},
		"by the name of this machine":     {"127.0.0.1:8080", []string{"localhost:8080"}, false},
		"with a port that has a zero":     {"127.0.0.1:8080", []string{"127.0.0.1:08080"}, false},
		"without the port of its scheme":  {"https://ada.example", []string{"ada.example:443"}, false},
		"an address of version 6":         {"[2001:db8::1]:80", []string{"http://[2001:0db8:0::1]"}, false},
		"an address of version 4 as of 6": {"192.0.2.1:80", []string{"[::ffff:192.0.2.1]:80"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			err := (&witnesses{also: c.also}).distinct(api.NewClient(c.api, ""))
			if c.ok {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "--also "+c.also[len(c.also)-1])
			require.ErrorContains(t, err, "name nodes of different members")
		})
	}
	s, key := guarded(t, curation.WillPolicy)
	at := serve(t, s)
	for _, verb := range [][]string{{"tend"}, {"publish"}, {"entrust", "--to", apitest.Address("Member 1").String(), "--out", key("share")}} {
		r := ask(t, s)(append([]string{"guardian", verb[0], "--key", key("Gerda"), "--also", at, "--also", at}, verb[1:]...)...)
		require.Equal(t, codeUsage, r.code)
		require.Contains(t, r.err, "--also "+at+": that node is asked already")
	}
}

func TestWhatAGuardianTypesWronglySaysWhatToDo(t *testing.T) {
	s, key := guarded(t, curation.WillPolicy)
	atelier := ask(t, s)
	require.Contains(t, atelier("guardian", "tend").err, "--key FILE is missing")
	stranger := key("stranger")
	require.NoError(t, keys.SaveAccount(stranger, "", apitest.Key("Vera")))
	require.Contains(t, atelier("guardian", "tend", "--key", stranger).err, "is not among the guardians")
	require.Contains(t, atelier("guardian", "publish", "--key", key("Gerda")).err, "gives signs of life")
	r := atelier("guardian", "recover", "--key", key("Gerda"))
	require.Equal(t, codeLedger, r.code)
	require.Contains(t, r.err, "the network's policy is will")

	broken := key("Gerda") + ".network.json"
	require.NoError(t, os.WriteFile(broken, []byte("{}"), 0o600))
	r = atelier("guardian", "tend", "--key", key("Gerda"))
	require.Equal(t, codeFailed, r.code)
	require.Contains(t, r.err, "has version 0, want 1: take it from a copy of your own, or move it away")

	create := func(args ...string) asked {
		var out, errOut bytes.Buffer
		code := run(append([]string{"network", "create", "--home", filepath.Join(t.TempDir(), "home")}, args...), os.Stdin, &out, &errOut)
		return asked{code, out.String(), errOut.String()}
	}
	gerda := "Gerda=" + apitest.Address("Gerda").String()
	for says, args := range map[string][]string{
		"choose among mortal, guardian, will": {"--on-death", "phoenix"},
		"want NAME=ACCOUNT":                   {"--on-death", "will", "--guardian", "Gerda"},
		"a mortal network has none":           {"--guardian", gerda},
		"0 guardians, want 1 to 32":           {"--on-death", "guardian"},
		"threshold is 1 of 2 guardians":       {"--on-death", "will", "--guardian", gerda, "--guardian", "Hakan=" + apitest.Address("Hakan").String(), "--guardians-needed", "1"},
		"a member's or another guardian'":     {"--on-death", "will", "--guardian", gerda, "--guardian", gerda},
	} {
		r := create(args...)
		require.Equal(t, codeUsage, r.code, "%v: %s", args, r.err)
		require.Contains(t, r.err, says)
	}
	r = create("--on-death", "will", "--guardian", gerda, "--death-wait", "5000")
	require.Equal(t, 0, r.code, r.err)
	require.Contains(t, r.out, "on death: will: any 1 of 1 guardian hold the key too; after 5000 blocks")
}
