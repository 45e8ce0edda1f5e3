package curation

import (
	"cmp"
	"crypto/ed25519"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	voi "github.com/oasisprotocol/curve25519-voi/primitives/ed25519"

	"github.com/atelier-dao/atelier/curation/state"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/shamir/seal"
)

// A member that breaks the protocol in one of three ways leaves something behind that
// nobody else can have made, and that no honest member ever makes: it signs a released
// share that is wrong, another ceremony message than the one that the ledger has from
// it, or an approval of another statement than the ledger's. Whoever holds that brings
// it, and the ledger judges it by what it holds itself. Evidence says what somebody
// did and never what somebody left undone, which nobody could prove.
//
// Each kind is bound to the one occasion that it is about, so that what was said on
// another cannot be used: a share to the certificate that it was released for, a
// message to its ceremony's attempt, an approval to the committee that the request has.
// Of attempts that came to nothing the ledger remembers so much; see abortedCeremony.

// Offence is what a member was convicted of.
type Offence string

// The offences.
const (
	OffenceShare     Offence = "wrong_share"          // signed a released share whose proof does not hold
	OffenceCeremony  Offence = "second_message"       // signed a second commit or bundle of one ceremony
	OffenceStatement Offence = "conflicting_approval" // approved another statement about a request
)

// MaxReleasedShare is the most bytes of a released share that can be evidence: what
// members take as an answer. It is more than seal.MaxRelease, so that a share which is
// too long can be evidence too.
const MaxReleasedShare = 960

// SignedShare is a released share under the signature of the member that released it.
type SignedShare struct {
	_         struct{} `cbor:",toarray"`
	RID       Hash
	Role      uint8  // seal.Role of the reader
	Reader    uint32 // member
	Share     []byte // as it was sent; at most MaxReleasedShare
	Signature [64]byte
}

// ReleaseDigest is what a member signs, with its account's key, when it releases a
// share: hash("release", context, reader, role, share) with the context of the
// certificate, which names chain, epoch, request and table of readers.
func ReleaseDigest(context Hash, role seal.Role, reader uint32, share []byte) Hash {
	return hash("release", context[:], number(uint64(reader)), []byte{byte(role)}, share)
}

// SignRelease makes the signature of a released share.
func SignRelease(key ed25519.PrivateKey, context Hash, role seal.Role, reader uint32, share []byte) [64]byte {
	digest := ReleaseDigest(context, role, reader, share)
	return [64]byte(ed25519.Sign(key, digest[:]))
}

// VerifyRelease says whether the signature of a released share is the account's, by
// the rules of ZIP-215.
func VerifyRelease(account Address, context Hash, role seal.Role, reader uint32, share []byte, signature [64]byte) bool {
	digest := ReleaseDigest(context, role, reader, share)
	return voi.VerifyWithOptions(account[:], digest[:], signature[:], &voi.Options{Verify: voi.VerifyOptionsZIP_215})
}

// SignedStatement is a member's approval of a statement.
type SignedStatement struct {
	_         struct{} `cbor:",toarray"`
	Statement []byte   // quorum.Statement.Bytes
	Partial   []byte   // quorum.Partial.Bytes
}

// Evidence is what shows that a member broke the protocol: exactly one of Share,
// Message and Approval.
type Evidence struct {
	_        struct{}         `cbor:",toarray"`
	Member   uint32           // who did it
	Share    *SignedShare     // OffenceShare
	Message  []byte           // OffenceCeremony: the transaction with the message that differs from the ledger's
	Approval *SignedStatement // OffenceStatement
}

// Kind is that of the transaction.
func (Evidence) Kind() Kind { return KindEvidence }

// Offence is what the evidence is of, "" when it is of nothing.
func (e Evidence) Offence() (o Offence) {
	switch {
	case e.Share != nil:
		return OffenceShare
	case len(e.Message) != 0:
		return OffenceCeremony
	case e.Approval != nil:
		return OffenceStatement
	}
	return ""
}

// Bytes is the payload of a transaction that brings the evidence; ParseEvidence reads it.
func (e Evidence) Bytes() []byte { return encode(e) }

// ParseEvidence refuses what Validate refuses, and every other form than that of Bytes.
func ParseEvidence(b []byte) (e Evidence, err error) {
	if len(b) > MaxTxBytes {
		return e, fmt.Errorf("evidence of %d bytes, want at most %d", len(b), MaxTxBytes)
	}
	if err := decode(b, &e); err != nil {
		return Evidence{}, err
	}
	return e, e.Validate()
}

// Hash names the evidence.
func (e Evidence) Hash() Hash { return hash("evidence", encode(e)) }

// Validate checks the form of all parts.
func (e Evidence) Validate() error {
	given := 0
	for _, has := range []bool{e.Share != nil, len(e.Message) != 0, e.Approval != nil} {
		if has {
			given++
		}
	}
	switch {
	case e.Member == 0:
		return errors.New("members are numbered from 1")
	case given != 1:
		return fmt.Errorf("evidence of %d things, want one", given)
	case e.Share != nil && len(e.Share.Share) > MaxReleasedShare:
		return fmt.Errorf("released share has %d bytes, want at most %d", len(e.Share.Share), MaxReleasedShare)
	case e.Share != nil:
		return nil
	case e.Approval != nil:
		_, _, err := e.Approval.parse()
		return err
	}
	_, _, err := dealerMessage(e.Message)
	return err
}

func (s SignedStatement) parse() (quorum.Statement, quorum.Partial, error) {
	statement, err := quorum.ParseStatement(s.Statement)
	if err != nil {
		return statement, quorum.Partial{}, err
	}
	partial, err := quorum.ParsePartial(s.Partial)
	return statement, partial, err
}

// dealerMessage reads a transaction that holds a dealer's message. It looks at the kind
// first: evidence inside evidence is not unwrapped.
func dealerMessage(raw []byte) (Tx, CeremonyMessage, error) {
	var env envelope
	var body wireBody
	if len(raw) > MaxTxBytes || decode(raw, &env) != nil || decode(env.Body, &body) != nil || Kind(body.Kind) != KindCeremony {
		return Tx{}, CeremonyMessage{}, errors.New("evidence holds no ceremony message")
	}
	tx, err := Decode(raw)
	if err != nil {
		return Tx{}, CeremonyMessage{}, err
	}
	p := tx.Payload.(CeremonyMessage)
	if !p.once() {
		return Tx{}, CeremonyMessage{}, fmt.Errorf("a member may send several messages of %s", messageName(p.Message))
	}
	return tx, p, nil
}

// once says whether a member has one message of the kind in a ceremony: what a dealer
// says follows from its seed.
func (c CeremonyMessage) once() bool {
	return dkg.Kind(c.Message) == dkg.KindCommit || dkg.Kind(c.Message) == dkg.KindBundle
}

// Conviction is what the ledger holds of a member that was convicted. There is one for
// each member at most: it loses its place for good, and more evidence changes nothing.
type Conviction struct {
	_        struct{} `cbor:",toarray"`
	Member   uint32
	Offence  Offence
	Evidence Hash   // Evidence.Hash
	Reporter uint32 // member; 0 when the message itself stood in the block
	Height   uint64
	Slashed  Amount // what it paid to the treasury
}

// judge refuses evidence that does not show what it is said to show. What is cheap to
// find out comes first. log is the transcript of the current or last ceremony.
func (m *Machine) judge(r state.Reader, log *dkg.Log, e Evidence) error {
	if c, ok := load[Conviction](r, keyConviction(e.Member)); ok {
		return refuse(CodeDuplicate, "member %d was convicted at height %d already", e.Member, c.Height)
	}
	accused, ok := load[Member](r, keyMember(e.Member))
	if !ok {
		return refuse(CodeUnknown, "there is no member %d", e.Member)
	}
	switch {
	case e.Share != nil:
		return m.judgeShare(r, accused, *e.Share)
	case e.Approval != nil:
		return m.judgeApproval(r, accused, *e.Approval)
	}
	tx, p, err := dealerMessage(e.Message)
	switch {
	case err != nil:
		return refuse(CodeMalformed, "%v", err)
	case tx.Signer != accused.Account:
		return refuse(CodeProof, "the message is not from member %d", accused.Index)
	}
	if err := m.judgeMessage(r, log, accused, p); err != nil {
		return err
	}
	if !tx.Verify(m.chain) {
		return refuse(CodeProof, "the message is not signed by member %d for this network", accused.Index)
	}
	return nil
}

// judgeShare: a share of a member with a seat that the member's signature binds to the
// certificate on the ledger, and that is not the member's share for that reader.
func (m *Machine) judgeShare(r state.Reader, accused Member, s SignedShare) error {
	o, ok := openingOf(r, s.RID)
	switch {
	case !ok:
		return refuse(CodeUnknown, "there is no request %v", s.RID)
	case len(o.Certificate) != quorum.SignatureSize:
		return refuse(CodeWrongPhase, "request %v has no certificate: no share is released for it", s.RID)
	}
	committee, ok := m.committeeAt(r, o.Epoch)
	if !ok {
		return tooLate(o.Epoch)
	}
	seats := seatsOf(r, o.Epoch)
	if seats.Of(accused.Index) == 0 {
		return refuse(CodeNotMember, "member %d has no share of epoch %d", accused.Index, o.Epoch)
	}
	statement, certificate := StatementFor(m.chain, o), quorum.Signature(o.Certificate)
	if !VerifyRelease(accused.Account, quorum.Context(statement, certificate), seal.Role(s.Role), s.Reader, s.Share, s.Signature) {
		return refuse(CodeProof, "the share is not signed by member %d for this request, reader and role", accused.Index)
	}
	verified, err := quorum.Verify(committee, statement, certificate)
	if err != nil { // the ledger has verified it
		return refuse(CodeProof, "%v", err)
	}
	layers, err := Ciphertexts(m.chain, committee.X(), layersAt(r, o.KeyEpoch))
	if err != nil { // the same
		return refuse(CodeProof, "%v", err)
	}
	seat, err := seal.VerifyRelease(committee, layers, verified, seal.Reader{Member: s.Reader, Role: seal.Role(s.Role), Prekeys: o.Readers()}, s.Share)
	switch {
	case errors.Is(err, seal.ErrRelease): // not the share's fault: there is no such reader or role
		return refuse(CodeProof, "%v", err)
	case err == nil && seats.At(seat) == accused.Index:
		return refuse(CodeProof, "the share of member %d is right", accused.Index)
	}
	return nil
}

// judgeMessage: another commit or bundle than the one that the ledger has from the
// member, in the same attempt at the same committee.
func (m *Machine) judgeMessage(r state.Reader, log *dkg.Log, accused Member, p CeremonyMessage) error {
	said, err := m.said(r, log, accused, p)
	switch {
	case err != nil:
		return err
	case said == Hash{}:
		return refuse(CodeUnknown, "the ledger has no %s of member %d that this one could contradict", messageName(p.Message), accused.Index)
	case said == saidHash(p.Data):
		return refuse(CodeProof, "this is the %s of member %d that the ledger has", messageName(p.Message), accused.Index)
	}
	return nil
}

// said is what the ledger has from a member in the place of a ceremony message, by its
// hash: in the transcripts of the committees in force, before and to be, or in what is
// remembered of a ceremony that was aborted.
func (m *Machine) said(r state.Reader, log *dkg.Log, accused Member, p CeremonyMessage) (Hash, error) {
	if a, ok := load[abortedCeremony](r, keyAbortedCeremony(p.Epoch, p.Attempt)); ok {
		i := slices.IndexFunc(a.Dealers, func(s spoken) bool { return s.Member == accused.Index })
		if i < 0 {
			return Hash{}, nil
		}
		return a.Dealers[i].said(dkg.Kind(p.Message)), nil
	}
	ceremony := must2(load[ceremonyState](r, keyCeremony))
	attempt, receivers := ceremony.Attempt, ceremony.Seats
	if p.Epoch != ceremony.Epoch {
		record, ok := load[Committee](r, keyCommitteeRecord(p.Epoch))
		kept := false
		if log, kept = m.transcripts.read(r, keyLog(p.Epoch)); !kept || !ok {
			return Hash{}, tooLate(p.Epoch)
		}
		attempt, receivers = record.Attempt, record.Seats
	}
	if p.Attempt != attempt {
		return Hash{}, refuse(CodeWrongPhase, "message for attempt %d at epoch %d, of which the ledger has no messages any more or none yet: it is at attempt %d", p.Attempt, p.Epoch, attempt)
	}
	dealers := receivers
	if before := log.Params().Previous; before != nil {
		dealers = nil // guardians deal in a recovery, and no member then
		if c, ok := m.committeeAt(r, before.Epoch()); ok && c.Digest() == before.Digest() {
			dealers = seatsOf(r, before.Epoch())
		}
	}
	return saidHash(log.Said(dealers.Of(accused.Index), dkg.Kind(p.Message))), nil
}

// atHand says whether it costs little to judge a message: its ceremony is the current
// or last one, or was aborted not long ago.
func (p CeremonyMessage) atHand(r state.Reader, log *dkg.Log) bool {
	return p.Epoch == log.Params().Epoch || remembers(r, p.Epoch, p.Attempt)
}

// judgeApproval: a signature of the member's share of the request's committee over
// another statement about the request. Shares that guardians dealt are known to as many
// of them as act for all, so with those nobody is convicted; the next handover is dealt
// by members again.
func (m *Machine) judgeApproval(r state.Reader, accused Member, s SignedStatement) error {
	statement, partial, err := s.parse()
	if err != nil {
		return refuse(CodeMalformed, "%v", err)
	}
	o, ok := openingOf(r, statement.RID)
	switch {
	case statement.Chain != m.chain:
		return refuse(CodeProof, "the statement is of another network")
	case !ok:
		return refuse(CodeUnknown, "there is no request %v", Hash(statement.RID))
	case statement.Epoch != o.Epoch:
		return refuse(CodeProof, "the statement is of epoch %d, the request of epoch %d", statement.Epoch, o.Epoch)
	case statement == StatementFor(m.chain, o):
		return refuse(CodeProof, "the statement is the one that the ledger holds")
	case len(must2(load[Committee](r, keyCommitteeRecord(o.Epoch))).Guardians) > 0:
		return refuse(CodeProof, "guardians dealt the shares of epoch %d and can sign with each of them: such a signature shows nothing about the member", o.Epoch)
	case seatsOf(r, o.Epoch).At(partial.Index) != accused.Index:
		return refuse(CodeNotMember, "share %d of epoch %d is not member %d's", partial.Index, o.Epoch, accused.Index)
	}
	committee, ok := m.committeeAt(r, o.Epoch)
	if !ok {
		return tooLate(o.Epoch)
	}
	if err := quorum.VerifyApproval(committee, statement, partial); err != nil {
		return refuse(CodeProof, "%v", err)
	}
	return nil
}

func tooLate(epoch uint64) error {
	return refuse(CodeWrongPhase, "the ledger no longer holds what judges epoch %d: evidence is for the committee in force and the one before", epoch)
}

// evidence takes evidence from a member.
func (x *execution) evidence(signer Address, p Evidence) error {
	reporter, err := x.member(signer)
	if err != nil {
		return err
	}
	if err := x.machine.judge(x.st, x.log, p); err != nil {
		return err
	}
	x.convict(reporter.Index, p)
	return nil
}

// contradicts convicts the sender of a ceremony message that differs from what the
// ledger has from it: the block itself is the evidence.
func (x *execution) contradicts(member Member, tx Tx, p CeremonyMessage) bool {
	if _, convicted := x.st.Get(keyConviction(member.Index)); convicted || !p.once() || !p.atHand(x.st, x.log) {
		return false
	}
	if x.machine.judgeMessage(x.st, x.log, member, p) != nil {
		return false
	}
	x.convict(0, Evidence{Member: member.Index, Message: tx.bytes()})
	return true
}

// convict records a conviction, slashes what the member has free, and sends it on its
// way out.
func (x *execution) convict(reporter uint32, e Evidence) {
	m := must2(load[Member](x.st, keyMember(e.Member)))
	acc := account(x.st, m.Account)
	slashed := x.params().SlashPPM.Of(acc.Balance)
	if !slashed.IsZero() {
		acc.Balance = acc.Balance.Sub(slashed)
		save(x.st, keyAccount(m.Account), acc)
		x.treasury.Balance, x.treasury.Slashes = x.treasury.Balance.Add(slashed), x.treasury.Slashes.Add(slashed)
	}
	c := Conviction{Member: m.Index, Offence: e.Offence(), Evidence: e.Hash(), Reporter: reporter, Height: x.height, Slashed: slashed}
	save(x.st, keyConviction(m.Index), c)
	x.emit(EventMemberConvicted, m.Index, string(c.Offence), reporter, c.Evidence, slashed)
	x.expel(m)
}

// expel sends a convicted member on its way out, if it may go: not before there is a
// committee, nor as the last one who stays. Every new committee asks again.
func (x *execution) expel(m Member) {
	if x.mayGo(m) == nil {
		x.goes(m, nil)
	}
}

// expelConvicted sends those on their way out who could not go before.
func (x *execution) expelConvicted() {
	for _, c := range records[Conviction](x.block, []byte("evidence/")) {
		x.expel(must2(load[Member](x.block, keyMember(c.Member))))
	}
}

// Judge says why the ledger would not take the evidence in the next block, nil when it
// would.
func (v View) Judge(e Evidence) error {
	if err := e.Validate(); err != nil {
		return err
	}
	return v.m.judge(v.m.store, v.m.log, e)
}

// Convictions are all convictions, by member.
func (v View) Convictions() []Conviction { return records[Conviction](v.m.store, []byte("evidence/")) }

// Conviction is that of a member, if it was convicted.
func (v View) Conviction(member uint32) (Conviction, bool) {
	return load[Conviction](v.m.store, keyConviction(member))
}

// Contradictions is evidence that came to this node's pool: ceremony messages that
// differ from what the ledger has from their signers, one of each. A message that
// stands in a block needs nobody to bring it; one that never will, because another
// transaction has its nonce, does.
func (v View) Contradictions() []Evidence { return v.m.overheard.list() }

// overheard holds the contradictions that a pool has seen. It is bounded by the
// members.
type overheard struct {
	mu       sync.Mutex // guards evidence
	evidence map[uint32]Evidence
}

// overhear keeps a transaction, whose signature is good, if it convicts its signer.
// The caller holds Machine.mu.
func (m *Machine) overhear(tx Tx) {
	p, ok := tx.Payload.(CeremonyMessage)
	if !ok || !p.once() || !p.atHand(m.store, m.log) || m.byAccount[tx.Signer] == 0 {
		return
	}
	member := must2(load[Member](m.store, keyMember(m.byAccount[tx.Signer])))
	if _, convicted := m.store.Get(keyConviction(member.Index)); convicted || m.judgeMessage(m.store, m.log, member, p) != nil {
		return
	}
	m.overheard.mu.Lock()
	defer m.overheard.mu.Unlock()
	if _, known := m.overheard.evidence[member.Index]; known {
		return
	}
	if m.overheard.evidence == nil {
		m.overheard.evidence = map[uint32]Evidence{}
	}
	m.overheard.evidence[member.Index] = Evidence{Member: member.Index, Message: tx.bytes()}
}

// settleOverheard forgets what a block has settled. The caller holds Machine.mu.
func (m *Machine) settleOverheard() {
	m.overheard.mu.Lock()
	defer m.overheard.mu.Unlock()
	maps.DeleteFunc(m.overheard.evidence, func(_ uint32, e Evidence) bool { return m.judge(m.store, m.log, e) != nil })
}

func (o *overheard) list() []Evidence {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.SortedFunc(maps.Values(o.evidence), func(a, b Evidence) int { return cmp.Compare(a.Member, b.Member) })
}
