package apitest

import (
	"bytes"
	"crypto/sha256"
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/member"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/shamir/seal"
)

// journal is what a person wrote down, as a node does in its home.
func (s *Studio) journal(p *person, e member.Entry) {
	s.writing.Lock()
	defer s.writing.Unlock()
	p.journal = append(p.journal, e)
}

// Releases is what the first member has released.
func (s *Studio) Releases(rid *curation.Hash, limit int) (last []member.Entry, err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	for _, e := range slices.Backward(s.people[0].journal) {
		if len(last) < limit && (rid == nil || e.RID == *rid) {
			last = append(last, e)
		}
	}
	return last, nil
}

// WrongShare is evidence against a member of that name: a share for a request that has
// its certificate, with a good signature and a bad proof.
func (s *Studio) WrongShare(name string, rid curation.Hash) curation.Evidence {
	s.t.Helper()
	a, share := s.Artwork(rid), bytes.Repeat([]byte{1}, seal.ReleaseSize(1))
	context := quorum.Context(curation.StatementFor(s.chain, a.Opening), quorum.Signature(a.Certificate))
	return curation.Evidence{Member: s.Member(name).Index, Share: &curation.SignedShare{RID: rid, Role: uint8(seal.Generator), Reader: a.Order[0], Share: share,
		Signature: curation.SignRelease(Key(name), context, seal.Generator, a.Order[0], share)}}
}

// Conflicting is evidence against a founder of that name: its approval of a later
// expiry of a request.
func (s *Studio) Conflicting(name string, rid curation.Hash) (e curation.Evidence) {
	s.t.Helper()
	statement := curation.StatementFor(s.chain, s.Artwork(rid).Opening)
	statement.Expiry++
	s.Read(func(v curation.View) {
		e.Member = s.Member(name).Index
		party, err := dkg.NewParty(v.SeatsAt(1).Of(e.Member), sha256.Sum256([]byte(name+" ceremony")))
		require.NoError(s.t, err)
		log, ok := v.CeremonyLogAt(1)
		require.True(s.t, ok)
		key, err := party.KeyShare(log)
		require.NoError(s.t, err)
		partial, err := quorum.SignApproval(key, statement)
		require.NoError(s.t, err)
		e.Approval = &curation.SignedStatement{Statement: statement.Bytes(), Partial: partial.Bytes()}
	})
	return e
}
