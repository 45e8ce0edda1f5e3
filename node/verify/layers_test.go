package verify

import (
	"encoding/json"
	"testing"

	"github.com/ipfs/go-cid"
	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/storage"
)

// wrap puts a layer around the last key epoch of a network, for the given one.
func (n *Network) wrap(t testing.TB, keyEpoch uint64) {
	t.Helper()
	c, err := shamir.UnmarshalCommittee(n.Committee)
	require.NoError(t, err)
	container, err := storage.FileCID([]byte{byte(keyEpoch)})
	require.NoError(t, err)
	base := n.Models[len(n.Models)-1]
	m := base
	m.KeyEpoch, m.Base, m.U, m.ContainerCID = keyEpoch, base.KeyEpoch, curation.Hash{byte(keyEpoch), 4}, container.String()
	m.Label = curation.LayerLabel(n.Chain, m.ID, m.KeyEpoch, m.PolicyHash, c.X(), base.Label, base.U)
	n.Models = append(n.Models, m)
}

// A picture is of the key epoch under which its request was approved: it verifies before
// and after the artist was wrapped again, and of no other key epoch.
func TestPicturesOfAllKeyEpochsAreValid(t *testing.T) {
	before := genuine(t)
	after := genuine(t)
	after.network.wrap(t, 2)
	after.network.wrap(t, 5) // others came to nothing
	m := after.network.Models[2]
	after.receipt.KeyEpoch, after.receipt.Label, after.receipt.U, after.receipt.ModelCID = m.KeyEpoch, m.Label, m.U, containerLink(t, m)
	after.certify(t)
	after.draw(t)
	after.register(t, after.files(t), curation.StatusPublished, after.order()[1])
	b, err := json.Marshal(after.network)
	require.NoError(t, err)
	network, err := ParseNetwork(b)
	require.NoError(t, err)
	require.Equal(t, after.network, network)

	detail := func(w work) string {
		r, err := Artwork(t.Context(), w.files(t), Options{Network: &w.network, Artist: model.Embedded()})
		require.NoError(t, err)
		require.True(t, r.Valid, "%v", r.Failed)
		for _, c := range r.Claims {
			if c.Name == "model" {
				return c.Detail
			}
		}
		return ""
	}
	require.Contains(t, detail(after), "key epoch 5 in 3 layers")
	before.network.Models = after.network.Models
	require.Contains(t, detail(before), "key epoch 1, container")

	for name, change := range map[string]func(r *storage.Receipt){
		"the label of another key epoch":     func(r *storage.Receipt) { r.Label = after.network.Models[1].Label },
		"U of another key epoch":             func(r *storage.Receipt) { r.U = after.network.Models[1].U },
		"another key epoch":                  func(r *storage.Receipt) { r.KeyEpoch = 2 },
		"the container of another key epoch": func(r *storage.Receipt) { r.ModelCID = containerLink(t, after.network.Models[1]) },
	} {
		t.Run(name, func(t *testing.T) {
			w := after
			change(&w.receipt)
			w.certify(t) // even if the members had certified it
			w.draw(t)
			w.register(t, w.files(t), curation.StatusPublished, w.order()[1])
			r, err := Artwork(t.Context(), w.files(t), Options{Network: &w.network})
			require.NoError(t, err)
			require.False(t, r.Valid)
			require.Contains(t, r.Failed, "model")
		})
	}
}

func containerLink(t testing.TB, m Model) storage.Link {
	t.Helper()
	root, err := cid.Decode(m.ContainerCID)
	require.NoError(t, err)
	return storage.Link{Cid: root}
}
