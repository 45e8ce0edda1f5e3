package verify

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/ipfs/go-cid"
	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/storage"
)

func statusOf(r Report, name string) Status {
	for _, c := range r.Claims {
		if c.Name == name {
			return c.Status
		}
	}
	return ""
}

func TestAGenuineArtworkIsValid(t *testing.T) {
	w := genuine(t)
	files := w.files(t)
	root, err := storage.FolderCID(files)
	require.NoError(t, err)
	r, err := Artwork(t.Context(), files, Options{Network: &w.network, CID: root, Artist: model.Embedded()})
	require.NoError(t, err)
	require.Equal(t, Valid, r.Outcome, "%+v", r.Claims)
	require.True(t, r.Valid)
	require.Empty(t, r.Failed)
	require.Empty(t, r.Missing)
	var names []string
	for _, c := range r.Claims {
		require.Equal(t, Holds, c.Status, c.Name)
		names = append(names, c.Name)
	}
	require.Equal(t, []string{"files", "receipt", "content", "metadata", "pixels", "rendering", "network", "request",
		"certificate", "seed", "generator", "model", "label", "registered", "audit"}, names)

	// The older form of its CID names the same files; another CID does not.
	for o, want := range map[cid.Cid]Status{cid.NewCidV0(root.Hash()): Holds, cid.NewCidV1(cid.Raw, root.Hash()): Fails, w.receipt.ModelCID.Cid: Fails} {
		r, err = Artwork(t.Context(), files, Options{Network: &w.network, CID: o})
		require.NoError(t, err)
		require.Equal(t, want, statusOf(r, "content"), "%v", o)
		require.Equal(t, want == Holds, r.Valid)
	}

	// Without CID and weights less is shown, but nothing is missing.
	r, err = Artwork(t.Context(), files, Options{Network: &w.network})
	require.NoError(t, err)
	require.Equal(t, Valid, r.Outcome, "%+v", r.Claims)
	require.Equal(t, Skipped, statusOf(r, "content"))
	require.Equal(t, Skipped, statusOf(r, "rendering"))

	out, err := json.Marshal(r)
	require.NoError(t, err)
	require.Contains(t, string(out), `"outcome":"valid","valid":true,"failed":[],"missing":[],"claims":[{`)
}

// What could not be checked is no fault of the artwork, and no proof of it.
func TestWhatIsMissingIsNeitherValidNorInvalid(t *testing.T) {
	other, err := model.FineTune(t.Context(), model.Embedded(), model.FineTuneOptions{Steps: 1, Seed: [32]byte{1}})
	require.NoError(t, err)
	for name, c := range map[string]struct {
		spoil  func(w *work, o *Options)
		claim  string
		detail string
		needs  string
	}{
		"weights of another artist": {func(_ *work, o *Options) { o.Artist = other },
			"rendering", "these are other weights", "the weights of the artist that made the picture"},
		"no network file": {func(_ *work, o *Options) { o.Network = nil },
			"network", "no network file", "a network file: --network FILE, or the --home of a member"},
		"a network file from before it was registered": {func(w *work, _ *Options) { clear(w.network.Artworks) },
			"registered", "take a newer one", "a newer network file"},
		"a network file from before its audit": {func(w *work, _ *Options) { w.register(t, w.files(t), curation.StatusRegistered, 0) },
			"audit", "no other member had rendered it", "a newer network file, or the artist's weights"},
		"an audit that never came": {func(w *work, _ *Options) { w.register(t, w.files(t), curation.StatusExpired, 0) },
			"audit", "its deadline passed", "the artist's weights, as no member vouches for the pixels"},
		"arithmetic of another version": {func(w *work, _ *Options) {
			w.receipt.Kernel = "phase-17"
			w.register(t, w.files(t), curation.StatusPublished, w.order()[1])
		}, "pixels", `drawn with the arithmetic "phase-17"`, "a version of this program that knows the arithmetic of the picture"},
	} {
		t.Run(name, func(t *testing.T) {
			w := genuine(t)
			o := Options{Network: &w.network}
			c.spoil(&w, &o)
			r, err := Artwork(t.Context(), w.files(t), o)
			require.NoError(t, err)
			require.Equal(t, Unchecked, r.Outcome, "%+v", r.Claims)
			require.False(t, r.Valid)
			require.Empty(t, r.Failed)
			require.Equal(t, []string{c.needs}, r.Missing)
			i := slices.IndexFunc(r.Claims, func(k Claim) bool { return k.Name == c.claim })
			require.Equal(t, Skipped, r.Claims[i].Status)
			require.Contains(t, r.Claims[i].Detail, c.detail)
		})
	}
}

// Whoever renders it again needs nobody else's word for the pixels.
func TestOwnRenderingStandsInForTheAudit(t *testing.T) {
	w := genuine(t)
	w.register(t, w.files(t), curation.StatusRegistered, 0)
	r, err := Artwork(t.Context(), w.files(t), Options{Network: &w.network, Artist: model.Embedded()})
	require.NoError(t, err)
	require.Equal(t, Valid, r.Outcome, "%+v", r.Claims)
	require.Equal(t, Skipped, statusOf(r, "audit"))
}

// A network whose only reader made the picture has nobody to audit it.
func TestASoleReaderHasNoAuditor(t *testing.T) {
	w := genuine(t)
	w.receipt.Readers = w.receipt.Readers[:1]
	w.certify(t)
	w.register(t, w.files(t), curation.StatusPublished, 0)
	r, err := Artwork(t.Context(), w.files(t), Options{Network: &w.network})
	require.NoError(t, err)
	require.Equal(t, Valid, r.Outcome, "%+v", r.Claims)
	require.Equal(t, Skipped, statusOf(r, "audit"))
}

func replace(files []storage.File, name string, change func([]byte) []byte) []storage.File {
	files = slices.Clone(files)
	for i := range files {
		if files[i].Name == name {
			files[i].Data = change(bytes.Clone(files[i].Data))
		}
	}
	return files
}

// behindHeader puts a chunk into a PNG, right behind its header.
func behindHeader(kind, data string) func([]byte) []byte {
	return func(png []byte) []byte {
		body := []byte(kind + data)
		chunk := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
		chunk = binary.BigEndian.AppendUint32(append(chunk, body...), crc32.ChecksumIEEE(body))
		return slices.Concat(png[:33], chunk, png[33:])
	}
}

// The files are from somebody who wants them to pass, and who has even got the
// ledger to list them: a generator and an auditor who work together.
func TestAFolderThatLiesIsInvalidAlsoWhenTheLedgerListsIt(t *testing.T) {
	imageOf := func(t *testing.T, files []storage.File) []storage.File {
		image, err := storage.FileCID(files[0].Data)
		require.NoError(t, err)
		return replace(files, storage.MetadataName, func(b []byte) []byte {
			m, err := storage.DecodeMetadata(b)
			require.NoError(t, err)
			m.Image = "ipfs://" + image.String()
			b, err = m.Encode()
			require.NoError(t, err)
			return b
		})
	}
	metadata := func(change func(m *storage.Metadata)) func(t *testing.T, w *work) []storage.File {
		return func(t *testing.T, w *work) []storage.File {
			return replace(w.files(t), storage.MetadataName, func(b []byte) []byte {
				m, err := storage.DecodeMetadata(b)
				require.NoError(t, err)
				change(&m)
				b, err = m.Encode()
				require.NoError(t, err)
				return b
			})
		}
	}
	text := func(old, new string) func(t *testing.T, w *work) []storage.File {
		return func(t *testing.T, w *work) []storage.File {
			return replace(w.files(t), storage.MetadataName, func(b []byte) []byte {
				require.Contains(t, string(b), old)
				return bytes.Replace(b, []byte(old), []byte(new), 1)
			})
		}
	}
	image := func(change func([]byte) []byte) func(t *testing.T, w *work) []storage.File {
		return func(t *testing.T, w *work) []storage.File {
			return imageOf(t, replace(w.files(t), storage.ImageName, change))
		}
	}
	receipt := func(change func(w *work)) func(t *testing.T, w *work) []storage.File {
		return func(t *testing.T, w *work) []storage.File {
			change(w)
			return w.files(t)
		}
	}
	for name, c := range map[string]struct {
		fails string
		lie   func(t *testing.T, w *work) []storage.File
	}{
		"a picture that the artist did not draw": {"rendering", receipt(func(w *work) {
			w.picture.RGB[0] ^= 1
			root, err := kernel.PixelRoot(side, side, w.picture.RGB)
			require.NoError(t, err)
			w.receipt.PixelRoot = root
		})},
		"an animation behind the picture":  {"pixels", image(behindHeader("acTL", "\x00\x00\x00\x02\x00\x00\x00\x00"))},
		"a colour profile":                 {"pixels", image(behindHeader("iCCP", "x\x00\x00"))},
		"an author in the picture":         {"label", image(behindHeader("iTXt", "Author\x00\x00\x00\x00\x00Somebody famous"))},
		"an animation in the metadata":     {"metadata", text(`"attributes"`, `"animation_url": "ipfs://x", "attributes"`)},
		"a second picture in the metadata": {"metadata", text(`"image"`, `"image": "https://elsewhere", "image"`)},
		"another picture in the metadata":  {"metadata", metadata(func(m *storage.Metadata) { m.Image = "ipfs://x" })},
		"another prompt beside the true one": {"metadata", metadata(func(m *storage.Metadata) {
			m.Attributes = append(m.Attributes, storage.Attribute{Trait: "Prompt", Value: "x"})
		})},
		"a prompt left out":   {"metadata", metadata(func(m *storage.Metadata) { m.Attributes = m.Attributes[:1] })},
		"another prompt":      {"metadata", text(`"red heart"`, `"blue heart"`)},
		"another title":       {"label", metadata(func(m *storage.Metadata) { m.Name = "Mona Lisa" })},
		"another description": {"label", metadata(func(m *storage.Metadata) { m.Description = "Made by hand." })},
		"a trait of its own": {"label", metadata(func(m *storage.Metadata) {
			m.Attributes = append(m.Attributes, storage.Attribute{Trait: "Rarity", Value: "1 of 1"})
		})},
		"a prompt that was not certified":           {"request", receipt(func(w *work) { w.receipt.Prompt = "blue heart" })},
		"a request that was not certified":          {"certificate", receipt(func(w *work) { w.receipt.RequestID[0]++ })},
		"a seed of its own":                         {"seed", receipt(func(w *work) { w.receipt.Seed[0]++ })},
		"a generator who is no reader":              {"generator", receipt(func(w *work) { w.receipt.GeneratorIndex = 5 })},
		"a generator with another's account":        {"generator", receipt(func(w *work) { w.receipt.Generator[0]++ })},
		"a generator with a key of its own":         {"generator", receipt(func(w *work) { w.receipt.GeneratorPrekey[0]++ })},
		"a model in another container":              {"model", receipt(func(w *work) { w.receipt.ModelCID = storage.Link{Cid: must(storage.FileCID([]byte("x")))} })},
		"another network":                           {"network", receipt(func(w *work) { w.receipt.Chain[0]++ })},
		"a receipt of another arithmetic and model": {"certificate", receipt(func(w *work) { w.receipt.Kernel, w.receipt.KeyEpoch = "phase-17", 2 })},
	} {
		t.Run(name, func(t *testing.T) {
			w := genuine(t)
			files := c.lie(t, &w)
			w.register(t, files, curation.StatusPublished, w.order()[1])
			r, err := Artwork(t.Context(), files, Options{Network: &w.network, Artist: model.Embedded()})
			require.NoError(t, err)
			require.Equal(t, Invalid, r.Outcome, "%+v", r.Claims)
			require.Contains(t, r.Failed, c.fails, "%+v", r.Claims)
		})
	}
}

func must(c cid.Cid, err error) cid.Cid {
	if err != nil {
		panic(err)
	}
	return c
}

func TestTheLedgerHasTheLastWord(t *testing.T) {
	for name, c := range map[string]struct {
		fails string
		spoil func(k *Record)
	}{
		"another folder for the request":     {"registered", func(k *Record) { k.CID = "bafybeiaobtvimuscf77pxecq6wtisv5pwl2uchajyvf2py7dldekgqzhae" }},
		"other pixels":                       {"registered", func(k *Record) { k.PixelRoot[0]++ }},
		"another who asked for it":           {"registered", func(k *Record) { k.Requester[0]++ }},
		"another height":                     {"registered", func(k *Record) { k.Requested++ }},
		"another generator":                  {"registered", func(k *Record) { k.Generator++ }},
		"an audit that found something else": {"audit", func(k *Record) { k.Status = curation.StatusDisputed }},
		"an auditor who made it":             {"audit", func(k *Record) { k.Auditor = k.Generator }},
		"an auditor who could not read":      {"audit", func(k *Record) { k.Auditor = 77 }},
	} {
		t.Run(name, func(t *testing.T) {
			w := genuine(t)
			k := w.network.Artworks[w.receipt.RequestID]
			c.spoil(&k)
			w.network.Artworks[w.receipt.RequestID] = k
			r, err := Artwork(t.Context(), w.files(t), Options{Network: &w.network})
			require.NoError(t, err)
			require.Equal(t, Invalid, r.Outcome, "%+v", r.Claims)
			require.Equal(t, []string{c.fails}, r.Failed)
		})
	}
}

// A member that registers another's folder for its own request must not make the
// genuine one look like a fraud.
func TestACopiedCIDHarmsNobody(t *testing.T) {
	w := genuine(t)
	copied := w.network.Artworks[w.receipt.RequestID]
	copied.Generator, copied.Auditor, copied.Status = copied.Generator%4+1, 0, curation.StatusDisputed
	w.network.Artworks[curation.Hash{255}] = copied
	r, err := Artwork(t.Context(), w.files(t), Options{Network: &w.network})
	require.NoError(t, err)
	require.Equal(t, Valid, r.Outcome, "%+v", r.Claims)
}

func TestAFolderThatIsNoneIsInvalid(t *testing.T) {
	w := genuine(t)
	files := w.files(t)
	for name, c := range map[string]struct {
		fails string
		files []storage.File
	}{
		"no file":           {"files", nil},
		"a file missing":    {"files", files[1:]},
		"a file twice":      {"files", append(slices.Clone(files), files[0])},
		"one file too many": {"files", append(slices.Clone(files), storage.File{Name: "note\x1b[2J\n  ✓ certificate"})},
		"no receipt":        {"receipt", replace(files, storage.ReceiptName, func([]byte) []byte { return nil })},
		"no picture":        {"pixels", replace(files, storage.ImageName, func([]byte) []byte { return nil })},
		"no metadata":       {"metadata", replace(files, storage.MetadataName, func([]byte) []byte { return nil })},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Artwork(t.Context(), c.files, Options{Network: &w.network})
			require.NoError(t, err)
			require.Equal(t, Invalid, r.Outcome)
			require.Contains(t, r.Failed, c.fails)
		})
	}
}

// Names in the files must not write lines of their own into a report.
func TestAReportHoldsOnlyWhatPrints(t *testing.T) {
	w := genuine(t)
	lines := "x\n  ✓ audit       by member 1\x1b[2K\u009b1A\u202e"
	w.network.Name, w.network.Members[0].Name = lines, lines
	files := replace(w.files(t), storage.MetadataName, func(b []byte) []byte {
		m, err := storage.DecodeMetadata(b)
		require.NoError(t, err)
		m.Name, m.Image = lines+strings.Repeat("y", 5000), "ipfs://"+lines
		b, err = m.Encode()
		require.NoError(t, err)
		return b
	})
	files = append(files, storage.File{Name: lines})
	r, err := Artwork(t.Context(), files, Options{Network: &w.network})
	require.NoError(t, err)
	require.Equal(t, Invalid, r.Outcome)
	for _, c := range r.Claims {
		require.NotRegexp(t, `[\x00-\x1f\x7f-\x{9f}\x{202e}]`, c.Detail)
		require.LessOrEqual(t, len([]rune(c.Detail)), maxDetail+1)
	}
}

// What stops the check is an error, not a fault of the artwork.
func TestAnInterruptedCheckHasNoOutcome(t *testing.T) {
	w := genuine(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, err := Artwork(ctx, w.files(t), Options{Network: &w.network, Artist: model.Embedded()})
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, r)
	t.Setenv(model.KernelVariable, "abacus")
	_, err = Artwork(t.Context(), w.files(t), Options{Network: &w.network, Artist: model.Embedded()})
	require.ErrorIs(t, err, kernel.ErrKernel)
}

func TestNetworkFileComesBack(t *testing.T) {
	w := genuine(t)
	b, err := json.MarshalIndent(w.network, "", "  ")
	require.NoError(t, err)
	n, err := ParseNetwork(b)
	require.NoError(t, err)
	require.Equal(t, w.network, n)
	for name, spoil := range map[string]func(n *Network) any{
		"no committee":                 func(n *Network) any { n.Committee = nil; return n },
		"a broken committee":           func(n *Network) any { n.Committee = n.Committee[1:]; return n },
		"a member twice":               func(n *Network) any { n.Members[1].Index = 1; return n },
		"a member without number":      func(n *Network) any { n.Members[1].Index = 0; return n },
		"a model without name":         func(n *Network) any { n.Models[0].Name = ""; return n },
		"a model without a folder":     func(n *Network) any { n.Models[0].ContainerCID = "x"; return n },
		"a model twice":                func(n *Network) any { n.Models = append(n.Models, n.Models[0]); return n },
		"a label of another key epoch": func(n *Network) any { n.Models[0].KeyEpoch = 2; return n },
		"a label of another policy":    func(n *Network) any { n.Models[0].PolicyHash[0]++; return n },
		"a layer around nothing": func(n *Network) any {
			n.wrap(t, 2)
			n.Models = n.Models[1:]
			return n
		},
		"a layer around another U":        func(n *Network) any { n.wrap(t, 2); n.Models[0].U[0]++; return n },
		"a layer that is said to be none": func(n *Network) any { n.wrap(t, 2); n.Models[1].Base = 0; return n },
		"a layer around itself":           func(n *Network) any { n.wrap(t, 2); n.Models[1].Base = 2; return n },
		"another artist in a layer":       func(n *Network) any { n.wrap(t, 2); n.Models[1].ID[0]++; return n },
		"a list":                          func(n *Network) any { return []int{} },
		"an artwork without CID": func(n *Network) any {
			n.Artworks[curation.Hash{}] = Record{Status: curation.StatusPublished}
			return n
		},
		"an artwork of no known status": func(n *Network) any {
			k := n.Artworks[w.receipt.RequestID]
			k.Status = "glorious"
			n.Artworks[w.receipt.RequestID] = k
			return n
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := w.network
			n.Members, n.Models, n.Artworks = slices.Clone(n.Members), slices.Clone(n.Models), maps.Clone(n.Artworks)
			b, err := json.Marshal(spoil(&n))
			require.NoError(t, err)
			_, err = ParseNetwork(b)
			require.ErrorContains(t, err, "not a network file")
			require.ErrorContains(t, err, "network export")
		})
	}
	for name, b := range map[string][]byte{
		"something behind":    append(bytes.Clone(b), '1'),
		"an unknown field":    bytes.Replace(b, []byte(`"chain"`), []byte(`"trust": 1, "chain"`), 1),
		"an older layout":     bytes.Replace(b, []byte(curation.Hash(w.receipt.RequestID).String()), []byte("bafybeiaobtvimuscf77pxecq6wtisv5pwl2uchajyvf2py7dldekgqzhae"), 1),
		"nothing":             nil,
		"larger than allowed": make([]byte, maxNetwork+1),
	} {
		_, err := ParseNetwork(b)
		require.ErrorContains(t, err, "not a network file", name)
	}
}

// FuzzParseNetwork feeds what is no network file: an error, never a panic; and what
// is one comes back.
func FuzzParseNetwork(f *testing.F) {
	w := genuine(f)
	whole, err := json.Marshal(w.network)
	require.NoError(f, err)
	f.Add(whole)
	f.Add([]byte(`{"name":"x","chain":"00","committee":"","members":[],"models":[]}`))
	f.Add([]byte(`{}`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := ParseNetwork(b)
		if err != nil {
			return
		}
		b, err = json.Marshal(n)
		require.NoError(t, err)
		again, err := ParseNetwork(b)
		require.NoError(t, err)
		require.Equal(t, n, again)
	})
}

// FuzzArtwork feeds arbitrary files to somebody who trusts a network: whatever is
// called valid is the genuine folder.
func FuzzArtwork(f *testing.F) {
	w := genuine(f)
	files := w.files(f)
	root, err := storage.FolderCID(files)
	require.NoError(f, err)
	f.Add(files[2].Data, files[0].Data, files[1].Data)
	f.Add([]byte{0xa0}, []byte("\x89PNG\r\n\x1a\n"), []byte("{}"))
	f.Add(files[2].Data, behindHeader("acTL", "\x00\x00\x00\x02\x00\x00\x00\x00")(files[0].Data), files[1].Data)
	f.Fuzz(func(t *testing.T, receipt, image, metadata []byte) {
		r, err := Artwork(t.Context(), []storage.File{
			{Name: storage.ReceiptName, Data: receipt}, {Name: storage.ImageName, Data: image}, {Name: storage.MetadataName, Data: metadata},
		}, Options{Network: &w.network})
		require.NoError(t, err)
		require.NotEmpty(t, r.Claims)
		require.Equal(t, r.CID == root.String(), r.Valid, "%+v", r)
		require.Equal(t, r.Outcome == Invalid, len(r.Failed) > 0)
	})
}
