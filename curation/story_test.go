package curation

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation/curve"
)

var longHex = regexp.MustCompile(`\b([0-9a-f]{6})[0-9a-f]{10,}\b`)

var rewrite = flag.Bool("rewrite", false, "rewrite the stories in testdata with what the ledger says now")

// TestStories plays testdata/*.story. A story is a list of scenes; each scene is
// what people send in one block, "----", and what the ledger answers: a line per
// transaction, then the events that follow from the height. Credits and tokens
// are whole or decimal numbers, requests are called r1, r2, … as they come, and
// long hex is cut. Read the changes of -rewrite as a diff.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.story")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".story"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			told := (&story{t: t, w: nil, rids: map[Hash]string{}}).play(string(text))
			if *rewrite {
				require.NoError(t, os.WriteFile(file, []byte(told), 0o644))
				return
			}
			require.Equal(t, string(text), told)
		})
	}
}

type story struct {
	t    *testing.T
	w    *world
	rids map[Hash]string
	byID []Hash
	last map[string][]byte // the last transaction of each account

	class *classroom
}

func (s *story) play(text string) string {
	scenes := strings.Split(strings.TrimRight(text, "\n"), "\n\n")
	for i, scene := range scenes {
		commands, _, _ := strings.Cut(scene, "\n----")
		answer := s.scene(strings.Split(commands, "\n"))
		if strings.TrimSpace(uncomment(commands)) == "" {
			continue // only a comment
		}
		scenes[i] = commands + "\n----" + answer
	}
	return strings.Join(scenes, "\n\n") + "\n"
}

func uncomment(scene string) string {
	var kept []string
	for _, line := range strings.Split(scene, "\n") {
		if !strings.HasPrefix(line, "#") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}

// scene plays the commands of one block and returns what was said.
func (s *story) scene(lines []string) string {
	if s.w == nil {
		s.w = ready(s.t)
		s.last = map[string][]byte{}
	}
	var out strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&out, "\n"+format, args...) }
	var txs, shows = [][]byte{}, [][]string{} // what is shown is shown last
	nonces := map[string]uint64{}
	for _, line := range lines {
		line, _, _ = strings.Cut(line, " #")
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		switch words[0] {
		case "wait":
			n, err := strconv.Atoi(words[1])
			require.NoError(s.t, err)
			for range n {
				for _, e := range s.w.block().Events {
					say("%d %s", s.w.height, s.event(e))
				}
			}
		case "speak": // all trainers that are named, with what their machines have to say
			var txs [][]byte
			for _, name := range words[1:] {
				n, err := strconv.Atoi(strings.TrimPrefix(name, "m"))
				require.NoError(s.t, err)
				for k, p := range s.room().says(uint32(n)) {
					txs = append(txs, s.w.sign(name, s.w.nonce(name)+uint64(k), p))
				}
			}
			outcome := s.w.block(txs...)
			for _, r := range outcome.Results {
				require.Equal(s.t, CodeOK, r.Code, r.Log)
				for _, e := range r.Events {
					say("%s", s.event(e))
				}
			}
			for _, e := range outcome.Events {
				say("%d %s", s.w.height, s.event(e))
			}
		case "rotate": // as often as it says, with all that it takes
			n, err := strconv.Atoi(words[1])
			require.NoError(s.t, err)
			for range n {
				m := s.w.rotated()
				say("%d key epoch %d: %s of member %d is proven, around key epoch %d", s.w.height, m.KeyEpoch, plural(m.Layers, "layer"), m.Sealer, m.Base)
			}
		case "show":
			shows = append(shows, words[1:])
		default:
			name := s.whose(words)
			if _, seen := nonces[name]; !seen {
				nonces[name] = s.w.nonce(name)
			}
			raw, counts := s.command(name, nonces[name], words[1:], line)
			if counts {
				nonces[name]++
			}
			s.last[name] = raw
			txs = append(txs, raw)
		}
	}
	var outcome Outcome
	if len(txs) > 0 {
		outcome = s.w.block(txs...)
	}
	for _, r := range outcome.Results {
		if r.Code != CodeOK {
			say("refused (%s): %s", codeNames[r.Code], s.names(r.Log))
			continue
		}
		for _, e := range r.Events {
			say("%s", s.event(e))
		}
	}
	for _, e := range outcome.Events {
		say("%d %s", s.w.height, s.event(e))
	}
	for _, words := range shows {
		say("%s", s.show(words))
	}
	return out.String()
}

var codeNames = map[Code]string{
	CodeMalformed: "malformed", CodeSignature: "signature", CodeNonce: "nonce", CodeExpired: "expired", CodeFunds: "funds",
	CodeNotMember: "not member", CodeWrongPhase: "wrong phase", CodeUnknown: "unknown", CodeProof: "proof", CodeLimit: "limit", CodeDuplicate: "duplicate", CodeBusy: "busy",
}

// command builds the transaction that a line describes; counts is false when it
// is one that the ledger will not take into account.
func (s *story) command(name string, nonce uint64, words []string, line string) (raw []byte, counts bool) {
	w := s.w
	option := func(key, otherwise string) string {
		for i := 1; i+1 < len(words); i++ {
			if words[i] == key {
				return words[i+1]
			}
		}
		return otherwise
	}
	amount := func(text string) Amount {
		a, err := curve.ParseCredits(text)
		require.NoError(s.t, err, line)
		return a
	}
	number64 := func(text string) uint64 {
		n, err := strconv.ParseUint(text, 10, 64)
		require.NoError(s.t, err, line)
		return n
	}
	member := func(name string) uint32 {
		i, err := strconv.Atoi(strings.TrimPrefix(name, "m"))
		if err != nil {
			return 1 // an outsider who says it is the first
		}
		return uint32(i)
	}
	sign := func(p Payload) ([]byte, bool) {
		n, err := strconv.ParseUint(option("nonce", strconv.FormatUint(nonce, 10)), 10, 64)
		require.NoError(s.t, err, line)
		until, err := strconv.ParseUint(option("until", "1000000"), 10, 64)
		require.NoError(s.t, err, line)
		chain := w.chain
		if option("chain", "ours") != "ours" {
			chain = Hash{9}
		}
		raw, err := Sign(testKey(name), chain, Body{Nonce: n, ValidUntil: until, Payload: p})
		require.NoError(s.t, err, line)
		return raw, n == nonce && until >= w.height+1 && chain == w.chain
	}
	root := func(rid Hash) Hash {
		switch option("root", "same") {
		case "none":
			return Hash{}
		case "same":
			return pixels(rid)
		}
		return Hash{0xbb}
	}
	switch words[0] {
	case "repeats":
		return s.last[name], false
	case "sends":
		return sign(Send{To: addressOf(words[3]), Amount: amount(words[1])})
	case "refills":
		n, err := strconv.Atoi(words[1])
		require.NoError(s.t, err, line)
		return sign(w.refill(member(name), n))
	case "rotates":
		p := w.rotation()
		if option("proof", "good") != "good" {
			p.Ciphertext[100] ^= 1
		}
		p.Base = number64(option("base", strconv.FormatUint(p.Base, 10)))
		return sign(p)
	case "stores":
		return sign(Stored{KeyEpoch: number64(words[1])})
	case "trains":
		p := s.room().plan()
		p.Number = number64(words[1])
		p.Steps = number64(option("steps", "10"))
		if option("model", "current") != "current" {
			p.ModelID[0] ^= 1
		}
		return sign(Train{Plan: p})
	case "joins":
		n := number64(words[1])
		t := view(w, func(v View) Training { t, _ := v.Training(n); return t })
		p := Join{Number: n, Reader: s.room().readerKey(t).Commitment()}
		if option("opened", "it") != "it" {
			p.Reader[0] ^= 1
		}
		return sign(p)
	case "adopts":
		return sign(Adopt{KeyEpoch: number64(words[1])})
	case "seals":
		p := w.sealFor(view(w, View.NextKeyEpoch), words[1])
		if option("label", "right") != "right" {
			p.PolicyHash[0] ^= 1
		}
		if n := number64(option("training", "0")); n != 0 {
			t := view(w, func(v View) Training { t, _ := v.Training(n); return t })
			p.Training, p.Name = n, TrainedName(w.modelAt(max(1, t.KeyEpoch)).Name, n)
		}
		return sign(p)
	case "records": // version 1 as a of round 1: a file by its name
		id := func(name string) Hash { return sha256.Sum256([]byte(name)) }
		return sign(RecordPrior{Version: number64(words[2]), Round: number64(option("round", "0")), Prior: id(option("as", "first")), Lexicon: id(option("lexicon", "words"))})
	case "requests":
		prompt := ""
		if _, quoted, ok := strings.Cut(line, `"`); ok {
			prompt, _, _ = strings.Cut(quoted, `"`)
		}
		return sign(Request{Prompt: prompt, ModelID: w.modelID()})
	case "redraws", "films":
		e := Edition{ModelID: w.modelID(), Of: []Hash{s.rid(words[1])}, Size: number64(option("size", "1000")), Frames: number64(option("frames", "0")),
			Length: number64(option("length", "0")), Once: option("way", "and-back") == "once", Changes: []byte(strings.ReplaceAll(option("changes", "none"), "none", ""))}
		if of := option("colours", "own"); of != "own" {
			rid := s.rid(of)
			e.Colours = &rid
		}
		if words[0] == "films" {
			e.Of = append(e.Of, s.rid(words[2]))
		}
		if option("model", "current") != "current" {
			e.ModelID = Hash{9}
		}
		return sign(e)
	case "certifies":
		of := s.rid(words[1])
		var by []uint32
		for _, m := range strings.Split(option("by", "m1,m2,m3"), ",") {
			by = append(by, member(m))
		}
		p := w.certificateFor(s.rid(option("for", words[1])), by...)
		p.RID = of
		return sign(p)
	case "registers":
		rid := s.rid(words[1])
		if option("root", "same") == "none" { // an edition that is too large
			return sign(Register{RID: rid})
		}
		return sign(Register{RID: rid, CID: folder(s.rid(option("folder", words[1]))), PixelRoot: root(rid)})
	case "attests":
		rid := s.rid(words[1])
		return sign(Attest{RID: rid, PixelRoot: root(rid)})
	case "backs":
		deposit := option("with", "10")
		n, err := strconv.ParseUint(option("round", "1"), 10, 64)
		require.NoError(s.t, err, line)
		o := w.backing(option("as", name), n, s.rid(words[1]), amount(option("escrow", deposit)), amount(deposit), amount(option("min", "0")))
		if option("box", "sound") == "empty" {
			o = w.sealed(n, o.Escrow, []byte("nothing to see"))
		}
		if option("label", "right") != "right" {
			o.Round, o.Box = n, w.backing(name, n+1, s.rid(words[1]), o.Escrow, o.Escrow, Amount{}).Box
		}
		return sign(o)
	case "opens":
		n, err := strconv.ParseUint(option("round", "1"), 10, 64)
		require.NoError(s.t, err, line)
		p := w.opening(member(option("as", name)), n)
		if option("proof", "good") != "good" {
			p.Share[len(p.Share)-1] ^= 1
		}
		return sign(p)
	case "sells":
		return sign(Sell{RID: s.rid(words[3]), Tokens: amount(words[1]), MinOut: amount(option("min", "0"))})
	}
	s.t.Fatalf("no such command: %s", line)
	return nil, false
}

// whose resolves the members that a seed drew: "generator2" is the second who may
// generate, "auditor" the first who may audit, "rotator" the first who may rotate.
func (s *story) whose(words []string) string {
	if nth, ok := strings.CutPrefix(words[0], "rotator"); ok {
		i, err := strconv.Atoi("0" + nth)
		require.NoError(s.t, err)
		return memberName(s.w.turns()[max(i, 1)-1])
	}
	if nth, ok := strings.CutPrefix(words[0], "trainer"); ok {
		i, err := strconv.Atoi("0" + nth)
		require.NoError(s.t, err)
		return memberName(s.room().training().Sealers()[max(i, 1)-1])
	}
	for role, drawn := range map[string]func(Artwork) []uint32{
		"generator": func(a Artwork) []uint32 { return a.Order },
		"auditor":   Artwork.Auditors,
	} {
		if nth, ok := strings.CutPrefix(words[0], role); ok {
			i, err := strconv.Atoi("0" + nth)
			require.NoError(s.t, err)
			return memberName(drawn(s.w.artwork(s.rid(words[2])))[max(i, 1)-1])
		}
	}
	return words[0]
}

// room is where the members train their artist.
func (s *story) room() *classroom {
	if s.class == nil {
		s.class = classroomOf(s.w)
	}
	return s.class
}

func (s *story) rid(name string) Hash {
	if n, ok := strings.CutPrefix(name, "t"); ok {
		i, err := strconv.ParseUint(n, 10, 64)
		require.NoError(s.t, err)
		return view(s.w, func(v View) Hash { t, _ := v.Training(i); return t.RID })
	}
	i, err := strconv.Atoi(strings.TrimPrefix(name, "r"))
	require.NoError(s.t, err)
	if i > len(s.byID) {
		return Hash{byte(i)}
	}
	return s.byID[i-1]
}

func (s *story) show(words []string) string {
	switch words[0] {
	case "account":
		a := view(s.w, func(v View) Account { return v.Account(addressOf(words[1])) })
		return fmt.Sprintf("%s: %s free, %s locked, nonce %d", words[1], a.Balance.Credits(), a.Locked.Credits(), a.Nonce)
	case "artwork":
		a := s.w.artwork(s.rid(words[1]))
		return s.names(fmt.Sprintf("%s: %s, order %v, generator %d, auditor %d, backing %s by %d, %q",
			words[1], a.Status, a.Order, a.Generator, a.Auditor, a.Backing.Credits(), a.Backers, a.Reason))
	case "prior":
		return s.names(fmt.Sprintf("%s is drawn from %s", words[1], s.w.artwork(s.rid(words[1])).Prior))
	case "taste":
		p := view(s.w, func(v View) Prior { p, _ := v.PriorAt(uint64(must(strconv.Atoi(words[1])))); return p })
		out := fmt.Sprintf("version %d of round %d: %s, adopted at %d, recorded by", p.Version, p.Round, p.ID, p.Height)
		for _, r := range p.Records {
			out += fmt.Sprintf(" m%d as %s", r.Member, r.ID)
		}
		return s.names(fmt.Sprintf("%s; otherwise by %v", out, p.Differs()))
	case "market":
		m := view(s.w, func(v View) Market { m, _ := v.Market(s.rid(words[1])); return m })
		return fmt.Sprintf("%s: supply %s, reserve %s, sales %d", words[1], m.Supply.Credits(), m.Reserve.Credits(), m.Sales)
	case "model":
		m := s.w.modelAt(uint64(must(strconv.Atoi(words[1]))))
		return fmt.Sprintf("key epoch %d: %s %q of member %d, base %d, %s, stored by %v, before %d, %d approved, opened by %v, %q",
			m.KeyEpoch, m.Standing, m.Name, m.Sealer, m.Base, plural(m.Layers, "layer"), m.Stored, m.Before, m.Approved, m.Openers, m.Reason)
	case "training":
		t := s.room().training()
		return fmt.Sprintf("training %d: %s until %d, joined %d, trainers %v, counted %v, sealers %v, key epochs %v, adopted %d, failed %v, %q",
			t.Plan.Number, t.Status, t.Until, len(t.Joined), t.Trainers, t.Counted, t.Sealers(), t.Results, t.Adopted, numbers(t.Culprits), t.Reason)
	case "turns":
		return fmt.Sprintf("turns: %v", s.w.turns())
	case "keep":
		var epochs []uint64
		for _, m := range view(s.w, View.Keep) {
			epochs = append(epochs, m.KeyEpoch)
		}
		return fmt.Sprintf("keep: %v", epochs)
	case "editions":
		var of []string
		for _, a := range view(s.w, func(v View) []Artwork { return v.Editions(s.rid(words[1]), 10) }) {
			of = append(of, fmt.Sprintf("%s %s", a.RID, a.Status))
		}
		return s.names(fmt.Sprintf("editions of %s: %q", words[1], of))
	case "kept":
		var kept []string
		for _, a := range view(s.w, View.Kept) {
			kept = append(kept, a.RID.String())
		}
		return s.names(fmt.Sprintf("kept: %v", kept))
	case "treasury":
		v := view(s.w, View.Treasury)
		return fmt.Sprintf("treasury: %s, fees %s, tributes %s", v.Balance.Credits(), v.Fees.Credits(), v.Tributes.Credits())
	}
	s.t.Fatalf("cannot show %v", words)
	return ""
}

// event writes an event as people read it.
func (s *story) event(e Event) string {
	if e.Kind == EventArtworkRequested {
		rid, err := ParseHash(e.Get("rid"))
		require.NoError(s.t, err)
		s.byID = append(s.byID, rid)
		s.rids[rid] = fmt.Sprintf("r%d", len(s.byID))
	}
	line := e.Kind
	for _, a := range e.Attributes {
		value := a.Value
		if amounts[a.Key] {
			parsed, err := curve.ParseAmount(value)
			require.NoError(s.t, err)
			value = parsed.Credits()
		}
		if strings.Contains(value, " ") {
			value = strconv.Quote(value)
		}
		line += " " + a.Key + "=" + value
	}
	return s.names(line)
}

// amounts are the attributes that stories show in credits or tokens.
var amounts = map[string]bool{
	"amount": true, "deposit": true, "escrow": true, "refund": true, "cost": true, "tribute": true, "tokens": true, "payout": true,
	"supply": true, "reserve": true, "backing": true, "treasury_tribute": true, "maker_tribute": true, "maker_pay": true, "min_out": true, "price": true,
}

// names puts names for accounts, requests and folders, and cuts other hex.
func (s *story) names(text string) string {
	for _, name := range append([]string{"m1", "m2", "m3", "m4"}, collectors...) {
		text = strings.ReplaceAll(text, addressOf(name).String(), name)
	}
	for rid, name := range s.rids {
		text = strings.ReplaceAll(text, rid.String(), name)
		text = strings.ReplaceAll(text, folder(rid), "folder-"+name)
		text = strings.ReplaceAll(text, pixels(rid).String(), "pixels-"+name)
	}
	return longHex.ReplaceAllString(text, "$1…")
}
