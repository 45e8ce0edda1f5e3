package attack

import (
	"slices"

	"github.com/atelier-dao/atelier/shamir"
	"go.dedis.ch/kyber/v3"
)

// forgeries are what a dealer can do to its bundle, in a fresh ceremony and in a
// handover alike.
var forgeries = []struct {
	name  string
	forge func(f *forgery)
}{
	{"deals with one coefficient too many, to raise the threshold", func(f *forgery) {
		f.fx, f.fy = append(f.fx, f.p.Scalar(ristretto)), append(f.fy, f.p.Scalar(shamir.G2))
	}},
	{"deals with one coefficient too few, to lower the threshold", func(f *forgery) {
		f.fx, f.fy = f.fx[:len(f.fx)-1], f.fy[:len(f.fy)-1]
	}},
	{"lowers the threshold and pads the bundle to the right length", func(f *forgery) {
		f.fx, f.fy = f.fx[:len(f.fx)-1], f.fy[:len(f.fy)-1]
		f.body = func(b []byte) []byte { return append(b, f.p.Bytes(224)...) }
	}},
	{"raises the threshold and cuts the bundle to the right length", func(f *forgery) {
		f.fx, f.fy = append(f.fx, f.p.Scalar(ristretto)), append(f.fy, f.p.Scalar(shamir.G2))
		f.body = func(b []byte) []byte { return b[:len(b)-224] }
	}},
	{"deals a leading coefficient of zero, whose commitment is the identity", func(f *forgery) {
		if f.p.Percent(50) {
			f.fx[len(f.fx)-1] = ristretto.Scalar().Zero()
		} else {
			f.fy[len(f.fy)-1] = shamir.G2.Scalar().Zero()
		}
	}},
	{"commits to one polynomial and deals another to some members", func(f *forgery) {
		other := polynomial(ristretto, append([]kyber.Scalar{f.fx[0]}, f.p.scalars(ristretto, len(f.fx)-1)...))
		some := f.p.victims(f.dealer)
		f.plain = func(to uint32, b []byte) []byte {
			if some[to] {
				copy(b, shamir.Encode(other.Share(to).Value()))
			}
			return b
		}
	}},
	{"deals a polynomial of a higher degree than it commits to", func(f *forgery) {
		secret := polynomial(shamir.G2, append(slices.Clone(f.fy), f.p.Scalar(shamir.G2)))
		f.plain = func(to uint32, b []byte) []byte { return replace(b, shamir.Encode(secret.Share(to).Value()), 32) }
	}},
	{"deals one member a wrong share of X", wrongShare(0)},
	{"deals one member a wrong share of Y", wrongShare(32)},
	{"withholds the deals to some members: random bytes", func(f *forgery) {
		some := f.p.victims(f.dealer)
		f.box = func(to uint32, b []byte) []byte {
			if some[to] {
				return f.p.Bytes(boxLen)
			}
			return b
		}
	}},
	{"deals two members one box", func(f *forgery) {
		to := f.p.victim(f.dealer)
		f.boxes = func(b []byte) []byte {
			from := int(to) % len(f.keys)
			copy(b[int(to-1)*boxLen:int(to)*boxLen], b[from*boxLen:])
			return b
		}
	}},
	{"encrypts a deal under another nonce", func(f *forgery) {
		to := f.p.victim(f.dealer)
		f.nonce = func(j uint32) []byte {
			nonce := make([]byte, 12)
			if j == to {
				nonce[f.p.IntN(12)] = 1
			}
			return nonce
		}
	}},
	{"encrypts its deals for another ceremony", func(f *forgery) {
		f.proofID = [32]byte(f.p.Bytes(32))
		f.prove = func([]byte) []byte { g := *f; g.proofID = f.id; return g.proofs(f.said()) }
	}},
	{"deals a share that is not reduced", func(f *forgery) {
		to, x := f.p.victim(f.dealer), f.p.Percent(50)
		f.plain = func(j uint32, b []byte) []byte {
			switch {
			case j == to && x:
				copy(b, badScalar(ristretto, b[:32]))
			case j == to:
				copy(b[32:], badScalar(shamir.G2, b[32:]))
			}
			return b
		}
	}},
	{"commits to a point of X that is not canonical or the identity, in any position", func(f *forgery) {
		k := f.p.IntN(len(f.fx))
		f.statement = func(b []byte) []byte {
			from, to := xAt(k)
			return replace(b, badRistretto(f.p.Chance, b[from:to]), from)
		}
	}},
	{"commits to a point of Y that is not canonical, off curve or subgroup, or the identity, in any position", func(f *forgery) {
		k := f.p.IntN(len(f.fx))
		f.statement = func(b []byte) []byte {
			from, to := yAt(len(f.fx), k)
			return replace(b, badG2(f.p.Chance, b[from:to]), from)
		}
	}},
	{"uses an ephemeral key that is not canonical or the identity", func(f *forgery) {
		f.statement = func(b []byte) []byte {
			from, to := ephAt(len(f.fx))
			return replace(b, badRistretto(f.p.Chance, b[from:to]), from)
		}
	}},
	{"proves nothing: random proofs, zeros, scalars that are not reduced", func(f *forgery) {
		f.prove = func(b []byte) []byte {
			at := 64 * f.p.IntN(3)
			g := ristretto
			if at == 64 {
				g = shamir.G2
			}
			half := at + 32*f.p.IntN(2)
			switch f.p.IntN(3) {
			case 0:
				return replace(b, append(shamir.Encode(f.p.Scalar(g)), shamir.Encode(f.p.Scalar(g))...), at)
			case 1:
				return replace(b, make([]byte, 64), at)
			default:
				return replace(b, badScalar(g, b[half:half+32]), half)
			}
		}
	}},
	{"swaps its proofs of possession", func(f *forgery) {
		f.prove = func(b []byte) []byte { return append(append(slices.Clone(b[128:192]), b[64:128]...), b[:64]...) }
	}},
	{"proves for another dealer or another ceremony", func(f *forgery) {
		if f.p.Percent(50) {
			f.proofDealer = f.dealer%uint32(f.p.log.Dealers()) + 1
		} else {
			f.proofID = [32]byte(f.p.Bytes(32))
		}
	}},
	{"cuts its bundle short, by one byte or to nothing", func(f *forgery) {
		f.body = func(b []byte) []byte { return b[:pick(f.p.Chance, []int{0, 1, 32, f.p.IntN(len(b)), len(b) - 1})] }
	}},
	{"adds bytes to its bundle, one or a mebibyte", func(f *forgery) {
		f.body = func(b []byte) []byte {
			return append(b, make([]byte, pick(f.p.Chance, []int{1, boxLen, 224, 1 << 20}))...)
		}
	}},
	{"puts bytes between its proofs and its deals, where nobody looks", func(f *forgery) {
		f.body = func(b []byte) []byte {
			return slices.Insert(b, len(b)-len(f.keys)*boxLen, make([]byte, pick(f.p.Chance, []int{1, boxLen, 224}))...)
		}
	}},
	{"flips a bit of its bundle after proving", func(f *forgery) {
		f.body = func(b []byte) []byte { b[f.p.IntN(len(b)-len(f.keys)*boxLen)] ^= 1 << f.p.IntN(8); return b }
	}},
	{"alters a deal after proving", func(f *forgery) {
		at := (int(f.p.victim(f.dealer)) - 1) * boxLen
		f.body = func(b []byte) []byte {
			deals := b[len(b)-len(f.keys)*boxLen:]
			deals[at+f.p.IntN(boxLen)] ^= 1 << f.p.IntN(8)
			return b
		}
	}},
}

func wrongShare(at int) func(f *forgery) {
	return func(f *forgery) {
		victim := f.p.victim(f.dealer)
		f.plain = func(to uint32, b []byte) []byte {
			if to == victim && at == 0 {
				return replace(b, shamir.Encode(f.p.Scalar(ristretto)), 0)
			} else if to == victim {
				return replace(b, shamir.Encode(f.p.Scalar(shamir.G2)), 32)
			}
			return b
		}
	}
}

func (p *ceremony) scalars(g shamir.Group, n int) (out []kyber.Scalar) {
	for range n {
		out = append(out, p.Scalar(g))
	}
	return out
}

// victim is an honest receiver.
func (p *ceremony) victim(uint32) uint32 {
	var honest []uint32
	for place, party := range p.parties {
		if !p.bad[place] && party.Index() != 0 {
			honest = append(honest, party.Index())
		}
	}
	return pick(p.Chance, honest)
}

// victims are some receivers, at least one honest.
func (p *ceremony) victims(dealer uint32) map[uint32]bool {
	some := map[uint32]bool{p.victim(dealer): true}
	for to := range p.log.N() {
		if p.Percent(30) {
			some[uint32(to+1)] = true
		}
	}
	return some
}
