package verify

import (
	"bytes"
	"crypto/sha256"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/shamir/shamirtest"
	"github.com/atelier-dao/atelier/storage"
)

// work is a genuine artwork with all that it takes to make and judge it.
type work struct {
	shares  []*shamir.KeyShare
	network Network
	receipt storage.Receipt
	steps   curation.Artwork // what the ledger recorded of it
	picture *model.Picture
	prior   curation.Hash // the version of the taste in force for the request, if it has no prompt
}

const (
	title  = "Harbour"
	artist = "gull"
	side   = 40
)

// genuine makes a network of four and one artwork of it, by the genesis artist.
func genuine(t testing.TB) work {
	t.Helper()
	held, err := ceremony()
	require.NoError(t, err)
	committee, shares := held.Committee, held.shares
	encoded, err := committee.MarshalBinary()
	require.NoError(t, err)
	container, err := storage.FileCID([]byte("a sealed model"))
	require.NoError(t, err)
	id, policy := curation.ModelID(model.Embedded().ID()), curation.Hash{8}
	label := curation.ModelLabel(curation.Hash{7}, id, 1, policy, committee.X())
	body := curation.Body{ValidUntil: 99, Payload: curation.Request{Prompt: "red heart", ModelID: id}}.Bytes()
	w := work{shares: shares, network: Network{
		Name: title, Chain: curation.Hash{7}, Committee: encoded,
		Models:   []Model{{ID: id, Name: artist, KeyEpoch: 1, PolicyHash: policy, Label: label, U: curation.Hash{4}, ContainerCID: container.String()}},
		Artworks: map[curation.Hash]Record{},
	}}
	w.receipt = storage.Receipt{
		Version: storage.ReceiptVersion, Chain: w.network.Chain, RequestID: curation.RequestID(sha256.Sum256(body), 40, position), RequestHeight: 40, ExpiryHeight: 140,
		Collector: curation.Address{5}, Prompt: "red heart", Body: body, Model: id, ModelCID: storage.Link{Cid: container},
		KeyEpoch: 1, CommitteeEpoch: 1, Label: label, U: curation.Hash{4}, Kernel: kernel.Contract, Width: side, Height: side,
	}
	for i := range uint32(4) {
		w.network.Members = append(w.network.Members, Member{Index: i + 1, Name: string(rune('a' + i)), Account: curation.Address{byte(i + 1)}})
		key, err := shamir.HashPoint("test reader", []byte{byte(i)}).MarshalBinary()
		require.NoError(t, err)
		w.receipt.Readers = append(w.receipt.Readers, storage.Reader{Member: i + 1, Key: [32]byte(key)})
	}
	w.certify(t)
	w.draw(t)
	w.register(t, w.files(t), curation.StatusPublished, w.order()[1])
	return w
}

var ceremony = sync.OnceValues(func() (c struct {
	*shamir.Committee
	shares []*shamir.KeyShare
}, err error) {
	c.Committee, c.shares, err = shamirtest.Run("verify", 1, 4)
	return c, err
})

// certify lets the members approve what the receipt asks for.
func (w *work) certify(t testing.TB) {
	t.Helper()
	committee, err := shamir.UnmarshalCommittee(w.network.Committee)
	require.NoError(t, err)
	var approvals, seeds []quorum.Partial
	for _, k := range w.shares {
		p, err := quorum.SignApproval(k, w.receipt.Statement())
		require.NoError(t, err)
		approvals = append(approvals, p)
		seeds = append(seeds, quorum.SignSeed(k, w.receipt.Chain, w.receipt.RequestID))
	}
	certificate, _, err := quorum.RecoverCertificate(committee, w.receipt.Statement(), approvals)
	require.NoError(t, err)
	w.receipt.Certificate = certificate.Signature()
	w.receipt.SeedSignature, _, err = quorum.RecoverSeed(committee, w.receipt.Chain, w.receipt.RequestID, seeds)
	require.NoError(t, err)
	w.receipt.Seed, err = quorum.Seed(w.receipt.SeedSignature, w.receipt.RequestID)
	require.NoError(t, err)
	generator := w.order()[0]
	w.receipt.GeneratorIndex, w.receipt.Generator = uint64(generator), curation.Address{byte(generator)}
	w.receipt.GeneratorPrekey, _ = w.receipt.Prekeys().Lookup(generator)
}

func (w *work) order() []uint32 {
	var readers []uint32
	for _, r := range w.receipt.Readers {
		readers = append(readers, r.Member)
	}
	return curation.Draw(w.receipt.Seed, readers)
}

// draw renders the picture.
func (w *work) draw(t testing.TB) {
	t.Helper()
	var err error
	w.picture, err = model.Embedded().Render(t.Context(), w.receipt.Prompt, w.receipt.Seed, side, model.RenderOptions{})
	require.NoError(t, err)
	w.receipt.PixelRoot = w.picture.PixelRoot
}

// files is the folder as its generator builds it.
func (w *work) files(t testing.TB) []storage.File {
	t.Helper()
	var png bytes.Buffer
	require.NoError(t, w.picture.EncodePNG(&png))
	a := storage.Label(title, artist, w.receipt)
	a.PNG = png.Bytes()
	files, err := storage.BuildArtworkFolder(a)
	require.NoError(t, err)
	return files
}

// register puts a folder on the ledger, as its generator and auditor do.
func (w *work) register(t testing.TB, files []storage.File, status curation.Status, auditor uint32) {
	t.Helper()
	root, err := storage.FolderCID(files)
	require.NoError(t, err)
	w.network.Artworks[w.receipt.RequestID] = Record{
		CID: root.String(), PixelRoot: w.receipt.PixelRoot, Generator: uint32(w.receipt.GeneratorIndex), Auditor: auditor,
		Requester: w.receipt.Collector, Requested: w.receipt.RequestHeight, Status: status,
		Prompt: w.receipt.Prompt, Seed: w.receipt.Seed, Prior: w.prior,
	}
	r := w.receipt
	w.steps = curation.Artwork{
		Opening: curation.Opening{
			RID: r.RequestID, BodyHash: sha256.Sum256(r.Body), ModelID: r.Model, KeyEpoch: r.KeyEpoch,
			Label: r.Label, U: r.U, Epoch: r.CommitteeEpoch, Requested: r.RequestHeight, Position: position, Expiry: r.ExpiryHeight,
			Approved: r.RequestHeight + 2, Certificate: r.Certificate[:], SeedSignature: r.SeedSignature[:], Seed: r.Seed, Order: w.order(),
		},
		Status: status, Requester: r.Collector, Prompt: r.Prompt, Prior: w.prior,
		Registered: r.RequestHeight + 5, Generator: uint32(r.GeneratorIndex), CID: root.String(), PixelRoot: r.PixelRoot,
		Attested: r.RequestHeight + 9, Auditor: auditor, AuditedRoot: r.PixelRoot,
	}
	for _, k := range r.Readers {
		w.steps.Prekeys = append(w.steps.Prekeys, curation.ReaderKey{Member: k.Member, R: k.Key})
	}
}

// position is where the request stands in its block.
const position = 3

// ledger is one that holds, and records the artwork.
func (w *work) ledger() *Ledger {
	return &Ledger{Chain: w.network.Chain, Height: 99, compared: true, network: &w.network, records: map[curation.Hash]curation.Artwork{w.steps.RID: w.steps},
		Findings: Findings{Outcome: Valid, Valid: true}}
}
