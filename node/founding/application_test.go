package founding

import (
	"crypto/ed25519"
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
)

func keyOf(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func testChain(t testing.TB) curation.Hash {
	genesis, err := testDocument(t).Genesis()
	require.NoError(t, err)
	return curation.GenesisHash(genesis)
}

func testApplication(t testing.TB, name string, addrs ...string) curation.Application {
	if addrs == nil {
		addrs = []string{"/ip4/192.0.2.5/udp/4001/quic-v1"}
	}
	a, err := curation.Apply(testChain(t), curation.Hash{}, name, addrs, keyOf(name), keyOf(name+"'s validator"))
	require.NoError(t, err)
	return a
}

func TestAnApplicationTravelsAsItWasSigned(t *testing.T) {
	chain := testChain(t)
	a := testApplication(t, "Eve")
	good := EncodeApplication(a)
	got, err := DecodeApplication(good, chain)
	require.NoError(t, err)
	require.Equal(t, a, got)
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"another name":              {[]byte(strings.Replace(string(good), "Eve", "Eva", 1)), "signature"},
		"a field that nobody knows": {[]byte(strings.Replace(string(good), "{", `{"x":1,`, 1)), "unknown field"},
		"something behind":          {append(good[:len(good):len(good)], '1'), "something follows its end"},
		"half a signature":          {[]byte(strings.Replace(string(good), `"validator_signature":"`, `"validator_signature":"ff`, 1)), "128 hex digits"},
		"no JSON":                   {[]byte("x"), "invalid character"},
		"an address that is none":   {EncodeApplication(testApplication(t, "Eve", "harbour street 7")), "harbour street 7"},
	} {
		_, err := DecodeApplication(c.b, chain)
		require.ErrorIs(t, err, ErrApplication, name)
		require.ErrorContains(t, err, c.want, name)
	}
	_, err = DecodeApplication(good, curation.Hash{1})
	require.ErrorContains(t, err, "not good for this network")
}

func TestAWelcomeIsToTheNetworkOfTheInvitation(t *testing.T) {
	d := testDocument(t)
	k := Known{Height: 9, Members: []Reach{{Account: d.Members[0].Account, Addresses: []string{"/dns4/ada.example/tcp/1"}}}}
	b, err := Welcome{Document: d, Known: k}.Encode()
	require.NoError(t, err)
	w, err := DecodeWelcome(b, testChain(t))
	require.NoError(t, err)
	require.Equal(t, k, w.Known)
	require.Equal(t, d.Members, w.Document.Members)
	_, err = DecodeWelcome(b, curation.Hash{1})
	require.ErrorContains(t, err, "not that of the invitation")

	for name, change := range map[string]func(*Known){
		"more addresses than one has": func(k *Known) { k.Members[0].Addresses = make([]string, curation.MaxAddresses+1) },
		"more members than can be":    func(k *Known) { k.Members = make([]Reach, 2*curation.MaxMembers+1) },
	} {
		k := Known{Members: []Reach{{Account: d.Members[0].Account, Addresses: []string{"/dns4/ada.example/tcp/1"}}}}
		change(&k)
		b, err := Welcome{Document: d, Known: k}.Encode()
		require.NoError(t, err)
		_, err = DecodeWelcome(b, testChain(t))
		require.ErrorIs(t, err, ErrApplication, name)
	}
}

// The ledger takes addresses as they were signed, so a member may have some that are none.
func TestAMemberWithABadAddressKeepsNobodyOut(t *testing.T) {
	d := testDocument(t)
	k := Known{Height: 9, Members: []Reach{
		{Account: d.Members[0].Account, Addresses: []string{"/dns4/ada.example/tcp/1"}},
		{Account: d.Members[1].Account, Addresses: []string{"nowhere", "/ip4/192.0.2.7/tcp/1"}},
	}}
	b, err := Welcome{Document: d, Known: k}.Encode()
	require.NoError(t, err)
	w, err := DecodeWelcome(b, testChain(t))
	require.NoError(t, err)
	require.Equal(t, k, w.Known)
	info, err := w.Known.Members[1].Info()
	require.NoError(t, err)
	require.Len(t, info.Addrs, 1)
}

// FuzzApplication feeds what a newcomer might send, and what a home might hold.
func FuzzApplication(f *testing.F) {
	chain := testChain(f)
	a := EncodeApplication(testApplication(f, "Eve"))
	f.Add(a)
	f.Add([]byte(`{"token":"00","until":"2026-01-01T00:00:00Z","application":` + string(a) + `}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, err := DecodeApplication(b, chain); err == nil {
			again, err := DecodeApplication(EncodeApplication(a), chain)
			require.NoError(t, err)
			require.Equal(t, a, again)
		}
		if o, err := decodeOutstanding(b, chain); err == nil && o.Applicant != nil {
			require.NoError(t, o.Applicant.Verify(chain))
		}
	})
}

// FuzzWelcome feeds what an inviter might answer.
func FuzzWelcome(f *testing.F) {
	d := testDocument(f)
	b, err := Welcome{Document: d, Known: Known{Height: 9, Members: []Reach{{Account: d.Members[0].Account, Addresses: []string{"/ip4/127.0.0.1/tcp/1"}}}}}.Encode()
	require.NoError(f, err)
	f.Add(b)
	f.Add([]byte(`{"document":{},"known":{}}`))
	chain := testChain(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		w, err := DecodeWelcome(b, chain)
		if err != nil {
			return
		}
		for _, m := range w.Known.Members {
			_, err := m.Info()
			require.NoError(t, err)
		}
	})
}
