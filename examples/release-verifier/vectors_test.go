package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTheKnownAnswersFollowFromTheSpecification computes vectors.json from the
// inputs that it names, with this program's own arithmetic: also what the program
// itself needs no part of, such as opening shares and ballots.
func TestTheKnownAnswersFollowFromTheSpecification(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(vectors, "vectors.json"))
	require.NoError(t, err)
	var list []fields
	require.NoError(t, json.Unmarshal(b, &list))
	v := known{t: t, named: map[string]fields{}, left: map[string]bool{}}
	for _, f := range list {
		name := f.text("name")
		require.False(t, v.left[name], "%s is there twice", name)
		v.named[name], v.left[name] = f, true
	}
	// What follows from the log of ceremony.json is that file's to show.
	for _, name := range []string{"commit of member 1", "bundle of member 1", "acknowledgement of member 1", "ceremony id"} {
		v.hex(name)
	}
	require.Empty(t, attempt(func() {
		v.hashes()
		v.proofs()
		v.keys()
		v.releases()
		v.openings()
		v.ballots()
	}))
	require.Empty(t, v.left, "vectors that nothing here computes: say in SPEC.md how they are made, and make them here")
}

type known struct {
	t     *testing.T
	named map[string]fields
	left  map[string]bool
}

// hex and from are what a vector is, and what it is made from.
func (v known) hex(name string) []byte {
	require.Contains(v.t, v.named, name)
	delete(v.left, name)
	return v.named[name].bytes("hex")
}

func (v known) from(name string) fields {
	from, _ := v.named[name]["from"].(map[string]any)
	require.NotNil(v.t, from, name)
	return from
}

func (v known) is(name string, b []byte) {
	v.t.Helper()
	require.Equal(v.t, fmt.Sprintf("%x", v.hex(name)), fmt.Sprintf("%x", b), name)
}

// blobs is a list of bytes.
func (f fields) blobs(name string) (all [][]byte) {
	list, _ := f[name].([]any)
	for _, text := range list {
		all = append(all, fields{"x": text}.bytes("x"))
	}
	return all
}

func (v known) hashes() {
	for _, name := range []string{`Hash("a", "x")`, "chain", "label"} {
		f := v.from(name)
		v.is(name, hash(f.text("tag"), f.blobs("fields")...))
	}
	for name, g := range map[string]*group{`HashScalar(Ristretto255, "a", "x")`: ristretto, `HashScalar(G2, "a", "x")`: g2} {
		f := v.from(name)
		v.is(name, g.scalar(g.hashScalar(f.text("tag"), f.blobs("fields")...)))
	}
	v.is("the second generator", gBar.bytes())
	for _, name := range []string{"HashToG1 of a certificate", "HashToG1 of a seed"} {
		f := v.from(name)
		m := decodeG1(v.hex(name))
		m2 := *m
		m2.Hash(f.bytes("message"), []byte(f.text("dst")))
		require.True(v.t, m.IsEqual(&m2), name)
	}
	f := v.from("session of epoch 1")
	v.is("session of epoch 1", hash("session", f.bytes("chain"), u64(f.number("epoch")), f.bytes("previous"), u64(f.number("attempt"))))
	for name, tag := range map[string]string{
		"committee digest": "committee", "ciphertext digest": "ciphertext", "statement digest": "statement", "tally digest": "tally",
	} {
		v.is(name, hash(tag, v.from(name).bytes(tag)))
	}
	f = v.from("public label")
	v.is("public label", hash("public label", f.bytes("chain"), []byte(f.text("purpose")), u64(f.number("id"))))
	f = v.from("reader key")
	v.is("reader key", ristretto.base.mul(ristretto.hashScalar("reader", f.bytes("seed"), u64(f.number("counter")))).bytes())
	r := v.from("prekeys digest").list("readers")[0]
	v.is("prekeys digest", hash("prekeys", append(u32(r.number("member")), r.bytes("key")...)))
	f = v.from("certificate context")
	v.is("certificate context", hash("cert", f.bytes("certificate"), f.bytes("statement")))
	f = v.from("seed")
	v.is("seed", hash("seed", f.bytes("seed signature"), f.bytes("rid")))
	f = v.from("statement")
	v.is("statement", slices.Concat([]byte("release"), f.bytes("chain"), u64(f.number("epoch")), f.bytes("rid"), f.bytes("body"), f.bytes("model"),
		u64(f.number("key_epoch")), f.bytes("label"), f.bytes("u"), f.bytes("prekeys"), u64(f.number("expiry"))))
}

func (v known) proofs() {
	for _, g := range []*group{ristretto, g2} {
		name := "proof of possession, " + g.name
		f := v.from(name)
		require.True(v.t, equal(g.base.mul(g.decodeScalar(f.bytes("secret"))), g.point(f.bytes("public"))))
		g.possession(f.bytes("context"), g.point(f.bytes("public")), v.hex(name))
		nonce := g.hashScalar("nonce/pop", []byte(g.name), make([]byte, 32), f.bytes("secret"), f.bytes("context"), f.bytes("public"))
		c := g.hashScalar("pop", []byte(g.name), f.bytes("context"), f.bytes("public"), g.base.mul(nonce).bytes())
		z := new(big.Int).Add(nonce, new(big.Int).Mul(c, g.decodeScalar(f.bytes("secret"))))
		v.is(name, append(g.scalar(c), g.scalar(z)...))

		name = "Lagrange weights of 1, 3, 4, " + g.name
		var weights []byte
		for _, w := range g.lagrange(0, v.from(name).numbers("indices")) {
			weights = append(weights, g.scalar(w)...)
		}
		v.is(name, weights)
	}
	g, f := ristretto, v.from("proof of equal logarithms")
	g.equalLogs(f.bytes("context"), g.point(f.bytes("a")), g.point(f.bytes("b")), g.point(f.bytes("secret a")), g.point(f.bytes("secret b")),
		v.hex("proof of equal logarithms"))
}

// keys: the shares are those of the committee, which is that of ceremony.json.
func (v known) keys() {
	c := v.committee()
	c.consistent()
	for i := 1; i <= c.n; i++ {
		name := fmt.Sprintf("deal key of member %d", i)
		v.is(name, ristretto.base.mul(ristretto.hashScalar("deal key", v.from(name).bytes("seed"))).bytes())
		x, y := v.share(i)
		require.True(v.t, equal(ristretto.base.mul(x), c.x[i]) && equal(g2.base.mul(y), c.y[i]))
	}
	beat := v.from("heartbeat of member 1")
	ctx := hash("heartbeat", beat.bytes("chain"), v.hex("committee digest"), u64(1), beat.bytes("asker"), beat.bytes("nonce"))
	ristretto.possession(ctx, c.x[1], v.hex("heartbeat of member 1"))
	b, err := os.ReadFile(filepath.Join(vectors, "ceremony.json"))
	require.NoError(v.t, err)
	var file struct{ Ceremonies []fields }
	require.NoError(v.t, json.Unmarshal(b, &file))
	sum := sha256.Sum256(file.Ceremonies[0].bytes("log"))
	v.is("SHA-256 of the log", sum[:])
	v.is("committee", file.Ceremonies[0].bytes("committee"))
}

func (v known) committee() committee { return parseCommittee(v.hex("committee")) }

func (v known) share(i int) (x, y *big.Int) {
	in := input(v.hex(fmt.Sprintf("key share of member %d", i)))
	need(in.number(1) == 1 && in.number(8) == 1 && in.number(4) == uint64(i), "key share")
	x, y = ristretto.decodeScalar(in.take(32)), g2.decodeScalar(in.take(32))
	in.end()
	return x, y
}

func (v known) releases() {
	c, g := v.committee(), ristretto
	v.sealed("ciphertext")
	v.sealed("order")
	f := v.from("seed signature")
	message := slices.Concat(f.bytes("chain"), f.bytes("rid"))
	signature(f.text("dst"), message, c.y[0], v.hex("seed signature"))
	signature(v.from("certificate").text("dst"), v.hex("statement"), c.y[0], v.hex("certificate"))
	in := input(v.hex("approval of member 1"))
	require.Equal(v.t, uint64(1), in.number(2))
	require.Equal(v.t, v.hex("statement"), in.take(255))
	signature(v.from("certificate").text("dst"), v.hex("statement"), c.y[1], in.take(48))
	signature(f.text("dst"), message, c.y[1], in.take(48))
	in.end()

	f = v.from("released share of member 1")
	ctx := hash("release context", v.hex("certificate context"), u64(f.number("reader")), []byte{byte(f.number("role"))})
	(&share{}).judge(v.hex("released share of member 1"), c, ctx, []layer{{u: g.point(f.bytes("ciphertext")[:32])}}, g.point(f.bytes("r")))

	f = v.from("label of a layer")
	v.is("label of a layer", hash("layer", f.bytes("own"), f.bytes("label"), f.bytes("u")))
	f = v.from("released share of member 1 through two layers")
	signature(v.from("certificate").text("dst"), f.bytes("statement"), c.y[0], f.bytes("certificate"))
	ctx = hash("release context", hash("cert", f.bytes("certificate"), f.bytes("statement")), u64(f.number("reader")), []byte{byte(f.number("role"))})
	x, _ := v.share(1)
	s, r := stream{name: f.text("stream")}, g.point(f.bytes("r"))
	want, layers, k := &share{index: 1}, []layer{}, []*big.Int{}
	for _, ct := range f.blobs("ciphertexts") {
		u := g.point(ct[:32])
		k, layers = append(k, s.scalar()), append(layers, layer{u: u})
		want.e1 = append(want.e1, g.base.mul(k[len(k)-1]))
		want.e2 = append(want.e2, r.mul(k[len(k)-1]).add(u.mul(x)))
	}
	released := v.hex("released share of member 1 through two layers")
	got := &share{}
	got.judge(released, c, ctx, layers, r)
	for i := range layers {
		require.True(v.t, equal(want.e1[i], got.e1[i]) && equal(want.e2[i], got.e2[i]), "layer %d is another than the stream makes", i)
	}
}

// sealed makes a ciphertext again from its stream.
func (v known) sealed(name string) {
	g, f := ristretto, v.from(name)
	s := stream{name: f.text("stream")}
	r := s.scalar()
	shared := g.point(f.bytes("x")).mul(r).bytes()
	b := v.hex(name)
	plain, err := unseal(shared, nil, hash("box", f.bytes("label"), g.base.mul(r).bytes()), b[128:], f.bytes("label"))
	require.NoError(v.t, err)
	require.Equal(v.t, f.bytes("plaintext"), plain)
	nonce := g.hashScalar("nonce/tdh2", []byte(g.name), s.take(32), g.scalar(r), f.bytes("label"), b[128:], f.bytes("x"))
	w, wBar := g.base.mul(nonce), gBar.mul(nonce)
	u, uBar := g.base.mul(r), gBar.mul(r)
	e := g.hashScalar("tdh2", f.bytes("label"), b[128:], f.bytes("x"), gBar.bytes(), u.bytes(), uBar.bytes(), w.bytes(), wBar.bytes())
	z := new(big.Int).Add(nonce, new(big.Int).Mul(e, r))
	v.is(name, slices.Concat(u.bytes(), uBar.bytes(), g.scalar(e), g.scalar(z), b[128:]))
}

// stream is that of section 15.
type stream struct {
	name    string
	counter byte
	rest    []byte
}

func (s *stream) take(n int) []byte {
	for len(s.rest) < n {
		sum := sha256.Sum256(append([]byte(s.name), s.counter))
		s.rest, s.counter = append(s.rest, sum[:]...), s.counter+1
	}
	b := s.rest[:n:n]
	s.rest = s.rest[n:]
	return b
}

func (s *stream) scalar() *big.Int {
	return new(big.Int).Mod(ristretto.integer(s.take(64)), ristretto.order)
}

// opening checks an opening share, section 11, and returns its points.
func opening(b, ctx []byte, c committee, us []point) (index uint64, points []point) {
	g, in := ristretto, input(b)
	index = in.number(2)
	need(1 <= index && index <= uint64(c.n), "index")
	public := c.x[index]
	folded := [][]byte{ctx, public.bytes()}
	for range us {
		points = append(points, g.point(in.take(32)))
		folded = append(folded, points[len(points)-1].bytes())
	}
	fold := hash("open/fold", folded...)
	var weights []*big.Int
	for k := range us {
		weights = append(weights, g.hashScalar("open/weight", fold, u64(uint64(k))))
	}
	g.equalLogs(ctx, g.base, g.sum(weights, us), public, g.sum(weights, points), in.take(64))
	in.end()
	return index, points
}

func (v known) openings() {
	c, f := v.committee(), v.from("opening share of member 1")
	label := hash("public label", f.bytes("chain"), []byte(f.text("purpose")), u64(f.number("id")))
	fields, us := [][]byte{hash("committee", v.hex("committee")), label}, []point{}
	for _, ct := range f.blobs("ciphertexts") {
		fields, us = append(fields, hash("ciphertext", ct)), append(us, ristretto.point(ct[:32]))
	}
	_, points := opening(v.hex("opening share of member 1"), hash("open", fields...), c, us)
	x, _ := v.share(1)
	require.True(v.t, equal(us[0].mul(x), points[0]))
}

func (v known) ballots() {
	g, c := ristretto, v.committee()
	f := v.from("poll digest")
	poll := hash("poll", f.bytes("chain"), []byte(f.text("purpose")), f.bytes("id"), f.bytes("x"), u64(f.number("options")), u64(f.number("minimum")))
	v.is("poll digest", poll)
	x, m := g.point(f.bytes("x")), int(f.number("options"))
	sums := slices.Repeat([]point{g.zero}, 2*m)
	f = v.from("tally")
	total := uint64(0)
	for i, weight := range f.numbers("weights") {
		votes := ballot(v.hex(fmt.Sprintf("ballot %d", i+1)), poll, f.blobs("voters")[i], x, m)
		total += weight
		for k := range votes {
			sums[k] = sums[k].add(votes[k].mul(new(big.Int).SetUint64(weight)))
		}
	}
	want := slices.Concat([]byte{1}, poll, u64(3), u64(total))
	var us []point
	for k, p := range sums {
		want = append(want, p.bytes()...)
		if k%2 == 0 {
			us = append(us, p)
		}
	}
	v.is("tally", want)

	ctx := hash("tally/open", hash("committee", v.hex("committee")), hash("tally", want))
	var indices []uint64
	shares := make([][]point, m)
	name := "counts of none and of each option, eight bytes each"
	for _, b := range v.from(name).blobs("shares") {
		index, points := opening(b, ctx, c, us)
		indices = append(indices, index)
		for k := range points {
			shares[k] = append(shares[k], points[k])
		}
	}
	v.is("tally share of member 1", v.from(name).blobs("shares")[0])
	in := input(v.hex(name))
	left := total - in.number(8)
	for k := range m {
		count := in.number(8)
		left -= count
		opened := g.commitment(big.NewInt(1), sums[2*k+1], big.NewInt(1), g.sum(g.lagrange(0, indices), shares[k]))
		require.True(v.t, equal(opened, g.base.mul(new(big.Int).SetUint64(count))))
	}
	require.Zero(v.t, left)
}

// ballot checks one of m options, section 12, and returns its votes.
func ballot(b, poll, voter []byte, x point, m int) (votes []point) {
	g, in, proofs := ristretto, input(b), m+1
	if m == 1 {
		proofs = 1
	}
	var commitments []point
	sum := []point{g.zero, g.zero}
	for k := range 2 * m {
		votes = append(votes, g.point(in.take(32)))
		sum[k%2] = sum[k%2].add(votes[k])
	}
	for range 4 * proofs {
		commitments = append(commitments, g.point(in.take(32)))
	}
	c := g.hashScalar("ballot", poll, voter, b[:len(b)-len(in)])
	for i := range proofs {
		of := sum
		if i < m {
			of = votes[2*i : 2*i+2]
		}
		c0 := g.decodeScalar(in.take(32))
		challenges := []*big.Int{c0, new(big.Int).Sub(c, c0)}
		for v := range int64(2) {
			z, cv := g.decodeScalar(in.take(32)), challenges[v]
			less := of[1].add(g.base.mul(big.NewInt(-v)))
			need(equal(commitments[4*i+2*int(v)], g.commitment(z, g.base, cv, of[0])), "proof")
			need(equal(commitments[4*i+2*int(v)+1], g.commitment(z, x, cv, less)), "proof")
		}
	}
	in.end()
	return votes
}
