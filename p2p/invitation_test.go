package p2p

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/stretchr/testify/require"
)

func testInvitation(t testing.TB) Invitation {
	t.Helper()
	i := Invitation{
		Network: "harbour-7",
		Inviter: peer.AddrInfo{ID: testID(t, 1), Addrs: []ma.Multiaddr{
			ma.StringCast("/ip4/192.0.2.7/tcp/4001"), ma.StringCast("/ip4/192.0.2.7/udp/4001/quic-v1"), ma.StringCast("/dns4/gallery.example/tcp/4001"),
		}},
	}
	for n := range i.Hash {
		i.Hash[n] = byte(n)
	}
	for n := range i.Token {
		i.Token[n] = byte(200 + n)
	}
	return i
}

// goldenInvitation freezes the format: invitations outlive programs.
const goldenInvitation = "atelier1qyyksctjvfhh2u3dxuqqzqsrqszsvpcgpy9qkrqdpc83qygjzv2p29shrqv35xcur50plvts8l3ul4xmyng009rxsadcejpuq0g9laxfsfauznzy7l0nxg5reryu4j7veh8vl5x36tfaf4wk6upsspxqqqpqwps05y9sfsqqqgrezqs058xsx9pkpankzmrvv4e8jtn90psk6urvv5rqlggj24ggr"

func TestAnInvitationIsOneStringThatStaysReadable(t *testing.T) {
	i := testInvitation(t)
	text, err := i.Encode()
	require.NoError(t, err)
	require.Equal(t, goldenInvitation, text)
	for name, form := range map[string]string{
		"as written":           text,
		"in capitals":          strings.ToUpper(text),
		"wrapped by a mailer":  "  " + text[:60] + "\r\n   " + text[60:120] + "\n" + text[120:] + "\n",
		"with space at an end": text + " ",
	} {
		got, err := ParseInvitation(form)
		require.NoError(t, err, name)
		require.True(t, i.Equal(got), name)
	}
}

func TestAnInvitationToANetworkThatRunsIsAnotherOne(t *testing.T) {
	i := testInvitation(t)
	i.Kind = ToJoin
	text, err := i.Encode()
	require.NoError(t, err)
	got, err := ParseInvitation(text)
	require.NoError(t, err)
	require.True(t, i.Equal(got))
	require.False(t, got.Equal(testInvitation(t)))
	require.NotContains(t, got.String(), text)
}

func TestEveryMistypedCharacterIsFoundAndNamed(t *testing.T) {
	text, err := testInvitation(t).Encode()
	require.NoError(t, err)
	for at := len("atelier1"); at < len(text); at++ {
		for _, c := range bech32Alphabet {
			if byte(c) == text[at] {
				continue
			}
			_, err := ParseInvitation(text[:at] + string(c) + text[at+1:])
			require.ErrorIs(t, err, ErrInvitation)
			require.ErrorIs(t, err, errChecksum)
			require.ErrorContains(t, err, fmt.Sprintf("look at character %d, %q", at+1, c))
		}
	}
}

func TestDamagedInvitationsAreRefusedWithAReason(t *testing.T) {
	text, err := testInvitation(t).Encode()
	require.NoError(t, err)
	swapped := []byte(text)
	swapped[30], swapped[31] = swapped[31], swapped[30]
	for name, c := range map[string]struct{ text, want string }{
		"nothing":                  {"", "does not start with atelier1"},
		"something else":           {"https://example.org", "does not start with atelier1"},
		"the prefix alone":         {"atelier1", "the end is missing"},
		"cut off":                  {text[:len(text)-20], "mistyped or missing"},
		"two characters swapped":   {string(swapped), "checksum"},
		"mixed case":               {text[:20] + strings.ToUpper(text[20:]), "mixed"},
		"an impossible character":  {text[:20] + "b" + text[21:], "character 21, 'b', cannot occur"},
		"a character doubled":      {text[:20] + text[19:], "checksum"},
		"much too long":            {strings.Repeat("a", 1<<20), "too long"},
		"longer than the code can": {"atelier1" + strings.Repeat("q", bech32MaxChars), "characters"},
	} {
		_, err := ParseInvitation(c.text)
		require.ErrorIs(t, err, ErrInvitation, name)
		require.ErrorContains(t, err, c.want, name)
	}
}

// TestWellSummedNonsenseIsRefused covers what only a program can get wrong.
func TestWellSummedNonsenseIsRefused(t *testing.T) {
	text, err := testInvitation(t).Encode()
	require.NoError(t, err)
	good, err := bech32mDecode(invitationPrefix, text)
	require.NoError(t, err)
	changed := func(f func(b []byte) []byte) []byte { return f(append([]byte(nil), good...)) }
	count := 2 + len("harbour-7") + 32 + 32 + 16
	for want, data := range map[string][]byte{
		"version 3":        changed(func(b []byte) []byte { b[0] = 3; return b }),
		"version 0":        changed(func(b []byte) []byte { b[0] = 0; return b }),
		"network name":     changed(func(b []byte) []byte { b[2] = 'H'; return b }),
		"ends too early":   good[:len(good)-1],
		"1 bytes too many": append(append([]byte(nil), good...), 0),
		"0 addresses":      changed(func(b []byte) []byte { b[count] = 0; return b[:count+1] }),
		"9 addresses":      changed(func(b []byte) []byte { b[count] = 9; return b }),
		"inviter's addres": changed(func(b []byte) []byte { b[count+2] = 255; return b }),
	} {
		_, err := ParseInvitation(bech32mEncode(invitationPrefix, data))
		require.ErrorIs(t, err, ErrInvitation, want)
		require.ErrorContains(t, err, want)
	}
	_, err = ParseInvitation(bech32mEncode(invitationPrefix, nil))
	require.ErrorContains(t, err, "ends too early")
}

func TestOnlySoundInvitationsAreWritten(t *testing.T) {
	rsa, _, err := crypto.GenerateKeyPair(crypto.Secp256k1, 0)
	require.NoError(t, err)
	otherKey, err := peer.IDFromPrivateKey(rsa)
	require.NoError(t, err)
	for want, change := range map[string]func(*Invitation){
		"network name": func(i *Invitation) { i.Network = "" },
		"0 addresses":  func(i *Invitation) { i.Inviter.Addrs = nil },
		"9 addresses": func(i *Invitation) {
			for len(i.Inviter.Addrs) < 9 {
				i.Inviter.Addrs = append(i.Inviter.Addrs, i.Inviter.Addrs[0])
			}
		},
		"bytes, want 1 to 63": func(i *Invitation) {
			i.Inviter.Addrs = []ma.Multiaddr{ma.StringCast("/dns4/" + strings.Repeat("a", 64) + "/tcp/1")}
		},
		"want an ed25519 key": func(i *Invitation) { i.Inviter.ID = otherKey },
		"inviter":             func(i *Invitation) { i.Inviter.ID = "" },
		"kind 2":              func(i *Invitation) { i.Kind = invitationKinds },
	} {
		i := testInvitation(t)
		change(&i)
		_, err := i.Encode()
		require.ErrorContains(t, err, want)
	}
}

func TestTheLargestInvitationFits(t *testing.T) {
	i := testInvitation(t)
	i.Network = strings.Repeat("n", 32)
	i.Inviter.Addrs = nil
	for len(i.Inviter.Addrs) < maxInvitedAddrs {
		a := ma.StringCast("/dns4/" + strings.Repeat(string(rune('a'+len(i.Inviter.Addrs))), 58) + "/tcp/1")
		require.Len(t, a.Bytes(), maxInvitedAddr)
		i.Inviter.Addrs = append(i.Inviter.Addrs, a)
	}
	text, err := i.Encode()
	require.NoError(t, err)
	got, err := ParseInvitation(text)
	require.NoError(t, err)
	require.True(t, i.Equal(got))
}

func TestPrintingAnInvitationDoesNotShowItsToken(t *testing.T) {
	i := testInvitation(t)
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("invited", "invitation", i, "token", i.Token)
	secret := fmt.Sprintf("%x", [16]byte(i.Token))
	for _, text := range []string{fmt.Sprint(i), fmt.Sprintf("%+v %#v", i, i.Token), fmt.Sprintf("%x %d %s %v", i.Token, i.Token, i.Token, i.Token), log.String()} {
		require.NotContains(t, text, secret)
		require.NotContains(t, text, "200 201")
		require.Contains(t, text, "redacted")
	}
}

func TestTokensAreDrawnFromTheGivenSource(t *testing.T) {
	a, err := NewToken(strings.NewReader("0123456789abcdefg"))
	require.NoError(t, err)
	require.Equal(t, Token([]byte("0123456789abcdef")), a)
	_, err = NewToken(strings.NewReader("short"))
	require.ErrorContains(t, err, "draw token")
}

// Vectors of BIP-350, test vectors for Bech32m, as far as they have a prefix and
// carry whole bytes.
func TestBech32mAgainstBIP350(t *testing.T) {
	for text, prefix := range map[string]string{
		"A1LQFN3A": "a",
		"a1lqfn3a": "a",
		"an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6": "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber1",
		"?1v759aa": "?",
	} {
		data, err := bech32mDecode(prefix, text)
		require.NoError(t, err, text)
		require.Empty(t, data)
		require.Equal(t, strings.ToLower(text), bech32mEncode(prefix, nil))
	}
	// abcdef1… carries 31, 30, … 0: its 160 bits are 20 bytes.
	const abc = "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx"
	data, err := bech32mDecode("abcdef", abc)
	require.NoError(t, err)
	require.Len(t, data, 20)
	require.Equal(t, abc, bech32mEncode("abcdef", data))
	// Sixteen zeros of 5 bits are ten bytes; the checksum of plain Bech32 fails.
	for _, bad := range []string{"a12uel5l", "y1b0jsk6g", "lt1igcx5c0", "in1muywd", "mm1crxm3i", "au1s5cgom", "M1VUXWEZ"} {
		at := strings.LastIndexByte(strings.ToLower(bad), '1')
		_, err := bech32mDecode(strings.ToLower(bad[:at]), bad)
		require.Error(t, err, bad)
	}
}

func TestThreeWrongCharactersAreAlwaysFound(t *testing.T) {
	text, err := testInvitation(t).Encode()
	require.NoError(t, err)
	random := rand.New(rand.NewPCG(1, 1))
	for range 3000 {
		damaged := []byte(text)
		for range 1 + random.IntN(3) {
			damaged[len("atelier1")+random.IntN(len(text)-len("atelier1"))] = bech32Alphabet[random.IntN(32)]
		}
		_, err := ParseInvitation(string(damaged))
		require.Equal(t, string(damaged) == text, err == nil, "%s", damaged)
	}
}

func FuzzInvitation(f *testing.F) {
	i := testInvitation(f)
	text, err := i.Encode()
	require.NoError(f, err)
	good, err := bech32mDecode(invitationPrefix, text)
	require.NoError(f, err)
	f.Add(text, []byte{})
	f.Add("atelier1", good)
	f.Add(strings.ToUpper(text), good[:40])
	i.Kind = ToJoin
	text, err = i.Encode()
	require.NoError(f, err)
	f.Add(text, []byte{2})
	f.Fuzz(func(t *testing.T, text string, data []byte) {
		for _, text := range []string{text, bech32mEncode(invitationPrefix, data)} {
			i, err := ParseInvitation(text)
			if err != nil {
				require.ErrorIs(t, err, ErrInvitation)
				continue
			}
			again, err := i.Encode()
			require.NoError(t, err)
			require.Equal(t, strings.ToLower(strings.Join(strings.Fields(text), "")), again, "one invitation, one string")
		}
	})
}
