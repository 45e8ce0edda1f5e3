package shamir

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/atelier-dao/atelier/shamir/internal/access"
	"github.com/atelier-dao/atelier/shamir/internal/wire"
	"go.dedis.ch/kyber/v3"
)

// ErrForeignShare reports a key share that does not belong to a committee.
var ErrForeignShare = errors.New("key share does not belong to this committee")

// KeyShare is one member's secret side of a committee: its shares of the secrets
// behind X and Y. It redacts itself when printed, logged or turned into JSON.
// Only packages seal and quorum can use the secrets; the key store sees them as
// bytes, which it must encrypt.
type KeyShare struct {
	index uint32
	epoch uint64
	x, y  kyber.Scalar
}

// NewKeyShare joins the two secret values of the member. It refuses zeros.
func NewKeyShare(index uint32, epoch uint64, x, y kyber.Scalar) (*KeyShare, error) {
	if index < 1 || index > MaxMembers {
		return nil, fmt.Errorf("key share of member %d: %w", index, ErrSize)
	}
	if x.Equal(Ristretto255.Scalar().Zero()) || y.Equal(G2.Scalar().Zero()) {
		return nil, fmt.Errorf("key share of member %d: %w", index, ErrIdentity)
	}
	return &KeyShare{index, epoch, x.Clone(), y.Clone()}, nil
}

// Index is the member's, from 1.
func (k *KeyShare) Index() uint32 { return k.index }

// Epoch is the committee's.
func (k *KeyShare) Epoch() uint64 { return k.epoch }

// Secrets hands the scalars to packages that can name a Token.
func (k *KeyShare) Secrets(access.Token) (x, y kyber.Scalar) { return k.x, k.y }

// VerifyAgainst checks that the committee of the same epoch lists this share for
// its index. Its error wraps ErrForeignShare.
func (k *KeyShare) VerifyAgainst(c *Committee) error {
	if k.epoch != c.epoch {
		return fmt.Errorf("share of epoch %d, committee of epoch %d: %w", k.epoch, c.epoch, ErrForeignShare)
	}
	if err := c.has(k.index); err != nil {
		return fmt.Errorf("%w: %w", err, ErrForeignShare)
	}
	if !Ristretto255.Point().Mul(k.x, nil).Equal(c.xShares[k.index-1]) || !G2.Point().Mul(k.y, nil).Equal(c.yShares[k.index-1]) {
		return fmt.Errorf("share of member %d: %w", k.index, ErrForeignShare)
	}
	return nil
}

const keyShareVersion = 1

// KeyShareSize is the length of an encoded key share in bytes.
const KeyShareSize = 1 + 8 + 4 + 32 + 32

// MarshalBinary returns the secrets in clear, for an encrypted key store only.
func (k *KeyShare) MarshalBinary() ([]byte, error) {
	w := wire.NewWriter(KeyShareSize)
	w.U8(keyShareVersion)
	w.U64(k.epoch)
	w.U32(k.index)
	w.Raw(Encode(k.x))
	w.Raw(Encode(k.y))
	return w.Bytes(), nil
}

// UnmarshalKeyShare reads MarshalBinary's form.
func UnmarshalKeyShare(b []byte) (*KeyShare, error) {
	if len(b) != KeyShareSize || b[0] != keyShareVersion {
		return nil, fmt.Errorf("key share of %d bytes: %w", len(b), ErrEncoding)
	}
	r := wire.NewReader(b[1:])
	epoch, index := r.U64(), r.U32()
	x, err := DecodeScalar(Ristretto255, r.Raw(32))
	if err != nil {
		return nil, fmt.Errorf("key share: %w", err)
	}
	y, err := DecodeScalar(G2, r.Raw(32))
	if err != nil {
		return nil, fmt.Errorf("key share: %w", err)
	}
	return NewKeyShare(index, epoch, x, y)
}

func (k *KeyShare) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "key share(member %d, epoch %d, redacted)", k.index, k.epoch)
}

func (k *KeyShare) LogValue() slog.Value {
	return slog.GroupValue(slog.Any("index", k.index), slog.Uint64("epoch", k.epoch))
}

func (k *KeyShare) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]uint64{"index": uint64(k.index), "epoch": k.epoch})
}
