package curation

import (
	"bytes"

	"github.com/atelier-dao/atelier/curation/state"
	"github.com/atelier-dao/atelier/shamir/dkg"
)

// maxAborted is of how many aborted ceremonies the ledger remembers what their dealers
// said. Attempts follow each other Params.DKGRetryBlocks apart at least, so there is
// time for several of them to bring what contradicts one.
const maxAborted = 4

// abortedCeremony is what stays of the transcript of a ceremony that came to nothing:
// enough to judge a second message of one of its dealers, and no more.
type abortedCeremony struct {
	_       struct{} `cbor:",toarray"`
	Epoch   uint64
	Attempt uint64
	Dealers []spoken
}

// spoken are the messages of one member as a dealer, by their hashes; zero for none.
type spoken struct {
	_      struct{} `cbor:",toarray"`
	Member uint32
	Commit Hash
	Bundle Hash
}

// said is the message of a kind by its hash, zero when there was none.
func (s spoken) said(kind dkg.Kind) Hash {
	switch kind {
	case dkg.KindCommit:
		return s.Commit
	case dkg.KindBundle:
		return s.Bundle
	}
	return Hash{}
}

// saidHash names what a dealer said.
func saidHash(data []byte) Hash {
	if data == nil {
		return Hash{}
	}
	return hash("said", data)
}

// remember keeps what the dealers of the ceremony that has just been aborted said.
func (x *execution) remember(ceremony ceremonyState) {
	if len(ceremony.Guardians) > 0 {
		return // no members deal
	}
	a := abortedCeremony{Epoch: ceremony.Epoch, Attempt: ceremony.Attempt}
	for i, member := range x.dealers() {
		s := spoken{Member: member}
		s.Commit, s.Bundle = saidHash(x.log.Said(uint32(i+1), dkg.KindCommit)), saidHash(x.log.Said(uint32(i+1), dkg.KindBundle))
		if s.Commit != (Hash{}) {
			a.Dealers = append(a.Dealers, s)
		}
	}
	save(x.block, keyAbortedCeremony(a.Epoch, a.Attempt), a)
	x.forgetAborted(0)
}

// forgetAborted drops what is remembered of the ceremonies up to an epoch, and of all
// but the last maxAborted.
func (x *execution) forgetAborted(epoch uint64) {
	var keys [][]byte
	for k := range x.block.Ascend([]byte(abortedTable)) {
		keys = append(keys, bytes.Clone(k))
	}
	for i, k := range keys {
		if i < len(keys)-maxAborted || be(k[len(abortedTable):][:8]) <= epoch {
			x.block.Delete(k)
		}
	}
}

// remembers says whether a ceremony was aborted and its dealers can be judged yet.
func remembers(r state.Reader, epoch, attempt uint64) bool {
	_, ok := r.Get(keyAbortedCeremony(epoch, attempt))
	return ok
}
