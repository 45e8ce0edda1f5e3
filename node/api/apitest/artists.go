package apitest

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/shamir/seal"
	"github.com/atelier-dao/atelier/storage"
)

// Propose has member 1 seal another artist, and returns its key epoch.
func (s *Studio) Propose(name string) (keyEpoch uint64) {
	m, err := s.SealModel(s.t.Context(), api.SealOptions{Name: name}, func(api.SealProgress) {})
	require.NoError(s.t, err)
	return m.KeyEpoch
}

// Rotate has the member whose turn it is make the next key epoch; false while none is
// asked for.
func (s *Studio) Rotate() (keyEpoch uint64, ok bool) {
	var p curation.Rotate
	var rotator uint32
	s.Read(func(v curation.View) {
		r, due := v.Rotation()
		c, _ := v.Committee()
		if rotator, ok = r.RotatorAt(v.Params(), v.SeatsAt(c.Epoch()), v.Height()+1); !due || !ok {
			ok = false
			return
		}
		m, _ := v.Model()
		p = curation.Rotate{Base: r.Base, KeyEpoch: v.NextKeyEpoch()}
		label := curation.LayerLabel(s.chain, m.ID, p.KeyEpoch, m.PolicyHash, c.X(), m.Label, m.U)
		if r.Fresh {
			p.Base, label = 0, curation.ModelLabel(s.chain, m.ID, p.KeyEpoch, m.PolicyHash, c.X())
		}
		container := fmt.Appendf(nil, "container %d", p.KeyEpoch)
		folder, err := storage.FileCID(container)
		require.NoError(s.t, err)
		p.ContainerCID, p.ContainerHash, p.ContainerSize = folder.String(), sha256.Sum256(container), uint64(len(container))
		ct, err := seal.Encrypt(rand.Reader, c.X(), label, []byte("sixteen byte key"))
		require.NoError(s.t, err)
		p.Ciphertext = ct.Bytes()
	})
	if ok {
		s.Submit(fmt.Sprintf("Member %d", rotator), p)
	}
	return p.KeyEpoch, ok
}

// StoreNext has members tell that they have the proposed container until it is current.
func (s *Studio) StoreNext() {
	for _, p := range s.people {
		var proposed curation.Model
		var open bool
		s.Read(func(v curation.View) { proposed, open = v.Proposed() })
		if open && p.index != 0 && p.index != proposed.Sealer {
			s.take(s.Sign(p.key, curation.Stored{KeyEpoch: proposed.KeyEpoch}))
		}
	}
}
