package curation

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation/curve"
)

func TestAGenesisDocumentHasOneForm(t *testing.T) {
	doc, err := testGenesis(4, DefaultParams()).Bytes()
	require.NoError(t, err)
	g, err := ParseGenesis(doc)
	require.NoError(t, err)
	again, err := g.Bytes()
	require.NoError(t, err)
	require.Equal(t, doc, again)
	text := string(doc)
	for name, other := range map[string]string{
		"a space more":      text + " ",
		"a document after":  text + text,
		"no newline":        strings.TrimRight(text, "\n"),
		"an unknown field":  strings.Replace(text, `"name"`, `"nickname": "", "name"`, 1),
		"a field twice":     strings.Replace(text, `"text"`, `"text": "", "text"`, 1),
		"other capitals":    strings.Replace(text, `"charter"`, `"Charter"`, 1),
		"a leading zero":    strings.Replace(text, `"1000000000000"`, `"01000000000000"`, 1),
		"an escaped letter": strings.Replace(text, "Test atelier", `Test \u0061telier`, 1),
		"nothing":           "",
		"another document":  "[]",
	} {
		_, err := ParseGenesis([]byte(other))
		require.ErrorIs(t, err, ErrGenesis, name)
	}
	_, err = ParseGenesis(bytes.Repeat([]byte(" "), MaxGenesisBytes+1))
	require.ErrorIs(t, err, ErrGenesis)
}

func TestFoundersCannotAgreeOnWhatCannotWork(t *testing.T) {
	for name, change := range map[string]func(*Genesis){
		"no name":                      func(g *Genesis) { g.Charter.Name = "" },
		"an endless charter":           func(g *Genesis) { g.Charter.Text = strings.Repeat("a", MaxCharter+1) },
		"no members":                   func(g *Genesis) { g.Members = nil },
		"an index left out":            func(g *Genesis) { g.Members[3].Index = 5 },
		"a member of power two":        func(g *Genesis) { g.Members[0].Power = 2 },
		"a member without name":        func(g *Genesis) { g.Members[0].Name = " " },
		"an account twice":             func(g *Genesis) { g.Members[0].Account = g.Members[1].Account },
		"a deal key twice":             func(g *Genesis) { g.Members[0].DealKey = g.Members[1].DealKey },
		"a deal key that is no point":  func(g *Genesis) { g.Members[0].DealKey = Hash{1} },
		"the identity as deal key":     func(g *Genesis) { g.Members[0].DealKey = Hash{} },
		"a balance of nothing":         func(g *Genesis) { g.Balances[0].Amount = Amount{} },
		"balances out of order":        func(g *Genesis) { g.Balances[0], g.Balances[1] = g.Balances[1], g.Balances[0] },
		"two balances of one account":  func(g *Genesis) { g.Balances[1].Account = g.Balances[0].Account },
		"more credits than may exist":  func(g *Genesis) { g.Balances[0].Amount = MaxSupply },
		"the largest amount":           func(g *Genesis) { g.Balances[0].Amount = curve.MaxAmount },
		"a phase of no blocks":         func(g *Genesis) { g.Params.BackBlocks = 0 },
		"a reserve ratio of nothing":   func(g *Genesis) { g.Params.ReserveRatioPPM = 0 },
		"a reserve ratio above all":    func(g *Genesis) { g.Params.ReserveRatioPPM = curve.PPM + 1 },
		"a tribute of a fifth":         func(g *Genesis) { g.Params.TreasuryTributePPM = 200_000 },
		"a round larger than its most": func(g *Genesis) { g.Params.RoundCandidates = g.Params.RoundMax + 1 },
		"a curve without tokens":       func(g *Genesis) { g.Params.LockedSupply = Amount{} },
		"a request without deposit":    func(g *Genesis) { g.Params.RequestDeposit = Amount{} },
		"a fee beyond reason":          func(g *Genesis) { g.Params.Fees.Send = curve.Credits(2_000_000) },
	} {
		t.Run(name, func(t *testing.T) {
			g := testGenesis(4, DefaultParams())
			change(&g)
			require.ErrorIs(t, g.Validate(), ErrGenesis)
			_, err := g.Bytes()
			require.Error(t, err)
		})
	}
	require.NoError(t, DefaultParams().Validate())
	require.NoError(t, testParams().Validate())
}

func TestAMachineIsFoundedOnce(t *testing.T) {
	w := newWorld(t, 1, testParams())
	_, err := w.replicas[0].Genesis(w.doc)
	require.Error(t, err)
	require.Error(t, w.replicas[0].Load(0, [32]byte{}, func(func(k, v []byte) bool) {}))
	_, err = NewMachine().Execute(Block{Height: 1})
	require.Error(t, err)
	_, err = NewMachine().Genesis([]byte("{}"))
	require.ErrorIs(t, err, ErrGenesis)
	require.Error(t, NewMachine().View(func(View) error { return nil }))
	NewMachine().Commit()
	_, err = w.replicas[0].Execute(Block{Height: 2})
	require.Error(t, err, "a block is missing")
}

func FuzzGenesis(f *testing.F) {
	doc, err := testGenesis(2, DefaultParams()).Bytes()
	require.NoError(f, err)
	f.Add(doc)
	for _, policy := range []DeathPolicy{GuardianPolicy, WillPolicy} {
		doc, err := withGuardians(policy).Bytes()
		require.NoError(f, err)
		f.Add(doc)
	}
	f.Add([]byte(`{"charter":{"name":"a"}}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		g, err := ParseGenesis(doc)
		if err != nil {
			require.ErrorIs(t, err, ErrGenesis)
			return
		}
		again, err := g.Bytes()
		require.NoError(t, err)
		require.Equal(t, doc, again)
	})
}
