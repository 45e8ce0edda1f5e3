package p2p

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// Token admits one member to a network that is being founded. It is a secret
// between founder and newcomer.
type Token [16]byte

// NewToken draws a token.
func NewToken(rand io.Reader) (Token, error) {
	var t Token
	if _, err := io.ReadFull(rand, t[:]); err != nil {
		return Token{}, fmt.Errorf("draw token: %w", err)
	}
	return t, nil
}

// String does not show the token.
func (Token) String() string { return "token(redacted)" }

// Format does not show the token, whatever the verb.
func (t Token) Format(f fmt.State, _ rune) { io.WriteString(f, t.String()) }

// LogValue does not show the token.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// Invitation is what a newcomer needs to join a network that is being founded.
// Encode makes it one string to copy and paste; whoever has that string can
// take the seat, so it travels like a password.
type Invitation struct {
	Network string        // see ValidateNetwork
	Charter [32]byte      // hash of the charter that the newcomer agrees to
	Founder peer.AddrInfo // an ed25519 identity and 1 to 8 addresses
	Token   Token
}

const (
	invitationPrefix  = "atelier"
	invitationVersion = 1
	maxInvitedAddrs   = 8
	maxInvitedAddr    = 63 // bytes: eight of them fit a bech32m string
)

// ErrInvitation reports a string that is not a whole, unharmed invitation.
var ErrInvitation = errors.New("not a valid invitation")

// String names network and founder, and does not show the token.
func (i Invitation) String() string {
	return fmt.Sprintf("invitation to %s by %s (token redacted)", i.Network, i.Founder.ID)
}

// LogValue does not show the token.
func (i Invitation) LogValue() slog.Value { return slog.StringValue(i.String()) }

// Encode returns the invitation as a string that starts with "atelier1". It
// fails when a field is out of the range given at Invitation. The layout under
// bech32m is: version, name length, name, charter, founder's key, token, number
// of addresses, and for each its length and bytes.
func (i Invitation) Encode() (string, error) {
	if err := ValidateNetwork(i.Network); err != nil {
		return "", fmt.Errorf("invitation: %w", err)
	}
	key, err := rawKey(i.Founder.ID)
	if err != nil {
		return "", fmt.Errorf("invitation: founder: %w", err)
	}
	if n := len(i.Founder.Addrs); n < 1 || n > maxInvitedAddrs {
		return "", fmt.Errorf("invitation: founder has %d addresses, want 1 to %d", n, maxInvitedAddrs)
	}
	data := []byte{invitationVersion, byte(len(i.Network))}
	data = append(data, i.Network...)
	data = append(data, i.Charter[:]...)
	data = append(data, key...)
	data = append(data, i.Token[:]...)
	data = append(data, byte(len(i.Founder.Addrs)))
	for _, a := range i.Founder.Addrs {
		raw := a.Bytes()
		if len(raw) == 0 || len(raw) > maxInvitedAddr {
			return "", fmt.Errorf("invitation: address %s takes %d bytes, want 1 to %d", a, len(raw), maxInvitedAddr)
		}
		data = append(data, byte(len(raw)))
		data = append(data, raw...)
	}
	return bech32mEncode(invitationPrefix, data), nil
}

// ParseInvitation reads an invitation; spaces and line breaks around and
// inside, which mail programs add, do not matter. The error is ErrInvitation
// and says what is wrong, for a single mistyped character also where.
func ParseInvitation(text string) (Invitation, error) {
	if len(text) > 4*bech32MaxChars {
		return Invitation{}, fmt.Errorf("%w: too long", ErrInvitation)
	}
	data, err := bech32mDecode(invitationPrefix, strings.Join(strings.Fields(text), ""))
	if err != nil {
		return Invitation{}, fmt.Errorf("%w: %w", ErrInvitation, err)
	}
	i, err := decodeInvitation(data)
	if err != nil {
		return Invitation{}, fmt.Errorf("%w: %w", ErrInvitation, err)
	}
	return i, nil
}

func decodeInvitation(data []byte) (i Invitation, err error) {
	r := bytes.NewReader(data)
	next := func(n int) []byte {
		out := make([]byte, n)
		if _, e := io.ReadFull(r, out); e != nil && err == nil {
			err = errors.New("it ends too early")
		}
		return out
	}
	if v := next(1)[0]; err == nil && v != invitationVersion {
		return i, fmt.Errorf("version %d, this program knows %d", v, invitationVersion)
	}
	i.Network = string(next(int(next(1)[0])))
	copy(i.Charter[:], next(len(i.Charter)))
	key := next(ed25519.PublicKeySize)
	copy(i.Token[:], next(len(i.Token)))
	count := int(next(1)[0])
	if err != nil {
		return Invitation{}, err
	}
	if err := ValidateNetwork(i.Network); err != nil {
		return Invitation{}, err
	}
	if count < 1 || count > maxInvitedAddrs {
		return Invitation{}, fmt.Errorf("%d addresses, want 1 to %d", count, maxInvitedAddrs)
	}
	public, keyErr := crypto.UnmarshalEd25519PublicKey(key)
	if keyErr != nil {
		return Invitation{}, fmt.Errorf("founder's key: %w", keyErr)
	}
	if i.Founder.ID, keyErr = peer.IDFromPublicKey(public); keyErr != nil {
		return Invitation{}, fmt.Errorf("founder's key: %w", keyErr)
	}
	for range count {
		raw := next(int(next(1)[0]))
		if err != nil {
			return Invitation{}, err
		}
		a, addrErr := ma.NewMultiaddrBytes(raw)
		if addrErr != nil {
			return Invitation{}, fmt.Errorf("founder's address: %w", addrErr)
		}
		if len(raw) > maxInvitedAddr || !bytes.Equal(a.Bytes(), raw) {
			return Invitation{}, errors.New("founder's address: too long or not canonical")
		}
		i.Founder.Addrs = append(i.Founder.Addrs, a)
	}
	if r.Len() > 0 {
		return Invitation{}, fmt.Errorf("%d bytes too many", r.Len())
	}
	return i, nil
}

// Equal reports whether two invitations are the same.
func (i Invitation) Equal(j Invitation) bool {
	return i.Network == j.Network && i.Charter == j.Charter && i.Token == j.Token && i.Founder.ID == j.Founder.ID &&
		slices.EqualFunc(i.Founder.Addrs, j.Founder.Addrs, ma.Multiaddr.Equal)
}

// rawKey returns the 32 bytes of the ed25519 key inside a peer identifier.
func rawKey(id peer.ID) ([]byte, error) {
	public, err := id.ExtractPublicKey()
	if err != nil {
		return nil, err
	}
	if public.Type() != crypto.Ed25519 {
		return nil, fmt.Errorf("want an ed25519 key, got %s", public.Type())
	}
	return public.Raw()
}
