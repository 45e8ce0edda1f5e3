package curation

import (
	"slices"

	"github.com/atelier-dao/atelier/curation/state"
)

// Prior is a version of the network's taste: of what pictures are drawn from that are
// asked for without a prompt. The ledger holds no file, only what the members say that
// its hash is; package model/taste says how it follows from the rounds.
type Prior struct {
	_       struct{} `cbor:",toarray"`
	Version uint64   // from 0, without gaps
	Round   uint64   // the settled round that it learned from last; 0 for version 0
	ID      Hash     // SHA-256 of its file; zero while it is not adopted
	Lexicon Hash     // SHA-256 of the file that says what its words mean; zero while it is not adopted
	Records []PriorRecord
	Height  uint64 // of the adoption; 0 while it is not
}

// PriorRecord is what a member has found a version to be.
type PriorRecord struct {
	_       struct{} `cbor:",toarray"`
	Member  uint32
	ID      Hash // of the file
	Lexicon Hash
	Height  uint64
}

// Adopted says whether the version is in force, or was.
func (p Prior) Adopted() bool { return p.Height != 0 }

// Of is what a member has recorded of the version.
func (p Prior) Of(member uint32) (PriorRecord, bool) {
	i := slices.IndexFunc(p.Records, func(r PriorRecord) bool { return r.Member == member })
	if i < 0 {
		return PriorRecord{}, false
	}
	return p.Records[i], true
}

// Differs are the members that have recorded something else than was adopted.
func (p Prior) Differs() (members []uint32) {
	for _, r := range p.Records {
		if p.Adopted() && (r.ID != p.ID || r.Lexicon != p.Lexicon) {
			members = append(members, r.Member)
		}
	}
	return members
}

// agreed is how many of the seats have recorded the same.
func (p Prior) agreed(id, lexicon Hash, seats Seats) (n int) {
	for _, r := range p.Records {
		if r.ID == id && r.Lexicon == lexicon && seats.Of(r.Member) != 0 {
			n++
		}
	}
	return n
}

// record takes a member's word on a version: on the one that is to come, which it may
// correct until that is adopted, or, late, on the one in force. The version is adopted
// as soon as t members with a seat have recorded the same. So one that a handover
// leaves without enough of them is adopted by the new members' records.
func (x *execution) record(signer Address, p RecordPrior) error {
	member, err := x.member(signer)
	if err != nil {
		return err
	}
	if x.committee == nil || !member.Seated() {
		return refuse(CodeWrongPhase, "member %d has no share of the key: versions of the taste are recorded by those who have one", member.Index)
	}
	version, err := x.recordable(p)
	if err != nil {
		return err
	}
	mine := PriorRecord{Member: member.Index, ID: p.Prior, Lexicon: p.Lexicon, Height: x.height}
	i := slices.IndexFunc(version.Records, func(r PriorRecord) bool { return r.Member == member.Index })
	switch {
	case i < 0:
		version.Records = append(version.Records, mine)
	case version.Adopted() || version.Records[i].ID == mine.ID && version.Records[i].Lexicon == mine.Lexicon:
		return refuse(CodeDuplicate, "member %d has recorded version %d already", member.Index, p.Version)
	default:
		version.Records[i] = mine
	}
	have, need := version.agreed(p.Prior, p.Lexicon, seatsOf(x.st, x.committee.Epoch())), x.committee.T()
	x.emit(EventTasteRecorded, p.Version, p.Round, member.Index, p.Prior, p.Lexicon, have, need)
	if !version.Adopted() && have >= need {
		version.ID, version.Lexicon, version.Height = p.Prior, p.Lexicon, x.height
		save(x.st, keyPriors, p.Version+1)
		save(x.st, indexPrior(p.Prior), p.Version)
		x.emit(EventTasteAdopted, p.Version, p.Round, p.Prior, p.Lexicon)
	}
	save(x.st, keyPrior(p.Version), version)
	return nil
}

// recordable is the version that a record is about.
func (x *execution) recordable(p RecordPrior) (Prior, error) {
	next := count(x.st, keyPriors)
	switch {
	case p.Version > next:
		return Prior{}, refuse(CodeWrongPhase, "version %d of the taste is not adopted yet: record that first", next)
	case p.Version+1 < next:
		return Prior{}, refuse(CodeWrongPhase, "version %d of the taste is in force: what was before it is closed", next-1)
	}
	round, known := tasteRound(x.st, p.Version)
	switch {
	case !known:
		return Prior{}, refuse(CodeWrongPhase, "no round has been settled yet from which version %d of the taste could learn", p.Version)
	case p.Round != round:
		return Prior{}, refuse(CodeUnknown, "version %d of the taste learns from round %d, not from round %d", p.Version, round, p.Round)
	}
	if first, ok := load[Prior](x.st, keyPrior(0)); ok && p.Version > 0 && p.Lexicon != first.Lexicon {
		return Prior{}, refuse(CodeUnknown, "the network's lexicon is %v, as version 0 has it: compute version %d with that", first.Lexicon, p.Version)
	}
	if v, taken := load[uint64](x.st, indexPrior(p.Prior)); taken && v != p.Version {
		return Prior{}, refuse(CodeDuplicate, "file %v is version %d of the taste: no two are the same", p.Prior, v)
	}
	version, begun := load[Prior](x.st, keyPrior(p.Version))
	if !begun {
		version = Prior{Version: p.Version, Round: p.Round}
	}
	return version, nil
}

// tasteRound is the settled round that a version learns from: one each, in their order.
func tasteRound(r state.Reader, version uint64) (round uint64, ok bool) {
	if version == 0 {
		return 0, true
	}
	return load[uint64](r, indexSettled(version))
}

// learned counts a settled round, from which a version of the taste is to learn.
func (x *execution) learned(round Round) {
	n := count(x.st, keySettled) + 1
	save(x.st, keySettled, n)
	save(x.st, indexSettled(n), round.Number)
}

// priorInForce is the version that a request without a prompt draws from.
func priorInForce(r state.Reader) (Prior, bool) {
	n := count(r, keyPriors)
	if n == 0 {
		return Prior{}, false
	}
	return load[Prior](r, keyPrior(n-1))
}

// Prior is the version of the taste in force: what a request without a prompt draws
// from in the next block. It is false while there is none.
func (v View) Prior() (Prior, bool) { return priorInForce(v.m.store) }

// PriorAt is a version of the taste: adopted, or with the records that there are of the
// next one.
func (v View) PriorAt(version uint64) (Prior, bool) {
	return load[Prior](v.m.store, keyPrior(version))
}

// PriorNamed is the adopted version whose file has the given hash.
func (v View) PriorNamed(id Hash) (Prior, bool) {
	version, ok := load[uint64](v.m.store, indexPrior(id))
	if !ok {
		return Prior{}, false
	}
	return v.PriorAt(version)
}

// Priors are the adopted versions, newest first, at most limit of them; 0 means all.
func (v View) Priors(limit int) (priors []Prior) {
	for n := v.NextPrior(); n > 0 && (limit <= 0 || len(priors) < limit); n-- {
		priors = append(priors, must2(v.PriorAt(n-1)))
	}
	return priors
}

// NextPrior is the number of the version that is to be adopted next, which is how many
// there are.
func (v View) NextPrior() uint64 { return count(v.m.store, keyPriors) }

// PriorRound is the settled round that a version learns from, 0 for version 0; false
// when that has yet to come.
func (v View) PriorRound(version uint64) (round uint64, ok bool) {
	return tasteRound(v.m.store, version)
}
