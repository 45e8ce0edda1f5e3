package main

import (
	"bytes"
	"fmt"
	"math/big"
	"slices"
)

// ceremonyLog is section 6.4.
type ceremonyLog struct {
	epoch       uint64
	session     []byte
	t, n        int
	keys        [][]byte
	lengths     [4]uint64
	identified  []byte // what the ceremony's id hashes of it
	previous    []byte
	start       uint64
	phase, last uint64
	dealings    []*dealing
	acks        [][]byte
	committee   []byte
}

type dealing struct {
	commit, body, dispute []byte
	receiver              uint64 // who disputes
	x, y                  []point
	e                     point
}

func (l *ceremonyLog) begun(phase uint64) bool {
	return l.last >= phase || l.last == 0 && l.phase >= phase
}
func (l *ceremonyLog) over(phase uint64) bool {
	return l.last >= phase || l.last == 0 && l.phase > phase
}

func parseLog(log []byte) *ceremonyLog {
	in := input(log)
	need(in.number(1) == 2, "encoding")
	from, l := in, &ceremonyLog{}
	l.epoch, l.session, l.t, l.n = in.number(8), in.take(32), int(in.number(2)), int(in.number(2))
	for range l.n {
		l.keys = append(l.keys, in.take(32))
	}
	for i := range l.lengths {
		l.lengths[i] = in.number(4)
	}
	l.identified = from[:len(from)-len(in)]
	dealers := l.n
	if in.bool() {
		l.previous = in.take(int(in.number(4)))
		l.identified = slices.Concat(l.identified, u32(uint64(len(l.previous))), l.previous)
		dealers = parseCommittee(l.previous).n
	}
	l.start, l.phase, l.last = in.number(8), in.number(1), in.number(1)
	since := in.number(8)
	need(l.start <= 1<<62 && l.start <= since && since <= 1<<63, "encoding")
	need(1 <= l.phase && l.phase <= 4 && l.last == 0 || l.phase == 5 && l.last == 4 || l.phase == 6 && 1 <= l.last && l.last <= 4, "encoding")
	for i := range dealers {
		l.dealings = append(l.dealings, l.dealing(&in, uint64(i+1)))
	}
	for range l.n {
		var ack []byte
		if in.bool() {
			need(l.begun(4), "encoding")
			ack = in.take(128)
		}
		l.acks = append(l.acks, ack)
	}
	if in.bool() {
		l.committee = in.take(int(in.number(4)))
		c := parseCommittee(l.committee)
		need(c.n == l.n && c.t == l.t && c.epoch == l.epoch && bytes.Equal(c.session, l.session), "encoding")
	}
	need(l.begun(4) == (l.committee != nil), "encoding")
	in.end()
	return l
}

func (l *ceremonyLog) dealing(in *input, dealer uint64) *dealing {
	d, flags := &dealing{}, in.number(1)
	need(flags < 8, "encoding")
	if flags&1 != 0 {
		d.commit = in.take(32)
	}
	if flags&2 != 0 {
		need(d.commit != nil && l.begun(2), "encoding")
		d.body = in.take(224*l.t + 80*l.n + 224)
	}
	if flags&4 != 0 {
		need(d.body != nil && l.begun(3), "encoding")
		d.receiver = in.number(2)
		need(in.number(2) == dealer && 1 <= d.receiver && d.receiver <= uint64(l.n), "encoding")
		need(l.previous != nil || d.receiver != dealer, "encoding")
		d.dispute = in.take(96)
	}
	return d
}

// ceremonyChecks are those of section 14, in their order.
func ceremonyChecks(r fields) []check {
	var (
		l         *ceremonyLog
		before    committee // that hands over
		made      committee
		id        []byte
		keys      []point
		qualified []uint64
		enough    int
		acks      int
	)
	return []check{
		{"encoding", func() string {
			l = parseLog(r.bytes("log"))
			return fmt.Sprintf("%d bytes", len(r.bytes("log")))
		}},
		{"parameters", func() string {
			need(1 <= l.t && l.t <= l.n && l.n <= 256, "sizes")
			need(!slices.Contains(l.lengths[:], 0), "a phase without a block")
			need(bytes.Equal(l.previous, r.bytes("previous")), "another committee hands over")
			enough, before.digest = l.t, make([]byte, 32)
			if l.previous != nil {
				before = parseCommittee(l.previous)
				enough = before.t
				need(l.epoch > before.epoch, "epoch")
			}
			need(bytes.Equal(l.session, hash("session", r.bytes("chain"), u64(l.epoch), before.digest, u64(r.number("attempt")))), "another session")
			for i, k := range l.keys {
				need(!slices.ContainsFunc(l.keys[:i], func(o []byte) bool { return bytes.Equal(o, k) }), "two keys alike")
				keys = append(keys, ristretto.point(k))
			}
			id = hash("ceremony", l.identified, u64(l.start))
			return fmt.Sprintf("%d of %d for epoch %d", l.t, l.n, l.epoch)
		}},
		{"commitments", func() string {
			for i, d := range l.dealings {
				need(d.body == nil || bytes.Equal(d.commit, hash("bundle commitment", id, u64(uint64(i+1)), d.body)), "another bundle")
			}
			return fmt.Sprintf("of %d dealers", len(l.dealings))
		}},
		{"bundles", func() string {
			for i, d := range l.dealings {
				if d.body == nil {
					continue
				}
				d.verify(l, id, uint64(i+1))
				if l.previous != nil {
					need(equal(d.x[0], before.x[i+1]) && equal(d.y[0], before.y[i+1]), "another secret than the dealer's share")
				}
				qualified = append(qualified, uint64(i+1))
			}
			return fmt.Sprintf("of %v", qualified)
		}},
		{"disputes", func() string {
			for i, d := range l.dealings {
				if d.dispute == nil {
					continue
				}
				dealer, k := uint64(i+1), ristretto.point(d.dispute[:32])
				ctx := hash("dispute", id, u64(d.receiver), u64(dealer), d.commit)
				ristretto.equalLogs(ctx, ristretto.base, d.e, keys[d.receiver-1], k, d.dispute[32:])
				need(attempt(func() { d.deal(l, id, dealer, d.receiver, k) }) != "", "the deal is good")
				qualified = slices.DeleteFunc(qualified, func(q uint64) bool { return q == dealer })
			}
			return fmt.Sprintf("leave %v", qualified)
		}},
		{"dealers", func() string {
			if !l.begun(4) {
				qualified = nil
				return "none yet"
			}
			need(len(qualified) >= enough, "too few")
			if l.previous != nil {
				qualified = qualified[:enough]
			}
			return fmt.Sprintf("%v make the keys", qualified)
		}},
		{"committee", func() string {
			if !l.begun(4) {
				return "none yet"
			}
			made = parseCommittee(l.committee)
			need(bytes.Equal(l.committee, l.derive(qualified)), "another one")
			need(l.previous == nil || equal(made.x[0], before.x[0]) && equal(made.y[0], before.y[0]), "other keys")
			return fmt.Sprintf("%x…", made.digest[:6])
		}},
		{"acknowledgements", func() string {
			for j, a := range l.acks {
				if a != nil {
					ctx := hash("ack", id, made.digest, u64(uint64(j+1)))
					ristretto.possession(ctx, made.x[j+1], a[:64])
					g2.possession(ctx, made.y[j+1], a[64:])
					acks++
				}
			}
			need(l.phase != 5 || acks >= l.t+(l.n-l.t)/2, "too few")
			return fmt.Sprintf("%d of %d", acks, l.n)
		}},
		{"outcome", func() string { // what the file says that it comes to
			outcome := []string{"commit", "bundle", "dispute", "acknowledge", "active", "aborted"}[l.phase-1]
			need(outcome == r.text("outcome") && slices.Equal(qualified, r.numbers("qualified")) && uint64(acks) == r.number("acknowledged"), "another one")
			need(bytes.Equal(id, r.bytes("id")) && bytes.Equal(l.committee, r.bytes("committee")) && bytes.Equal(made.digest, r.bytes("digest")), "another committee")
			var want []string
			for _, c := range r.list("culprits") {
				want = append(want, fmt.Sprintf("%d %s", c.number("member"), c.text("reason")))
			}
			culprits := l.culprits()
			need(slices.Equal(culprits, want), "other culprits")
			return fmt.Sprintf("%s %q", outcome, culprits)
		}},
	}
}

// verify checks form and proofs of a bundle, section 6.2, and keeps its points.
func (d *dealing) verify(l *ceremonyLog, id []byte, dealer uint64) {
	in := input(d.body)
	for range l.t {
		d.x = append(d.x, ristretto.point(in.take(32)))
	}
	d.y = append(d.y, wide(in.take(192)))
	for range l.t - 1 {
		d.y = append(d.y, loose(in.take(192)))
	}
	d.e = ristretto.point(in.take(32))
	statement := d.body[:len(d.body)-len(in)]
	ristretto.possession(hash("bundle/x", id, u64(dealer), statement), d.x[0], in.take(64))
	g2.possession(hash("bundle/y", id, u64(dealer), statement), d.y[0], in.take(64))
	proof := in.take(64)
	ristretto.possession(hash("bundle/e", id, u64(dealer), statement, in), d.e, proof) // what is left are the deals
}

// deal refuses a deal that is not good under the key k.
func (d *dealing) deal(l *ceremonyLog, id []byte, dealer, receiver uint64, k point) {
	at := len(d.body) - 80*(l.n-int(receiver)+1)
	info := hash("deal", u64(dealer), u64(receiver), d.e.bytes(), l.keys[receiver-1])
	plain, err := unseal(k.bytes(), id, info, d.body[at:at+80], nil)
	need(err == nil, "does not decrypt")
	need(equal(ristretto.base.mul(ristretto.decodeScalar(plain[:32])), ristretto.value(d.x, receiver)), "share of X")
	need(equal(g2.base.mul(g2.decodeScalar(plain[32:])), g2.value(d.y, receiver)), "share of Y")
}

// derive is the committee that the qualified dealers' bundles make, section 6.3.
func (l *ceremonyLog) derive(qualified []uint64) []byte {
	combine := func(g *group, j uint64, of func(*dealing) []point) []byte {
		weights, values := g.lagrange(0, qualified), []point{}
		for i, q := range qualified {
			if l.previous == nil {
				weights[i] = big.NewInt(1)
			}
			values = append(values, g.value(of(l.dealings[q-1]), j))
		}
		return g.sum(weights, values).bytes()
	}
	b := slices.Concat([]byte{1}, u64(l.epoch), l.session, u16(uint64(l.n)), u16(uint64(l.t)))
	for j := range uint64(l.n + 1) {
		b = append(b, combine(ristretto, j, func(d *dealing) []point { return d.x })...)
		b = append(b, combine(g2, j, func(d *dealing) []point { return d.y })...)
	}
	return b
}

// culprits are the members that failed and how, section 15.
func (l *ceremonyLog) culprits() (out []string) {
	failed := make([]string, max(l.n, len(l.dealings)))
	for i, d := range l.dealings {
		switch {
		case d.dispute != nil:
			failed[i] = "dealt a wrong share"
		case d.commit == nil && l.over(1):
			failed[i] = "posted no commitment"
		case d.commit != nil && d.body == nil && l.over(2):
			failed[i] = "withheld its bundle"
		}
	}
	add := func() {
		for i, reason := range failed {
			if reason != "" {
				out = append(out, fmt.Sprintf("%d %s", i+1, reason))
			}
			failed[i] = ""
		}
	}
	if l.previous != nil { // dealers and receivers are counted differently
		add()
	}
	for j, a := range l.acks {
		if a == nil && l.over(4) && failed[j] == "" {
			failed[j] = "did not acknowledge"
		}
	}
	add()
	return out
}
