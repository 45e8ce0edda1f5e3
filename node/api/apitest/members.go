package apitest

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/member"
)

// Apply makes the application of somebody who would be a member, and brings its
// machine, which does nothing until it is admitted.
func (s *Studio) Apply(name string) curation.Application {
	s.t.Helper()
	a, err := curation.Apply(s.chain, curation.Hash{}, name, []string{"/ip4/192.0.2.7/udp/4001/quic-v1"}, Key(name), Key(name+" validator"))
	require.NoError(s.t, err)
	if !slices.ContainsFunc(s.people, func(p *person) bool { return p.key.Equal(Key(name)) }) {
		secrets := member.Secrets{Prekeys: sha256.Sum256([]byte(name + " prekeys")), Identity: Key(name)}
		s.votes(name)
		s.people = append(s.people, &person{key: Key(name), machine: member.New(s.chain, secrets, nil, rand.Reader)})
	}
	return a
}

// Admit has the members with a share that have not voted for somebody yet do so, until
// it is admitted, and returns its number.
func (s *Studio) Admit(name string) (number uint32) {
	s.t.Helper()
	a := s.Apply(name)
	for _, p := range s.people {
		if m := s.Member(name); m.Standing == curation.StandingJoining {
			return m.Index
		}
		may := false
		s.learn(p)
		s.Read(func(v curation.View) {
			m, _ := v.Member(p.index)
			may = m.Seated() && !slices.ContainsFunc(v.Motions(), func(m curation.Motion) bool {
				return m.Application != nil && m.Application.Account == a.Account && slices.Contains(m.Votes, p.index)
			})
		})
		if may {
			s.take(s.Sign(p.key, curation.Admit{Application: a}))
		}
	}
	require.FailNow(s.t, "all members together did not admit "+name)
	return 0
}

// Mute keeps back what somebody who has applied would send, until it is called with nil.
func (s *Studio) Mute(name string, what func(curation.Payload) bool) {
	i := slices.IndexFunc(s.people, func(p *person) bool { return p.key.Equal(Key(name)) })
	require.GreaterOrEqual(s.t, i, 0, "%s has not applied", name)
	s.people[i].mute = what
}

// Member is what the ledger holds of the member whose account has that name; the zero
// Member as long as it was never admitted.
func (s *Studio) Member(name string) (m curation.Member) {
	s.t.Helper()
	s.Read(func(v curation.View) { m, _ = v.MemberOf(Address(name)) })
	return m
}

// Stands lets the members work until the named one has that standing.
func (s *Studio) Stands(name string, standing curation.Standing) curation.Member {
	s.t.Helper()
	s.Run(name+" "+string(standing), func(v curation.View) bool {
		m, _ := v.MemberOf(Address(name))
		return m.Standing == standing
	})
	return s.Member(name)
}

// learn looks up the number of somebody who may have been admitted meanwhile.
func (s *Studio) learn(p *person) {
	if p.index == 0 {
		s.Read(func(v curation.View) {
			m, _ := v.MemberOf(curation.AddressOf(p.key.Public().(ed25519.PublicKey)))
			p.index = m.Index
		})
	}
}

// person is the member with that number.
func (s *Studio) person(number uint32) *person {
	return s.people[slices.IndexFunc(s.people, func(p *person) bool { return p.index == number })]
}
