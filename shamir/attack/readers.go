package attack

import (
	"bytes"
	"slices"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/shamir/seal"
	"go.dedis.ch/kyber/v3"
)

// asking is an attack of a reader on the members: what it asks for, each honest one
// must refuse.
func asking(name string, ask func(v *vault, c *Chance) (ct *seal.Ciphertext, cert quorum.VerifiedCertificate, reader seal.Reader)) Attack {
	return guarding(name, Reader, func(v *vault, c *Chance) Outcome {
		ct, cert, reader := ask(v, c)
		for _, key := range rest(v, v.shares) {
			_, err := v.ask(c, key, ct, cert, reader)
			v.hold(err != nil, "member %d answers", key.Index())
		}
		return RefusedBy("the members")
	})
}

// aiming is an attack of a reader whose request is approved, with a reader key that
// it has made of what it wants to read and whose logarithm it does not know. The
// members answer; what they say opens nothing.
func aiming(name string, key func(v *vault, c *Chance) kyber.Point) Attack {
	return guarding(name, Reader, func(v *vault, c *Chance) Outcome {
		r := key(v, c)
		reader := v.reader
		reader.Prekeys = slices.Clone(reader.Prekeys)
		reader.Prekeys[0].Key = [32]byte(shamir.Encode(r))
		s := v.request(v.ct, v.labels[0], reader.Prekeys, c)
		cert := v.certify(s, v.shares[:v.T()])
		var answers [][]byte
		for _, key := range v.shares {
			answers = append(answers, must[[]byte](v.World)(v.ask(c, key, v.ct, cert, reader)))
		}
		v.guess(c, r, answers)
		for _, secret := range []seal.ReaderSecret{{}, v.secrets[v.reader.Prekeys[1].Member]} {
			plain, _, err := seal.CombineRelease(secret, v.Committee, under(v.ct, cert), cert, reader, answers)
			v.hold(err != nil && plain == nil, "shares open without the logarithm of the reader key")
		}
		return NoEffect
	})
}

// calypso is the re-encryption x_i·(U+R): what every member would say, combined by
// anybody.
func (v *vault) calypso(u, r kyber.Point) kyber.Point {
	at := map[uint32]kyber.Point{}
	for place := range v.T() {
		sum := ristretto.Point().Add(u, r)
		at[uint32(place+1)] = sum.Mul(v.secret(place), sum)
	}
	return v.interpolate(at)
}

func readers() []Attack {
	return []Attack{
		asking("a reader asks without a certificate", func(v *vault, c *Chance) (*seal.Ciphertext, quorum.VerifiedCertificate, seal.Reader) {
			return v.ct, quorum.VerifiedCertificate{}, v.reader
		}),
		asking("a reader asks for another model under its certificate", func(v *vault, c *Chance) (*seal.Ciphertext, quorum.VerifiedCertificate, seal.Reader) {
			return v.wanted, v.cert, v.reader
		}),
		asking("a reader asks for another ciphertext of the same label under its certificate", func(v *vault, c *Chance) (*seal.Ciphertext, quorum.VerifiedCertificate, seal.Reader) {
			return must[*seal.Ciphertext](v.World)(seal.Encrypt(c, v.X(), v.labels[0], []byte("another"))), v.cert, v.reader
		}),
		asking("a reader puts another model's U and proof before its own box", func(v *vault, c *Chance) (*seal.Ciphertext, quorum.VerifiedCertificate, seal.Reader) {
			// The ledger would refuse it as a model; suppose that it did not.
			b := append(v.wanted.Bytes()[:128], v.ct.Bytes()[128:]...)
			stolen := must[*seal.Ciphertext](v.World)(seal.ParseCiphertext(b))
			return stolen, v.certify(v.request(stolen, v.labels[0], v.reader.Prekeys, c), v.shares[:v.T()]), v.reader
		}),
		asking("a reader has another model approved under a label of its own", func(v *vault, c *Chance) (*seal.Ciphertext, quorum.VerifiedCertificate, seal.Reader) {
			return v.wanted, v.certify(v.request(v.wanted, v.labels[0], v.reader.Prekeys, c), v.shares[:v.T()]), v.reader
		}),
		asking("a reader shifts another model's U by a known amount", func(v *vault, c *Chance) (*seal.Ciphertext, quorum.VerifiedCertificate, seal.Reader) {
			b, by := v.wanted.Bytes(), c.Scalar(ristretto)
			u := ristretto.Point().Add(v.u(v.wanted), ristretto.Point().Mul(by, nil))
			bar := must[kyber.Point](v.World)(shamir.DecodePoint(ristretto, b[32:64]))
			bar.Add(bar, ristretto.Point().Mul(by, shamir.HashPoint("gbar")))
			replace(replace(b, shamir.Encode(u), 0), shamir.Encode(bar), 32)
			if f := must[kyber.Scalar](v.World)(shamir.DecodeScalar(ristretto, b[96:128])); c.Percent(50) { // and the response with it
				e := must[kyber.Scalar](v.World)(shamir.DecodeScalar(ristretto, b[64:96]))
				replace(b, shamir.Encode(f.Add(f, by.Mul(by, e))), 96)
			}
			shifted := must[*seal.Ciphertext](v.World)(seal.ParseCiphertext(b))
			return shifted, v.certify(v.request(shifted, v.labels[1], v.reader.Prekeys, c), v.shares[:v.T()]), v.reader
		}),
		asking("a reader asks with a table of readers of its own", func(v *vault, c *Chance) (*seal.Ciphertext, quorum.VerifiedCertificate, seal.Reader) {
			own := v.reader
			own.Prekeys = slices.Clone(own.Prekeys)
			switch c.IntN(3) {
			case 0:
				own.Prekeys[0].Key = [32]byte(shamir.Encode(c.Point(ristretto)))
			case 1:
				own.Prekeys = own.Prekeys[:1]
			default:
				own.Prekeys[0], own.Prekeys[1] = own.Prekeys[1], own.Prekeys[0]
			}
			return v.ct, v.cert, own
		}),
		asking("a member reads that is not in the table, or a role that there is not", func(v *vault, c *Chance) (*seal.Ciphertext, quorum.VerifiedCertificate, seal.Reader) {
			own := v.reader
			if c.Percent(50) {
				own.Role = seal.Role(pick(c, []int{0, 4, 255}))
			} else {
				own.Member = pick(c, []uint32{0, uint32(v.N() + 1), 1<<32 - 1})
			}
			return v.ct, v.cert, own
		}),
		asking("a reader key that is the identity or not canonical", func(v *vault, c *Chance) (*seal.Ciphertext, quorum.VerifiedCertificate, seal.Reader) {
			own := v.reader
			own.Prekeys = slices.Clone(own.Prekeys)
			own.Prekeys[0].Key = [32]byte(badRistretto(c, own.Prekeys[0].Key[:]))
			v.hold(own.Prekeys.Validate() != nil, "the ledger would take the key %x", own.Prekeys[0].Key)
			return v.ct, v.certify(v.request(v.ct, v.labels[0], own.Prekeys, c), v.shares[:v.T()]), own
		}),
		asking("a reader asks the committee of another epoch, or of another network", func(v *vault, c *Chance) (*seal.Ciphertext, quorum.VerifiedCertificate, seal.Reader) {
			other := v.elsewhere()
			if c.Percent(50) {
				other = v.refreshed()
			}
			s := v.statement
			s.Epoch = other.Epoch()
			foreign := vault{World: v.World, committee: other, ledger: map[[32]byte]quorum.Statement{s.RID: s}}
			return v.ct, foreign.certify(s, other.shares[:other.T()]), v.reader
		}),
		guarding("a ciphertext with a point that is not canonical or the identity, or a scalar that is not reduced", Reader, func(v *vault, c *Chance) Outcome {
			b := v.ct.Bytes()
			if at := 32 * c.IntN(4); at < 64 {
				replace(b, badRistretto(c, b[at:at+32]), at)
			} else {
				replace(b, badScalar(ristretto, b[at:at+32]), at)
			}
			_, err := seal.ParseCiphertext(b)
			v.hold(err != nil, "the ledger would take the ciphertext %x", b)
			return RefusedBy("the ledger")
		}),
		guarding("a file of a committee with a point that is not canonical, outside the subgroup or the identity, in any position", Relay, func(v *vault, c *Chance) Outcome {
			b := must[[]byte](v.World)(v.MarshalBinary())
			head := len(b) - (v.N()+1)*(shamir.XSize+shamir.YSize)
			at := head + c.IntN(v.N()+1)*(shamir.XSize+shamir.YSize)
			if c.Percent(50) {
				replace(b, badRistretto(c, b[at:at+shamir.XSize]), at)
			} else {
				at += shamir.XSize
				replace(b, badCompressedG2(c, b[at:at+shamir.YSize]), at)
			}
			_, err := shamir.UnmarshalCommittee(b)
			v.hold(err != nil, "a committee with a point that is none is read")
			return RefusedBy("the members")
		}),
		guarding("two members in one table of readers have one key", Reader, func(v *vault, c *Chance) Outcome {
			table := slices.Clone(v.reader.Prekeys)
			table[1].Key = table[0].Key
			v.hold(table.Validate() != nil, "the ledger would take one key twice")
			return RefusedBy("the ledger")
		}),
		// Where shares are x(U+R), anybody combines them to x·U', the key of the other
		// model; that this is still so is checked each time.
		aiming("a reader key of U' - U, the oracle of plain re-encryption", func(v *vault, _ *Chance) kyber.Point {
			r := ristretto.Point().Sub(v.u(v.wanted), v.u(v.ct))
			key := ristretto.Point().Mul(v.x, v.u(v.wanted))
			v.hold(v.calypso(v.u(v.ct), r).Equal(key), "the attack no longer breaks the formula that it is known to break")
			return r
		}),
		aiming("a reader key that is U, its negative, its multiple, or another model's U", func(v *vault, c *Chance) kyber.Point {
			u := v.u(v.ct)
			return pick(c, []kyber.Point{u, ristretto.Point().Neg(u), ristretto.Point().Mul(c.Scalar(ristretto), u), v.u(v.wanted), ristretto.Point().Neg(v.u(v.wanted))})
		}),
		aiming("a reader key that is X, a member's public share, or less U", func(v *vault, c *Chance) kyber.Point {
			share := must[kyber.Point](v.World)(v.XShare(uint32(1 + c.IntN(v.N()))))
			return pick(c, []kyber.Point{v.XPoint(), share, ristretto.Point().Sub(share, v.u(v.ct)), ristretto.Point().Neg(share)})
		}),
		guarding("a reader without a certificate colludes with t-1 members", Reader, func(v *vault, c *Chance) Outcome {
			v.guess(c, c.Point(ristretto), nil)
			var shares [][]byte // the colluders answer whom they like
			for _, key := range v.colluders(c) {
				shares = append(shares, must[[]byte](v.World)(seal.ReleaseShare(c, key, v.Committee, under(v.ct, v.cert), v.cert, v.reader)))
			}
			plain, _, err := seal.CombineRelease(v.secrets[v.reader.Member], v.Committee, under(v.ct, v.cert), v.cert, v.reader, append(shares, shares...))
			v.hold(err != nil && plain == nil, "t-1 members open a model")
			return RefusedBy("the members")
		}),
		guarding("a reader uses the answers to another reader, which are public, with t-1 members' shares", Reader, func(v *vault, c *Chance) Outcome {
			v.guess(c, v.readerKey(), v.answer)
			thief := v.reader
			thief.Member = v.reader.Prekeys[1].Member
			_, named, err := seal.CombineRelease(v.secrets[thief.Member], v.Committee, under(v.ct, v.cert), v.cert, thief, v.answer)
			v.hold(err != nil && len(named) == v.N(), "answers to one reader serve another")
			_, _, err = seal.CombineRelease(v.secrets[thief.Member], v.Committee, under(v.ct, v.cert), v.cert, v.reader, v.answer)
			v.hold(err != nil, "another reader's secret opens")
			return RefusedBy("the reader")
		}),
		guarding("a reader compares two answers of one member, to cancel the blinding", Reader, func(v *vault, c *Chance) Outcome {
			again := v.released2(c)
			for i := range again {
				_, a, b := v.blinded(v.answer[i])
				_, a2, b2 := v.blinded(again[i])
				v.hold(!a.Equal(a2) && !b.Equal(b2), "a member blinds twice alike")
			}
			both := make([][]byte, len(again)) // the second less the first, as if it were a share
			for i := range again {
				_, a, b := v.blinded(v.answer[i])
				_, a2, b2 := v.blinded(again[i])
				both[i] = replace(replace(bytes.Clone(again[i]), shamir.Encode(a2.Sub(a2, a)), 2), shamir.Encode(b2.Sub(b2, b)), 34)
			}
			v.guess(c, v.readerKey(), both)
			return NoEffect
		}),
	}
}

// released2 are the members' answers, given a second time.
func (v *vault) released2(c *Chance) (out [][]byte) {
	for _, key := range v.shares {
		out = append(out, must[[]byte](v.World)(v.ask(c, key, v.ct, v.cert, v.reader)))
	}
	return out
}
