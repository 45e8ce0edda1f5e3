package attack

import (
	"errors"
	"slices"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/quorum"
)

// seedPartials are all members' partials of the request's seed.
func (v *vault) seedPartials() []quorum.Partial {
	if v.closed.seeds == nil {
		for _, key := range v.shares {
			v.closed.seeds = append(v.closed.seeds, quorum.SignSeed(key, v.chain, v.statement.RID))
		}
	}
	return slices.Clone(v.closed.seeds)
}

// seedOf is the seed that some partials make.
func (v *vault) seedOf(partials []quorum.Partial) (quorum.Signature, [32]byte) {
	sig, _, err := quorum.RecoverSeed(v.Committee, v.chain, v.statement.RID, partials)
	v.must(err)
	return sig, must[[32]byte](v.World)(quorum.Seed(sig, v.statement.RID))
}

func seeds() []Attack {
	return []Attack{
		guarding("an aggregator tries every quorum it likes, to choose among seeds", Aggregator, func(v *vault, c *Chance) Outcome {
			all := v.seedPartials()
			_, first := v.seedOf(all)
			for range 3 {
				shuffle(c, all)
				_, again := v.seedOf(all[:v.T()])
				v.hold(again == first, "two quorums make two seeds")
			}
			return NoEffect
		}),
		guarding("a requester lets its request lapse and has it approved again, for another seed", Reader, func(v *vault, c *Chance) Outcome {
			_, first := v.seedOf(v.seedPartials())
			next := v.refreshed() // and in another epoch
			var partials []quorum.Partial
			for _, key := range next.shares {
				partials = append(partials, quorum.SignSeed(key, v.chain, v.statement.RID))
			}
			sig, _, err := quorum.RecoverSeed(next.Committee, v.chain, v.statement.RID, partials)
			v.must(err)
			again := must[[32]byte](v.World)(quorum.Seed(sig, v.statement.RID))
			v.hold(again == first, "one request has two seeds")
			return NoEffect
		}),
		guarding("a relay gives the seed's signature another form, to draw again", Relay, func(v *vault, c *Chance) Outcome {
			sig, first := v.seedOf(v.seedPartials()[:v.T()])
			forged := quorum.Signature(badG1(c, sig[:]))
			v.hold(quorum.VerifySeed(v.Committee, v.chain, v.statement.RID, forged) != nil, "a seed has a second signature: %x", forged)
			again, err := quorum.Seed(forged, v.statement.RID)
			v.hold(err != nil || again != first, "another form gives the seed")
			return RefusedBy("the members")
		}),
		guarding("a seed of another request, another chain, or of certificate signatures", Relay, func(v *vault, c *Chance) Outcome {
			sig, _ := v.seedOf(v.seedPartials()[:v.T()])
			other := [32]byte(c.Bytes(32))
			v.hold(quorum.VerifySeed(v.Committee, v.chain, other, sig) != nil, "a seed serves another request")
			v.hold(quorum.VerifySeed(v.Committee, other, v.statement.RID, sig) != nil, "a seed serves another chain")
			v.hold(quorum.VerifySeed(v.Committee, v.chain, v.statement.RID, v.cert.Signature()) != nil, "a certificate serves as a seed")
			return RefusedBy("the members")
		}),
		guarding("t-1 members predict a seed", Holder, func(v *vault, c *Chance) Outcome {
			var partials []quorum.Partial
			for _, key := range v.colluders(c) {
				partials = append(partials, quorum.SignSeed(key, v.chain, v.statement.RID))
			}
			v.hold(quorum.VerifySeed(v.Committee, v.chain, v.statement.RID, quorum.Signature(v.combined(partials))) != nil, "t-1 members know a seed")
			_, _, err := quorum.RecoverSeed(v.Committee, v.chain, v.statement.RID, append(partials, partials...))
			v.hold(errors.Is(err, shamir.ErrThreshold), "t-1 partials make a seed: %v", err)
			return RefusedBy("the members")
		}),
		guarding("members withhold their seed partials or send wrong ones, to bias the seed", Holder, func(v *vault, c *Chance) Outcome {
			all := v.seedPartials()
			_, first := v.seedOf(all)
			var wrong []quorum.Partial
			for _, i := range v.bad {
				p := all[i]
				p.Sig = quorum.Signature(badG1(c, p.Sig[:]))
				wrong = append(wrong, p)
			}
			sig, culprits, err := quorum.RecoverSeed(v.Committee, v.chain, v.statement.RID, append(wrong, rest(v, all)...))
			v.must(err)
			v.hold(must[[32]byte](v.World)(quorum.Seed(sig, v.statement.RID)) == first, "liars change the seed")
			for _, m := range culprits {
				v.hold(slices.Contains(v.bad, int(m)-1), "honest member %d is named", m)
			}
			if len(culprits) > 0 {
				return LeftOut
			}
			return RefusedBy("the members")
		}),
	}
}
