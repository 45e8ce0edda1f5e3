package curation

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/atelier-dao/atelier/curation/curve"
)

// walker turns bytes into what people might do, sensible or not.
type walker struct {
	*world
	script []byte
	rids   []Hash

	certificates map[Hash]Certify
}

func (w *walker) next(n int) int {
	if len(w.script) == 0 {
		return 0
	}
	b := w.script[0]
	w.script = w.script[1:]
	return int(b) % n
}

func (w *walker) someone() string {
	return append([]string{"m1", "m2", "m3", "m4"}, collectors...)[w.next(8)]
}

func (w *walker) member() uint32 { return uint32(w.next(4)) + 1 }

func (w *walker) rid() Hash {
	if len(w.rids) == 0 {
		return Hash{1}
	}
	recent := w.rids[max(0, len(w.rids)-5):]
	if w.next(8) == 0 {
		recent = w.rids
	}
	return recent[w.next(len(recent))]
}

// published is an artwork that anybody may have drawn once more, but now and then any.
func (w *walker) published() Hash {
	works := view(w.world, func(v View) []Artwork { return v.Artworks(Filter{Status: []Status{StatusPublished}}) })
	if len(works) == 0 || w.next(8) == 0 {
		return w.rid()
	}
	return works[w.next(len(works))].RID
}

// amount has many sizes, nothing and the impossible among them.
func (w *walker) amount() Amount {
	a := curve.NewAmount(uint64(w.next(256)))
	for range w.next(15) {
		if larger, over := a.MulOverflow(10); !over {
			a = larger
		}
	}
	return a
}

// due is what a network that works would send now, or nil.
func (w *walker) due() (string, Payload) {
	open := view(w.world, func(v View) []Artwork {
		return v.Artworks(Filter{Status: []Status{StatusRequested, StatusApproved, StatusRegistered}})
	})
	round := view(w.world, func(v View) Round { r, _ := v.RunningRound(); return r })
	if next := view(w.world, View.NextPrior); w.next(4) == 0 {
		if of, ok := view2(w.world, func(v View) (uint64, bool) { return v.PriorRound(next) }); ok {
			return memberName(w.member()), RecordPrior{Version: next, Round: of, Prior: hash("prior", number(next), number(0)), Lexicon: Hash{1}}
		}
	}
	switch {
	case round.Phase == RoundOpening && w.next(2) == 0:
		m := w.member()
		return memberName(m), w.opening(m, round.Number)
	case round.Phase == RoundBacking && w.next(2) == 0:
		rid, deposit := round.Candidates[w.next(len(round.Candidates))], curve.Credits(uint64(w.next(50)+1))
		name := collectors[w.next(4)]
		return name, w.backing(name, round.Number, rid, deposit, deposit, Amount{})
	case len(open) == 0:
		return "", nil
	}
	a := open[w.next(len(open))]
	switch a.Status {
	case StatusRequested:
		return w.someone(), w.certificate(a.RID)
	case StatusApproved:
		return memberName(a.Order[0]), drawn(a)
	default:
		return memberName(a.Auditors()[0]), Attest{RID: a.RID, PixelRoot: drawn(a).PixelRoot}
	}
}

// drawn is what honest members make of a request: nothing of every second edition, whose
// file is too large.
func drawn(a Artwork) Register {
	if a.Edition != nil && a.Edition.Size/16%2 == 1 {
		return Register{RID: a.RID}
	}
	return Register{RID: a.RID, CID: folder(a.RID), PixelRoot: pixels(a.RID)}
}

// certificate makes a request's certificate once: any three members' is the same.
func (w *walker) certificate(rid Hash) Certify {
	p, made := w.certificates[rid]
	if !made {
		p = w.certificateFor(rid, 1, 2, 3)
		w.certificates[rid] = p
	}
	return p
}

// payload is something to send, sensible or not.
func (w *walker) payload() (string, Payload) {
	round := view(w.world, func(v View) uint64 { return v.Network().Round })
	if name, p := w.due(); p != nil && w.next(3) > 0 {
		return name, p
	}
	switch w.next(28) {
	case 24, 25:
		next := view(w.world, View.NextPrior)
		version := next + uint64(w.next(3)) - 1
		round, _ := view2(w.world, func(v View) (uint64, bool) { return v.PriorRound(version) })
		file := w.next(8) / 7 // most agree
		return w.someone(), RecordPrior{Version: version, Round: round, Prior: hash("prior", number(version), number(uint64(file))), Lexicon: Hash{1}}
	case 26, 27:
		e := Edition{ModelID: w.modelID(), Of: []Hash{w.published()}, Size: uint64(w.next(200)) * 16}
		if w.next(2) == 0 {
			e.Of, e.Frames, e.Once = append(e.Of, w.published()), uint64(w.next(60)), w.next(2) == 0
			e.Length = e.Frames * 50
		}
		if w.next(3) == 0 {
			of := w.published()
			e.Colours = &of
		}
		return collectors[w.next(4)], e
	case 20:
		r := view(w.world, func(v View) Rotation { r, _ := v.Rotation(); return r })
		if len(r.Order) > 0 && w.next(4) > 0 {
			return memberName(r.Order[0]), w.rotation()
		}
		return w.someone(), w.rotation()
	case 21, 22:
		e := view(w.world, View.NextKeyEpoch)
		return w.someone(), Stored{KeyEpoch: e - uint64(w.next(3))}
	case 23:
		e := view(w.world, View.NextKeyEpoch)
		if w.next(3) == 0 {
			return w.someone(), w.sealFor(e, fmt.Sprint("artist ", e))
		}
		return w.someone(), Adopt{KeyEpoch: e - uint64(w.next(3))}
	case 0:
		return w.someone(), Send{To: addressOf(w.someone()), Amount: w.amount()}
	case 1:
		m := w.member()
		return memberName(m), w.refill(m, w.next(4)+1)
	case 2, 3:
		prompt := fmt.Sprintf("prompt %d", w.next(256))
		if w.next(3) == 0 {
			prompt = ""
		}
		return collectors[w.next(4)], Request{Prompt: prompt, ModelID: w.modelID()}
	case 4, 5, 6:
		rid := w.rid()
		if _, ok := w.artworkIf(rid); !ok {
			return w.someone(), Certify{RID: rid}
		}
		p := w.certificate(rid)
		if w.next(8) == 0 {
			p.RID = w.rid()
		}
		return w.someone(), p
	case 7, 8:
		rid := w.rid()
		a, _ := w.artworkIf(rid)
		name := w.someone()
		if len(a.Order) > 0 && w.next(4) > 0 {
			name = memberName(a.Order[0])
		}
		a.RID = rid
		p := drawn(a)
		if w.next(8) == 0 {
			p.CID, p.PixelRoot = "", Hash{}
		}
		return name, p
	case 9, 10:
		rid := w.rid()
		a, _ := w.artworkIf(rid)
		name, root := w.someone(), drawn(a).PixelRoot
		if auditors := a.Auditors(); len(auditors) > 0 && w.next(4) > 0 {
			name = memberName(auditors[0])
		}
		if w.next(8) == 0 {
			root = Hash{1}
		}
		return name, Attest{RID: rid, PixelRoot: root}
	case 11, 12, 13:
		name, escrow := w.someone(), w.amount()
		if escrow.IsZero() {
			escrow = curve.NewAmount(1)
		}
		switch w.next(4) {
		case 0:
			return name, w.sealed(round, escrow, w.script[:min(len(w.script), 100)])
		case 1:
			return name, SealedOrder{Round: round, Escrow: escrow, Box: bytes.Repeat([]byte{7}, w.next(256)+1)}
		default:
			return name, w.backing(name, round, w.rid(), escrow, w.amount(), w.amount())
		}
	case 14:
		m := w.member()
		orders := view(w.world, func(v View) int { return len(v.Orders(round)) })
		if orders == 0 {
			return memberName(m), OrderShares{Round: round, Share: []byte{1}}
		}
		return memberName(m), w.opening(m, round)
	case 15:
		return w.someone(), Sell{RID: w.rid(), Tokens: w.amount(), MinOut: w.amount()}
	default:
		name := collectors[w.next(4)]
		held := view(w.world, func(v View) []Holding { return v.Holdings(addressOf(name)) })
		if len(held) == 0 {
			return name, Request{Prompt: "another", ModelID: w.modelID()}
		}
		h := held[w.next(len(held))]
		part, err := h.Tokens.MulDivCeil(curve.NewAmount(uint64(w.next(4)+1)), curve.NewAmount(4))
		require.NoError(w.t, err)
		return name, Sell{RID: h.RID, Tokens: part}
	}
}

func (w *world) artworkIf(rid Hash) (a Artwork, ok bool) {
	_ = w.replicas[0].View(func(v View) error { a, ok = v.Artwork(rid); return nil })
	return a, ok
}

// walk plays a script of bytes and returns how many transactions succeeded.
// world.block checks agreement and invariants after every block.
func walk(t testing.TB, script []byte) (succeeded int, kinds map[string]int) {
	w := &walker{world: ready(t), script: script, certificates: map[Hash]Certify{}}
	for len(w.script) > 0 {
		var txs [][]byte
		nonces := map[string]uint64{}
		for range w.next(4) {
			name, p := w.payload()
			if p.Validate() != nil {
				continue
			}
			if _, seen := nonces[name]; !seen {
				nonces[name] = w.nonce(name)
			}
			raw := w.sign(name, nonces[name], p)
			nonces[name]++
			if w.next(16) == 0 {
				raw = bytes.Clone(raw)
				raw[w.next(len(raw))] ^= byte(w.next(256))
			}
			w.replicas[0].Check(raw)
			txs = append(txs, raw)
		}
		chosen := w.replicas[1].Prepare(w.height+1, txs, 1<<20)
		require.True(t, w.replicas[0].Process(Block{Height: w.height + 1, Txs: chosen}), "an honest proposal")
		if w.next(4) == 0 {
			chosen = txs // blocks that others agreed on may hold anything
		}
		for _, r := range w.block(chosen...).Results {
			if r.Code == CodeOK {
				succeeded++
			}
			for _, e := range r.Events {
				if e.Kind == EventArtworkRequested {
					rid, err := ParseHash(e.Get("rid"))
					require.NoError(t, err)
					w.rids = append(w.rids, rid)
				}
			}
		}
	}
	w.requireReloads()
	w.requireLists()
	kinds = map[string]int{}
	for _, e := range w.events {
		kinds[e.Kind]++
		if e.Kind == EventArtworkExpired && strings.HasPrefix(e.Get("reason"), "its file is larger") {
			kinds["too large"]++
		}
	}
	return succeeded, kinds
}

// requireReloads loads the state into a fresh machine, which must go on as the
// old one does.
func (w *world) requireReloads() {
	m := NewMachine()
	require.NoError(w.t, w.replicas[0].View(func(v View) error {
		return m.Load(v.Height(), v.AppHash(), v.Entries)
	}))
	require.NoError(w.t, m.Invariants())
	block := Block{Height: w.height + 1, Txs: [][]byte{w.sign("alice", w.nonce("alice"), Send{To: addressOf("bob"), Amount: curve.NewAmount(1)})}}
	want, err := w.replicas[0].Execute(block)
	require.NoError(w.t, err)
	have, err := m.Execute(block)
	require.NoError(w.t, err)
	require.Equal(w.t, want, have)
	_ = w.replicas[0].View(func(v View) error {
		appHash := v.AppHash()
		appHash[0] ^= 1
		require.ErrorIs(w.t, NewMachine().Load(v.Height(), appHash, v.Entries), ErrState)
		return nil
	})
}

func TestNoWalkBreaksTheLedger(t *testing.T) {
	// rapid prints the seed and shrinks the script of a failure.
	rapid.Check(t, func(rt *rapid.T) {
		walk(rapidTB{t, rt}, rapid.SliceOfN(rapid.Byte(), 0, 120).Draw(rt, "script"))
	})
}

// rapidTB reports failures to rapid and everything else to the test.
type rapidTB struct {
	testing.TB
	rt *rapid.T
}

func (r rapidTB) Errorf(format string, args ...any) { r.rt.Errorf(format, args...) }
func (r rapidTB) FailNow()                          { r.rt.FailNow() }
func (r rapidTB) Helper()                           { r.rt.Helper() }

func TestLongWalksGoEverywhere(t *testing.T) {
	seen := map[string]int{}
	missing := func() (kinds []string) {
		for _, kind := range []string{EventArtworkPublished, EventArtworkDeclined, EventRoundFailed, EventOrderFilled, EventOrderRefunded, EventMarketSold, EventTasteAdopted, EventEditionDelivered, "too large"} {
			if seen[kind] == 0 {
				kinds = append(kinds, kind)
			}
		}
		return kinds
	}
	for i := 0; len(missing()) > 0; i++ {
		require.Less(t, i, 20, "never seen: %v", missing())
		script := make([]byte, 800)
		_, err := (&chanceFrom{seed: fmt.Sprint("a long walk ", i)}).Read(script)
		require.NoError(t, err)
		succeeded, kinds := walk(t, script)
		require.Greater(t, succeeded, 10)
		for kind, n := range kinds {
			seen[kind] += n
		}
	}
}

func FuzzWalk(f *testing.F) {
	for i := range 4 {
		script := make([]byte, 200)
		_, err := (&chanceFrom{seed: fmt.Sprint("walk ", i)}).Read(script)
		require.NoError(f, err)
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		walk(t, script[:min(len(script), 400)])
	})
}
