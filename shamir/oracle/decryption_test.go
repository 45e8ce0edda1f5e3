//go:build unix

package oracle

import (
	"encoding/json"
	"testing"

	"github.com/atelier-dao/atelier/shamir/seal"
	"github.com/smartcontractkit/tdh2/go/tdh2/tdh2"
	"github.com/stretchr/testify/require"
	random3 "go.dedis.ch/kyber/v3/util/random"
)

// opener is a labelled threshold decryption: ours and Chainlink's, which are the same
// scheme over different groups.
type opener struct {
	labelHolds  func(label [32]byte) bool // with this label on the ciphertext, its proof holds
	shareHolds  func(i int) bool
	swapHolds   func() bool // member 0's share, shown as member 1's, holds
	combine     func(members []int) ([]byte, error)
	differently func() bool // a second sealing of the same plaintext is another ciphertext
}

// TestLabelledDecryptionTellsTheSameStory plays one story on both.
func TestLabelledDecryptionTellsTheSameStory(t *testing.T) {
	for name, o := range map[string]opener{"ours": ourOpener(t), "tdh2": chainlinkOpener(t)} {
		t.Run(name, func(t *testing.T) {
			require.True(t, o.labelHolds(h("label")))
			require.False(t, o.labelHolds(h("another label")), "a ciphertext stands for one label")
			require.True(t, o.differently())
			for i := range 5 {
				require.True(t, o.shareHolds(i))
			}
			require.False(t, o.swapHolds(), "a share proves whose it is")
			for _, members := range [][]int{{0, 1, 2, 3}, {4, 2, 0, 3}, {1, 2, 3, 4}} {
				plain, err := o.combine(members)
				require.NoError(t, err)
				require.Equal(t, fileKey, plain, "any four of five open the same")
			}
			_, err := o.combine([]int{0, 1, 2})
			require.Error(t, err, "three of five open nothing")
		})
	}
}

func ourOpener(t *testing.T) opener {
	w, err := newWorld(5)
	require.NoError(t, err)
	require.Equal(t, 4, w.committee.T())
	share := func(i int) []byte {
		b, err := w.release(w.shares[i])
		require.NoError(t, err)
		return b
	}
	verify := func(b []byte) bool {
		_, err := seal.VerifyRelease(w.committee, seal.NewLayers(h("label"), w.ct), w.cert, w.reader, b)
		return err == nil
	}
	return opener{
		labelHolds: func(label [32]byte) bool { return w.ct.Verify(w.committee.X(), label) == nil },
		shareHolds: func(i int) bool { return verify(share(i)) },
		swapHolds: func() bool {
			b := share(0)
			b[1] = 2 // the index, big endian
			return verify(b)
		},
		combine: func(members []int) ([]byte, error) {
			var shares [][]byte
			for _, i := range members {
				shares = append(shares, share(i))
			}
			plain, _, err := seal.CombineRelease(w.secret, w.committee, seal.NewLayers(h("label"), w.ct), w.cert, w.reader, shares)
			if err != nil {
				return nil, err
			}
			return plain[0], nil
		},
		differently: func() bool {
			again, err := seal.Encrypt(seeded("again"), w.committee.X(), h("label"), fileKey)
			return err == nil && again.Digest() != w.ct.Digest()
		},
	}
}

func chainlinkOpener(t *testing.T) opener {
	c, err := newChainlink(5, 4)
	require.NoError(t, err)
	share := func(i int) *tdh2.DecryptionShare {
		s, err := c.share(i)
		require.NoError(t, err)
		return s
	}
	return opener{
		labelHolds: func(label [32]byte) bool {
			raw, err := c.ct.Marshal()
			require.NoError(t, err)
			var changed tdh2.Ciphertext
			require.NoError(t, changed.Unmarshal(withField(t, raw, "Label", label[:])))
			require.Equal(t, label, changed.Label())
			return changed.Verify(c.public) == nil
		},
		shareHolds: func(i int) bool { return tdh2.VerifyShare(c.public, c.ct, share(i)) == nil },
		swapHolds: func() bool {
			raw, err := share(0).Marshal()
			require.NoError(t, err)
			var swapped tdh2.DecryptionShare
			require.NoError(t, swapped.Unmarshal(withField(t, raw, "Index", 1)))
			require.Equal(t, 1, swapped.Index())
			return tdh2.VerifyShare(c.public, c.ct, &swapped) == nil
		},
		combine: func(members []int) ([]byte, error) {
			var shares []*tdh2.DecryptionShare
			for _, i := range members {
				shares = append(shares, share(i))
			}
			return c.combine(shares)
		},
		differently: func() bool {
			label := h("label")
			again, err := tdh2.Encrypt(c.public, fileKey, label[:], random3.New(seeded("again")))
			return err == nil && !again.Equal(c.ct)
		},
	}
}

// withField is the JSON object with one field changed.
func withField(t *testing.T, raw []byte, name string, value any) []byte {
	t.Helper()
	var fields map[string]any
	require.NoError(t, json.Unmarshal(raw, &fields))
	require.Contains(t, fields, name)
	fields[name] = value
	out, err := json.Marshal(fields)
	require.NoError(t, err)
	return out
}
