package ledger

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/bits"
	"os"
	"slices"
	"sort"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
)

// This file is a second reader of exports, made from EXPORT.md: but for the last test,
// which makes the vectors, it uses nothing of this package nor of CometBFT.

var rewrite = flag.Bool("rewrite", false, "rewrite testdata/export.* with what the code gives")

// vector is what follows from testdata/export.ledger at one height.
type vector struct {
	Height     uint64      `json:"height"`
	Hash       string      `json:"hash"` // of the block
	Parts      string      `json:"parts"`
	AppHash    string      `json:"app_hash"` // after the block
	Results    []uint32    `json:"results"`
	Validators []secondKey `json:"validators"` // in force, in their order
	Signed     int64       `json:"signed"`     // votes
	SignBytes  string      `json:"sign_bytes"` // of the first validator; empty when it is absent
}

type secondKey struct {
	Key   string `json:"key"`
	Votes int64  `json:"votes"`
}

// message is a protobuf message: its fields by number.
type message map[int][][]byte

func parse(b []byte) (message, error) {
	m := message{}
	for len(b) > 0 {
		key, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, fmt.Errorf("key")
		}
		b = b[n:]
		var value []byte
		switch key & 7 {
		case 0:
			if _, n = binary.Uvarint(b); n <= 0 {
				return nil, fmt.Errorf("varint")
			}
			value, b = b[:n], b[n:]
		case 2:
			size, n := binary.Uvarint(b)
			if n <= 0 || size > uint64(len(b)-n) {
				return nil, fmt.Errorf("length")
			}
			value, b = b[n:n+int(size)], b[n+int(size):]
		default:
			return nil, fmt.Errorf("wire type %d", key&7)
		}
		m[int(key>>3)] = append(m[int(key>>3)], value)
	}
	return m, nil
}

func (m message) raw(field int) []byte {
	if len(m[field]) == 0 {
		return nil
	}
	return m[field][0]
}

func (m message) number(field int) int64 {
	v, _ := binary.Uvarint(m.raw(field))
	return int64(v)
}

func (m message) sub(field int) message {
	s, err := parse(m.raw(field))
	if err != nil {
		panic(err)
	}
	return s
}

func varint(field int, v int64) []byte {
	if v == 0 {
		return nil
	}
	return binary.AppendUvarint(binary.AppendUvarint(nil, uint64(field<<3)), uint64(v))
}

func sized(field int, b []byte) []byte {
	out := binary.AppendUvarint(nil, uint64(field<<3|2))
	return append(binary.AppendUvarint(out, uint64(len(b))), b...)
}

func text(field int, b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return sized(field, b)
}

func fixed(field int, v int64) []byte {
	if v == 0 {
		return nil
	}
	return binary.LittleEndian.AppendUint64([]byte{byte(field<<3 | 1)}, uint64(v))
}

func root(leaves ...[]byte) []byte {
	var h [32]byte
	switch n := len(leaves); n {
	case 0:
		h = sha256.Sum256(nil)
	case 1:
		h = sha256.Sum256(append([]byte{0}, leaves[0]...))
	default:
		k := 1 << (bits.Len(uint(n-1)) - 1)
		h = sha256.Sum256(slices.Concat([]byte{1}, root(leaves[:k]...), root(leaves[k:]...)))
	}
	return h[:]
}

// second is the second reader.
type second struct {
	chain    string
	vectors  []vector
	last     []byte // BlockID of the last block
	app      []byte
	results  []byte
	time     [2]int64
	previous []secondKey
}

func (s *second) entries(b []byte) (genesis []byte, blocks [][]byte, commit []byte, err error) {
	const line = "atelier ledger export 1\n"
	if !bytes.HasPrefix(b, []byte(line)) {
		return nil, nil, nil, fmt.Errorf("first line")
	}
	for b = b[len(line):]; len(b) > 0; {
		if len(b) < 5 || int(binary.BigEndian.Uint32(b[1:])) > len(b)-5 || commit != nil {
			return nil, nil, nil, fmt.Errorf("entry")
		}
		content := b[5 : 5+binary.BigEndian.Uint32(b[1:])]
		switch {
		case b[0] == 'G' && genesis == nil:
			genesis = content
		case b[0] == 'B' && genesis != nil:
			blocks = append(blocks, content)
		case b[0] == 'C' && len(blocks) > 0:
			commit = content
		default:
			return nil, nil, nil, fmt.Errorf("kind %q", b[0])
		}
		b = b[5+len(content):]
	}
	if commit == nil {
		return nil, nil, nil, fmt.Errorf("no commit at the end")
	}
	return genesis, blocks, commit, nil
}

// read checks all of EXPORT.md but the running of the rules, whose outcome the vectors
// have.
func (s *second) read(export []byte) error {
	genesis, blocks, last, err := s.entries(export)
	if err != nil {
		return err
	}
	hash := sha256.Sum256(genesis)
	s.chain = "atelier-" + hex.EncodeToString(hash[:])[:16]
	s.results, s.last = root(), nil
	for i, raw := range blocks {
		commit := last
		if i+1 < len(blocks) {
			next, err := parse(blocks[i+1])
			if err != nil {
				return err
			}
			commit = next.raw(4)
		}
		if err := s.block(int64(i+1), raw, commit); err != nil {
			return fmt.Errorf("block %d: %w", i+1, err)
		}
	}
	return nil
}

func validatorsHash(set []secondKey) []byte {
	var leaves [][]byte
	for _, v := range set {
		key, _ := hex.DecodeString(v.Key)
		leaves = append(leaves, append(sized(1, sized(1, key)), varint(2, v.Votes)...))
	}
	return root(leaves...)
}

func (s *second) block(height int64, raw, rawCommit []byte) error {
	at := s.vectors[height-1]
	b, err := parse(raw)
	if err != nil {
		return err
	}
	h, own := b.sub(1), b.sub(4)

	// 1
	value := func(field int) []byte { return text(1, h.raw(field)) }
	block := root(h.raw(1), value(2), varint(1, h.number(3)), h.raw(4), h.raw(5), value(6), value(7), value(8), value(9), value(10), value(11), value(12), value(13), value(14))
	var parts, txs [][]byte
	for rest := raw; len(rest) > 0; rest = rest[min(65536, len(rest)):] {
		parts = append(parts, rest[:min(65536, len(rest))])
	}
	for _, tx := range b.sub(2)[1] {
		sum := sha256.Sum256(tx)
		txs = append(txs, sum[:])
	}
	id := append(sized(1, block), sized(2, append(varint(1, int64(len(parts))), sized(2, root(parts...))...))...)
	for _, c := range []struct {
		name string
		same bool
	}{
		{"block hash", hex.EncodeToString(block) == at.Hash},
		{"parts", hex.EncodeToString(root(parts...)) == at.Parts},
		{"last commit hash", bytes.Equal(h.raw(6), root(own[4]...))},
		{"data hash", bytes.Equal(h.raw(7), root(txs...))},
		{"evidence hash", bytes.Equal(h.raw(13), root(b.sub(3)[1]...))},
		{"height", h.number(3) == height},
		{"chain id", string(h.raw(2)) == s.chain},
		// 3
		{"versions", bytes.Equal(h.raw(1), []byte{8, 11, 16, 1})},
		{"consensus hash", hex.EncodeToString(h.raw(10)) == fmt.Sprintf("%x", sha256.Sum256(append(varint(1, 1<<20), varint(2, -1)...)))},
		{"the block before", height == 1 && bytes.Equal(h.raw(5), []byte{18, 0}) || bytes.Equal(h.raw(5), s.last)},
		{"validators hash", bytes.Equal(h.raw(8), validatorsHash(at.Validators))},
		{"next validators hash", int(height) == len(s.vectors) || bytes.Equal(h.raw(9), validatorsHash(s.vectors[height].Validators))},
		{"app hash", height == 1 || bytes.Equal(h.raw(11), s.app)},
		{"last results hash", bytes.Equal(h.raw(12), s.results)},
	} {
		if !c.same {
			return fmt.Errorf("%s", c.name)
		}
	}

	// 2
	signed, total, proposer := int64(0), int64(0), false
	commit, err := parse(rawCommit)
	if err != nil || commit.number(1) != height || !bytes.Equal(commit.raw(3), id) || len(commit[4]) != len(at.Validators) {
		return fmt.Errorf("commit")
	}
	for i, v := range at.Validators {
		sig, err := parse(commit[4][i])
		if err != nil {
			return err
		}
		key, _ := hex.DecodeString(v.Key)
		sum := sha256.Sum256(key)
		total, proposer = total+v.Votes, proposer || bytes.Equal(h.raw(14), sum[:20])
		flag := sig.number(1)
		if flag == 1 {
			continue
		}
		var named []byte
		if flag == 2 {
			signed, named = signed+v.Votes, sized(4, id)
		}
		vote := slices.Concat(varint(1, 2), fixed(2, height), fixed(3, commit.number(2)), named, sized(5, sig.raw(3)), text(6, []byte(s.chain)))
		vote = append(binary.AppendUvarint(nil, uint64(len(vote))), vote...)
		if i == 0 && hex.EncodeToString(vote) != at.SignBytes {
			return fmt.Errorf("bytes to sign are %x", vote)
		}
		if !bytes.Equal(sig.raw(2), sum[:20]) || !ed25519.Verify(key, vote, sig.raw(4)) {
			return fmt.Errorf("signature %d", i+1)
		}
	}
	if signed <= total*2/3 || signed != at.Signed || !proposer {
		return fmt.Errorf("%d of %d votes, proposer %v", signed, total, proposer)
	}

	// 4
	now := [2]int64{h.sub(4).number(1), h.sub(4).number(2)}
	due := [2]int64{1767225600, 0}
	if height > 1 {
		due = s.median(own)
	} else if len(own[4]) > 0 {
		return fmt.Errorf("a commit in the first block")
	}
	if now != due || height > 1 && !before(s.time, now) {
		return fmt.Errorf("time %v, want %v", now, due)
	}

	// 5: what the rules give
	s.last, s.time, s.previous = id, now, at.Validators
	s.app, _ = hex.DecodeString(at.AppHash)
	var results [][]byte
	for _, code := range at.Results {
		results = append(results, varint(1, int64(code)))
	}
	s.results = root(results...)
	return nil
}

func before(a, b [2]int64) bool { return a[0] < b[0] || a[0] == b[0] && a[1] < b[1] }

func (s *second) median(commit message) [2]int64 {
	type weighted struct {
		at    [2]int64
		votes int64
	}
	var times []weighted
	m := int64(0)
	for i, raw := range commit[4] {
		if sig, err := parse(raw); err == nil && sig.number(1) == 2 {
			t := sig.sub(3)
			times = append(times, weighted{[2]int64{t.number(1), t.number(2)}, s.previous[i].Votes})
			m += s.previous[i].Votes
		}
	}
	sort.SliceStable(times, func(i, j int) bool { return before(times[i].at, times[j].at) })
	m /= 2
	for _, t := range times {
		if m <= t.votes {
			return t.at
		}
		m -= t.votes
	}
	return [2]int64{math.MinInt64, 0}
}

func TestASecondReaderAgrees(t *testing.T) {
	export, err := os.ReadFile("testdata/export.ledger")
	require.NoError(t, err)
	var vectors []vector
	b, err := os.ReadFile("testdata/export.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &vectors))
	require.NoError(t, (&second{vectors: vectors}).read(export))
	for i := 0; i < len(export); i += 997 {
		bad := bytes.Clone(export)
		bad[i] ^= 1
		err := func() (err error) {
			defer func() {
				if r := recover(); r != nil {
					err = fmt.Errorf("%v", r)
				}
			}()
			return (&second{vectors: vectors}).read(bad)
		}()
		require.Error(t, err, "byte %d", i)
	}
}

// TestTheVectorsOfExports makes the vectors with the reader of this package, from a
// ledger whose validators come, go, change their votes and stay away.
func TestTheVectorsOfExports(t *testing.T) {
	away := 0
	d := directOn(t, DirectConfig{Genesis: signedGenesis(t, 4), Apps: []Application{newBank()}, Sign: func(v [32]byte, m []byte) []byte {
		return signAll(away)(v, m)
	}})
	submit := func(tx []byte) {
		_, err := d.Submit(t.Context(), tx)
		require.NoError(t, err)
	}
	submit(transfer(payer, 0, recipient(0), 5))
	submit(transfer(payer, 1, recipient(1), 1<<50)) // refused in its block
	away = 3
	submit(empower(signerKey(4).Public().(ed25519.PublicKey), 2))
	require.NoError(t, d.Step(2))
	for i := range 3 {
		require.NoError(t, d.SubmitAsync(t.Context(), write(fmt.Sprint("large ", i), string(bytes.Repeat([]byte{'x'}, 30<<10)))))
	}
	require.NoError(t, d.Step(1))
	away = 7
	submit(empower(signerKey(0).Public().(ed25519.PublicKey), 0))
	require.NoError(t, d.Step(3))
	export := exported(t, d, 1)

	c := takeApart(t, export)
	var vectors []vector
	require.NoError(t, CheckExport(t.Context(), bytes.NewReader(export), newBank(), func([]byte, []curation.Validator) error { return nil }, func(b Checked) error {
		commit := c.under(int(b.Height))
		v := vector{Height: b.Height, Hash: hex.EncodeToString(b.Hash[:]), Parts: hex.EncodeToString(commit.BlockID.PartSetHeader.Hash),
			AppHash: hex.EncodeToString(b.AppHash[:]), Signed: powerUnit * b.Signed, Results: []uint32{}}
		for _, r := range b.Results {
			v.Results = append(v.Results, uint32(r.Code))
		}
		if commit.Signatures[0].Signature != nil {
			v.SignBytes = hex.EncodeToString(commit.VoteSignBytes(ChainID(c.genesis), 0))
		}
		vectors = append(vectors, v)
		return nil
	}))
	chain, err := newChain(c.genesis, mustGenesis(t, c.genesis))
	require.NoError(t, err)
	app := newBank()
	_, err = app.Genesis(c.genesis)
	require.NoError(t, err)
	for i, b := range c.blocks {
		for _, v := range chain.now.Validators {
			vectors[i].Validators = append(vectors[i].Validators, secondKey{hex.EncodeToString(v.PubKey.Bytes()), v.VotingPower})
		}
		out, err := app.Execute(curation.Block{Height: uint64(b.Height), Txs: b.Txs.ToSliceOfBytes()})
		require.NoError(t, err)
		app.Commit()
		require.NoError(t, chain.advance(c.under(i+1).BlockID, b.Time, out))
	}
	got, err := json.MarshalIndent(vectors, "", "  ")
	require.NoError(t, err)
	got = append(got, '\n')
	if *rewrite {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile("testdata/export.ledger", export, 0o644))
		require.NoError(t, os.WriteFile("testdata/export.json", got, 0o644))
	}
	want, err := os.ReadFile("testdata/export.json")
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
	file, err := os.ReadFile("testdata/export.ledger")
	require.NoError(t, err)
	require.True(t, bytes.Equal(file, export))
}

func mustGenesis(t testing.TB, doc []byte) curation.Outcome {
	t.Helper()
	out, err := newBank().Genesis(doc)
	require.NoError(t, err)
	return out
}
