package verify

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/shamirtest"
)

// handedOver lets the network hand its keys over to a committee of n, of whom the
// first stay hold shares already. Its shares certify from then on.
func (w *work) handedOver(t testing.TB, n, stay int) {
	t.Helper()
	before, err := shamir.UnmarshalCommittee(w.network.Committee)
	require.NoError(t, err)
	log, parties, err := shamirtest.OpenHandover(t.Name(), before, w.shares, n, stay)
	require.NoError(t, err)
	require.NoError(t, shamirtest.Finish(log, parties))
	committee, err := log.Committee()
	require.NoError(t, err)
	require.Equal(t, before.Y(), committee.Y())
	w.shares = nil
	for _, p := range parties[:n] {
		share, err := p.KeyShare(log)
		require.NoError(t, err)
		w.shares = append(w.shares, share)
	}
	w.network.Committee, err = committee.MarshalBinary()
	require.NoError(t, err)
}

// readBy makes the artwork anew, in the present committee's epoch, with the given
// members as its readers. The network file lists the first so many members.
func (w *work) readBy(t testing.TB, members int, readers ...uint32) {
	t.Helper()
	committee, err := shamir.UnmarshalCommittee(w.network.Committee)
	require.NoError(t, err)
	w.network.Members = nil
	for i := range uint32(members) {
		w.network.Members = append(w.network.Members, Member{Index: i + 1, Name: fmt.Sprintf("member %d", i+1), Account: curation.Address{byte(i + 1)}})
	}
	w.receipt.Readers = w.receipt.Readers[:len(readers)]
	for i, member := range readers {
		w.receipt.Readers[i].Member = member
	}
	w.receipt.CommitteeEpoch = committee.Epoch()
	w.certify(t)
	w.draw(t)
	w.register(t, w.files(t), curation.StatusPublished, w.order()[1])
}

// Members have numbers for life, committees have seats: what verifies is told by the
// numbers, and by a key that stays.
func TestArtworksOfAllCommitteesAreValid(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(t *testing.T, w *work)
	}{
		{"members beyond the founders, in the founders' committee's epoch", func(t *testing.T, w *work) { w.readBy(t, 12, 2, 5, 9, 12) }},
		{"a committee of five, of whom one joined", func(t *testing.T, w *work) {
			w.handedOver(t, 5, 4)
			w.readBy(t, 5, 1, 3, 4, 5)
		}},
		{"a committee of three, whose seats are not its members' numbers", func(t *testing.T, w *work) {
			w.handedOver(t, 3, 1)
			w.readBy(t, 9, 4, 8, 9)
		}},
		{"one that an older committee certified, whose members have all left", func(t *testing.T, w *work) {
			w.readBy(t, 4, 1, 2, 3, 4)
			w.handedOver(t, 4, 0)
			for i := range uint32(4) {
				w.network.Members = append(w.network.Members, Member{Index: i + 5, Name: "new", Account: curation.Address{byte(i + 5)}})
			}
		}},
		{"one of a committee after the one in the network file", func(t *testing.T, w *work) {
			older := w.network.Committee
			w.handedOver(t, 5, 4)
			w.readBy(t, 5, 1, 2, 3, 4)
			w.network.Committee = older
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := genuine(t)
			c.make(t, &w)
			r, err := Artwork(t.Context(), w.files(t), Options{Network: &w.network, Artist: model.Embedded()})
			require.NoError(t, err)
			require.Equal(t, Valid, r.Outcome, "%+v", r.Claims)
			for _, claim := range r.Claims {
				if claim.Name != "content" {
					require.Equal(t, Holds, claim.Status, claim.Name)
				}
			}

			// Another reader than the certified ones, or another epoch, is seen.
			for _, lie := range []func(w *work){
				func(w *work) { w.receipt.Readers[len(w.receipt.Readers)-1].Member = 99 },
				func(w *work) { w.receipt.CommitteeEpoch++ },
			} {
				lied := w
				lied.receipt.Readers = append(lied.receipt.Readers[:0:0], w.receipt.Readers...)
				lie(&lied)
				r, err := Artwork(t.Context(), lied.files(t), Options{Network: &lied.network})
				require.NoError(t, err)
				require.Equal(t, Invalid, r.Outcome)
				require.Contains(t, r.Failed, "certificate")
			}
		})
	}
}

// A file from before the generator joined is too old, and the artwork not false.
func TestANetworkFileFromBeforeAMemberJoinedIsTooOld(t *testing.T) {
	w := genuine(t)
	w.handedOver(t, 5, 4)
	w.readBy(t, 4, 5, 6, 7, 8)
	r, err := Artwork(t.Context(), w.files(t), Options{Network: &w.network})
	require.NoError(t, err)
	require.Equal(t, Unchecked, r.Outcome, "%+v", r.Claims)
	require.Equal(t, []string{"a newer network file"}, r.Missing)
	require.Equal(t, Skipped, statusOf(r, "generator"))
}
