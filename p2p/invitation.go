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

// Token lets one newcomer in. It is a secret between the one who invites and the
// newcomer.
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

// Invitation is what a newcomer needs to join a network. Encode makes it one
// string to copy and paste; whoever has that string can use it, so it travels like
// a password.
type Invitation struct {
	Kind    InvitationKind
	Network string        // see ValidateNetwork
	Hash    [32]byte      // what the newcomer agrees to: the charter, or the genesis document of a network that runs
	Inviter peer.AddrInfo // an ed25519 identity and 1 to 8 addresses
	Token   Token
}

// InvitationKind says what an invitation is to.
type InvitationKind byte

const (
	ToFound InvitationKind = iota // to a seat in a network that its inviter founds
	ToJoin                        // to apply to a network that runs, through one of its members
	invitationKinds
)

// The version of an encoded invitation is one more than its kind.
const (
	invitationPrefix = "atelier"
	maxInvitedAddrs  = 8
	maxInvitedAddr   = 63 // bytes: eight of them fit a bech32m string
)

// ErrInvitation reports a string that is not a whole, unharmed invitation.
var ErrInvitation = errors.New("not a valid invitation")

// String names network and inviter, and does not show the token.
func (i Invitation) String() string {
	return fmt.Sprintf("invitation to %s by %s (token redacted)", i.Network, i.Inviter.ID)
}

// LogValue does not show the token.
func (i Invitation) LogValue() slog.Value { return slog.StringValue(i.String()) }

// Encode returns the invitation as a string that starts with "atelier1". It
// fails when a field is out of the range given at Invitation. The layout under
// bech32m is: version, name length, name, hash, inviter's key, token, number of
// addresses, and for each its length and bytes.
func (i Invitation) Encode() (string, error) {
	if i.Kind >= invitationKinds {
		return "", fmt.Errorf("invitation: kind %d, want less than %d", i.Kind, invitationKinds)
	}
	if err := ValidateNetwork(i.Network); err != nil {
		return "", fmt.Errorf("invitation: %w", err)
	}
	key, err := rawKey(i.Inviter.ID)
	if err != nil {
		return "", fmt.Errorf("invitation: inviter: %w", err)
	}
	if n := len(i.Inviter.Addrs); n < 1 || n > maxInvitedAddrs {
		return "", fmt.Errorf("invitation: inviter has %d addresses, want 1 to %d", n, maxInvitedAddrs)
	}
	data := []byte{byte(i.Kind) + 1, byte(len(i.Network))}
	data = append(data, i.Network...)
	data = append(data, i.Hash[:]...)
	data = append(data, key...)
	data = append(data, i.Token[:]...)
	data = append(data, byte(len(i.Inviter.Addrs)))
	for _, a := range i.Inviter.Addrs {
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
	version := next(1)[0]
	if err == nil && (version < 1 || version > byte(invitationKinds)) {
		return i, fmt.Errorf("version %d, this program knows 1 to %d", version, invitationKinds)
	}
	i.Kind = InvitationKind(version - 1)
	i.Network = string(next(int(next(1)[0])))
	copy(i.Hash[:], next(len(i.Hash)))
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
		return Invitation{}, fmt.Errorf("inviter's key: %w", keyErr)
	}
	if i.Inviter.ID, keyErr = peer.IDFromPublicKey(public); keyErr != nil {
		return Invitation{}, fmt.Errorf("inviter's key: %w", keyErr)
	}
	for range count {
		raw := next(int(next(1)[0]))
		if err != nil {
			return Invitation{}, err
		}
		a, addrErr := ma.NewMultiaddrBytes(raw)
		if addrErr != nil {
			return Invitation{}, fmt.Errorf("inviter's address: %w", addrErr)
		}
		if len(raw) > maxInvitedAddr || !bytes.Equal(a.Bytes(), raw) {
			return Invitation{}, errors.New("inviter's address: too long or not canonical")
		}
		i.Inviter.Addrs = append(i.Inviter.Addrs, a)
	}
	if r.Len() > 0 {
		return Invitation{}, fmt.Errorf("%d bytes too many", r.Len())
	}
	return i, nil
}

// Equal reports whether two invitations are the same.
func (i Invitation) Equal(j Invitation) bool {
	return i.Kind == j.Kind && i.Network == j.Network && i.Hash == j.Hash && i.Token == j.Token && i.Inviter.ID == j.Inviter.ID &&
		slices.EqualFunc(i.Inviter.Addrs, j.Inviter.Addrs, ma.Multiaddr.Equal)
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
