package p2p

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/stretchr/testify/require"
)

// foundingOf is a founding of some seats with a token for each newcomer.
// Identity 1 founds; token n is for nobody in particular.
func foundingOf(t testing.TB, seats int, change ...func(*FoundingConfig)) (*Founding, FoundingConfig) {
	t.Helper()
	c := FoundingConfig{Charter: [32]byte{7}, Seats: seats, Founder: testID(t, 1), Record: []byte("founder")}
	for n := 2; n <= seats+1; n++ { // one more than there are seats
		c.Tokens = append(c.Tokens, Token{byte(n)})
	}
	for _, f := range change {
		f(&c)
	}
	f, err := NewFounding(c)
	require.NoError(t, err)
	return f, c
}

// request is what identity n asks with token n.
func request(n int) JoinRequest {
	return JoinRequest{Charter: [32]byte{7}, Token: Token{byte(n)}, Record: fmt.Appendf(nil, "record %d", n)}
}

// joinAs steps and returns the answer, with the other effects.
func joinAs(t testing.TB, f *Founding, n int, r JoinRequest) (AnswerJoin, []FoundingEffect) {
	t.Helper()
	var answers []AnswerJoin
	var others []FoundingEffect
	for _, e := range f.Step(JoinAsked{From: testID(t, uint64(n)), Request: r}) {
		if a, ok := e.(AnswerJoin); ok {
			answers = append(answers, a)
		} else {
			others = append(others, e)
		}
	}
	require.Len(t, answers, 1)
	require.Equal(t, testID(t, uint64(n)), answers[0].To)
	return answers[0], others
}

func TestAFoundingGathersItsMembers(t *testing.T) {
	f, c := foundingOf(t, 3)
	fetch := func(n int) AnswerGenesis {
		effects := f.Step(GenesisAsked{From: testID(t, uint64(n)), Charter: c.Charter})
		require.Len(t, effects, 1)
		return effects[0].(AnswerGenesis)
	}
	answer, others := joinAs(t, f, 2, request(2))
	require.NoError(t, answer.Err)
	require.Equal(t, JoinResponse{Seat: 2, Have: 2, Want: 3}, answer.Response)
	second := Registration{Seat: 2, Peer: testID(t, 2), Record: []byte("record 2"), Token: Token{2}}
	require.Equal(t, []FoundingEffect{MemberRegistered{second}}, others)

	require.Equal(t, CodeNotRegistered, CodeOf(fetch(3).Err))
	early := fetch(2)
	require.Equal(t, CodeNotYet, CodeOf(early.Err))
	require.ErrorContains(t, early.Err, "2 of 3 members have joined")
	require.Empty(t, f.Step(GenesisReady{[]byte("too early")}))
	require.False(t, f.Full())

	answer, others = joinAs(t, f, 3, request(3))
	require.Equal(t, JoinResponse{Seat: 3, Have: 3, Want: 3}, answer.Response)
	require.Len(t, others, 2)
	require.Equal(t, SeatsTaken{f.Registrations()}, others[1])
	require.True(t, f.Full())
	require.Len(t, f.Registrations(), 3)

	require.Equal(t, CodeNotYet, CodeOf(fetch(2).Err), "the document is not made yet")
	require.Empty(t, f.Step(GenesisReady{[]byte("genesis")}))
	require.Empty(t, f.Step(GenesisReady{[]byte("another")}), "it is made once")
	for n := 1; n <= 3; n++ {
		require.Equal(t, "genesis", string(fetch(n).Document))
	}
	wrong := f.Step(GenesisAsked{From: testID(t, 2), Charter: [32]byte{8}})[0].(AnswerGenesis)
	require.Equal(t, CodeWrongCharter, CodeOf(wrong.Err))
}

func TestWhomAFounderRefuses(t *testing.T) {
	refused := func(name string, f *Founding, n int, r JoinRequest, want Code) {
		t.Helper()
		before := f.Registrations()
		answer, others := joinAs(t, f, n, r)
		require.Equal(t, want, CodeOf(answer.Err), name)
		require.Empty(t, others, name)
		require.Equal(t, before, f.Registrations(), name)
	}
	f, _ := foundingOf(t, 3, func(c *FoundingConfig) {
		c.Check = func(_ peer.ID, record []byte) error {
			if string(record) == "ugly" {
				return errors.New("a member record must not be ugly")
			}
			return nil
		}
	})
	changed := func(n int, change func(*JoinRequest)) JoinRequest {
		r := request(n)
		change(&r)
		return r
	}
	refused("wrong charter hash", f, 2, changed(2, func(r *JoinRequest) { r.Charter[31] = 1 }), CodeWrongCharter)
	refused("wrong token", f, 2, changed(2, func(r *JoinRequest) { r.Token[15] = 1 }), CodeWrongToken)
	refused("the zero token of the founder's seat", f, 2, changed(2, func(r *JoinRequest) { r.Token = Token{} }), CodeWrongToken)
	refused("no record", f, 2, changed(2, func(r *JoinRequest) { r.Record = nil }), CodeBadRecord)
	refused("a record that is too long", f, 2, changed(2, func(r *JoinRequest) { r.Record = make([]byte, MaxRecord+1) }), CodeBadRecord)
	refused("a record that the check refuses", f, 2, changed(2, func(r *JoinRequest) { r.Record = []byte("ugly") }), CodeBadRecord)
	refused("the founder itself", f, 1, request(2), CodeRegistered)

	answer, _ := joinAs(t, f, 2, request(2))
	require.NoError(t, answer.Err)
	refused("a token used by somebody else", f, 3, request(2), CodeTokenUsed)
	refused("a second seat by a second token", f, 2, request(3), CodeRegistered)
	refused("the same token with another record", f, 2, changed(2, func(r *JoinRequest) { r.Record = []byte("new") }), CodeRegistered)

	answer, _ = joinAs(t, f, 3, request(3))
	require.NoError(t, answer.Err)
	refused("full, with a good token", f, 4, request(4), CodeFull)
	refused("full, with a used token", f, 4, request(3), CodeTokenUsed)

	for n := 2; n <= 3; n++ { // asking again changes nothing, full or not
		answer, others := joinAs(t, f, n, request(n))
		require.NoError(t, answer.Err)
		require.Equal(t, JoinResponse{Seat: uint64(n), Have: 3, Want: 3}, answer.Response)
		require.Empty(t, others)
	}
}

func TestATokenMayBeIssuedLater(t *testing.T) {
	f, _ := foundingOf(t, 3, func(c *FoundingConfig) { c.Tokens = nil })
	answer, _ := joinAs(t, f, 2, request(2))
	require.Equal(t, CodeWrongToken, CodeOf(answer.Err))
	f.Step(TokenIssued{Token{2}})
	answer, _ = joinAs(t, f, 2, request(2))
	require.NoError(t, answer.Err)
	f.Step(TokenIssued{Token{2}})
	answer, _ = joinAs(t, f, 3, request(2))
	require.Equal(t, CodeTokenUsed, CodeOf(answer.Err), "issuing a used token does not free it")
}

func TestARequestCannotBeChangedAfterwards(t *testing.T) {
	f, _ := foundingOf(t, 2)
	r := request(2)
	joinAs(t, f, 2, r)
	r.Record[0] = 'X'
	require.Equal(t, "record 2", string(f.Registrations()[1].Record))
}

func TestAFoundingResumesAfterACrash(t *testing.T) {
	f, c := foundingOf(t, 3)
	joinAs(t, f, 2, request(2))
	c.Registered = f.Registrations()[1:]
	again, err := NewFounding(c)
	require.NoError(t, err)
	require.Equal(t, f.Registrations(), again.Registrations())
	answer, _ := joinAs(t, again, 2, request(2))
	require.Equal(t, JoinResponse{Seat: 2, Have: 2, Want: 3}, answer.Response)
	answer, _ = joinAs(t, again, 3, request(2))
	require.Equal(t, CodeTokenUsed, CodeOf(answer.Err))

	joinAs(t, again, 3, request(3))
	c.Registered = again.Registrations()[1:]
	full, err := NewFounding(c)
	require.NoError(t, err)
	require.True(t, full.Full())
}

func TestAFoundingIsRefusedWithAReason(t *testing.T) {
	for want, change := range map[string]func(*FoundingConfig){
		"0 seats":                      func(c *FoundingConfig) { c.Seats = 0 },
		"256 seats":                    func(c *FoundingConfig) { c.Seats = 256 },
		"founder":                      func(c *FoundingConfig) { c.Founder = "" },
		"founder's record":             func(c *FoundingConfig) { c.Record = nil },
		"has seat 3, want 2":           func(c *FoundingConfig) { c.Registered = []Registration{{Seat: 3, Peer: testID(t, 3)}} },
		"2 registrations for 1 seats":  func(c *FoundingConfig) { c.Seats, c.Registered = 1, []Registration{{Seat: 2, Peer: testID(t, 3)}} },
		testID(t, 1).String() + " is ": func(c *FoundingConfig) { c.Registered = []Registration{{Seat: 2, Peer: testID(t, 1)}} },
	} {
		c := FoundingConfig{Seats: 3, Founder: testID(t, 1), Record: []byte("founder")}
		change(&c)
		_, err := NewFounding(c)
		require.ErrorContains(t, err, want)
	}
	alone, err := NewFounding(FoundingConfig{Seats: 1, Founder: testID(t, 1), Record: []byte("founder")})
	require.NoError(t, err)
	require.True(t, alone.Full(), "a network of one is founded at once")
}

func TestJoiningAsOneStory(t *testing.T) {
	i := testInvitation(t)
	j := NewJoining(JoiningConfig{Invitation: i, Record: []byte("me"), Check: func(d []byte) error {
		if string(d) == "without me" {
			return errors.New("my record is missing")
		}
		return nil
	}})
	const s = time.Second
	away := fmt.Errorf("founder: %w", ErrUnreachable)
	ask := AskJoin{JoinRequest{Token: i.Token, Charter: i.Hash, Record: []byte("me")}}
	fetch := AskGenesis{GenesisRequest{Charter: i.Hash}}
	notYet := &RemoteError{Code: CodeNotYet, Message: "2 of 4 members have joined"}
	lost := &RemoteError{Code: CodeNotRegistered}
	for n, step := range []struct {
		at    time.Duration
		event JoiningEvent
		want  []JoiningEffect
	}{
		{0, Tick{}, []JoiningEffect{ask}},
		{0, Tick{}, nil}, // one question at a time
		{0, GenesisAnswered{Document: []byte("unasked")}, nil},
		{1 * s, JoinAnswered{Err: away}, []JoiningEffect{Waiting{Err: away}, WakeAt{1*s + s/2}}},
		{1 * s, JoinAnswered{Response: JoinResponse{Seat: 9, Have: 9, Want: 9}}, nil}, // unasked too
		{2 * s, Tick{}, []JoiningEffect{ask}},
		{3 * s, JoinAnswered{Err: away}, []JoiningEffect{Waiting{Err: away}, WakeAt{4 * s}}},
		{4 * s, Tick{}, []JoiningEffect{ask}},
		{5 * s, JoinAnswered{Response: JoinResponse{Seat: 2, Have: 2, Want: 4}}, []JoiningEffect{Waiting{Seat: 2, Have: 2, Want: 4}, fetch}},
		{6 * s, GenesisAnswered{Err: notYet}, []JoiningEffect{Waiting{Seat: 2, Have: 2, Want: 4, Err: notYet}, WakeAt{7 * s}}},
		{7 * s, Tick{}, []JoiningEffect{fetch}},
		{8 * s, GenesisAnswered{Err: lost}, []JoiningEffect{Waiting{Seat: 2, Have: 2, Want: 4, Err: lost}, WakeAt{8*s + s/2}}},
		{9 * s, Tick{}, []JoiningEffect{ask}}, // the founder forgot: register again
		{9 * s, JoinAnswered{Response: JoinResponse{Seat: 3, Have: 4, Want: 4}}, []JoiningEffect{Waiting{Seat: 3, Have: 4, Want: 4}, fetch}},
		{9 * s, GenesisAnswered{Document: []byte("genesis")}, []JoiningEffect{Joined{Seat: 3, Document: []byte("genesis")}}},
		{9 * s, Tick{}, nil},
	} {
		require.Equal(t, step.want, j.Step(step.at, step.event), "step %d", n)
	}
}

func TestWhatEndsAJoining(t *testing.T) {
	for want, err := range map[error]error{
		ErrWrongCharter:  &RemoteError{Code: CodeWrongCharter},
		ErrWrongToken:    &RemoteError{Code: CodeWrongToken},
		ErrTokenUsed:     &RemoteError{Code: CodeTokenUsed},
		ErrFoundingFull:  &RemoteError{Code: CodeFull},
		ErrRegistered:    &RemoteError{Code: CodeRegistered},
		ErrBadRecord:     &RemoteError{Code: CodeBadRecord, Message: "ugly"},
		ErrMalformed:     fmt.Errorf("answer: %w", ErrMalformed),
		ErrNotRegistered: &RemoteError{Code: CodeNotRegistered},
	} {
		j := NewJoining(JoiningConfig{})
		j.Step(0, Tick{})
		effects := j.Step(0, JoinAnswered{Err: err})
		require.Len(t, effects, 1)
		require.ErrorIs(t, effects[0].(JoinFailed).Err, want)
		require.ErrorIs(t, effects[0].(JoinFailed).Err, err)
		require.Nil(t, j.Step(0, Tick{}))
	}
	for _, lie := range []JoinResponse{{}, {Seat: 3, Have: 2, Want: 4}, {Seat: 2, Have: 5, Want: 4}, {Seat: 1, Have: 1, Want: 1 << 63}} {
		j := NewJoining(JoiningConfig{})
		j.Step(0, Tick{})
		require.IsType(t, JoinFailed{}, j.Step(0, JoinAnswered{Response: lie})[0], "%+v", lie)
	}
	j := NewJoining(JoiningConfig{Check: func([]byte) error { return errors.New("my record is missing") }})
	j.Step(0, Tick{})
	j.Step(0, JoinAnswered{Response: JoinResponse{Seat: 2, Have: 2, Want: 2}})
	require.ErrorContains(t, j.Step(0, GenesisAnswered{Document: []byte("x")})[0].(JoinFailed).Err, "my record is missing")
}

func TestANetworkIsFoundedOverRealConnections(t *testing.T) {
	const seats = 4
	founder := testHost(t, 1)
	f, c := foundingOf(t, seats, func(c *FoundingConfig) { c.Tokens = c.Tokens[:1] })
	stored := make(chan Registration, 2*seats)
	broken := true // the disk, once
	service := ServeFounding(founder, f, func(r Registration) error {
		if broken {
			broken = false
			return errors.New("disk full")
		}
		stored <- r
		return nil
	}, nil)
	defer service.Close()
	service.Issue(Token{3})
	service.Issue(Token{4})

	invitation := func(n int) Invitation {
		return Invitation{Network: "harbour", Hash: c.Charter, Inviter: founder.AddrInfo(), Token: Token{byte(n)}}
	}
	type result struct {
		n      int
		joined Joined
		err    error
	}
	results := make(chan result, seats)
	for n := 2; n <= seats; n++ {
		h := testHost(t, uint64(n))
		go func() {
			// The invitation goes through its string, as it would.
			text, err := invitation(n).Encode()
			if err != nil {
				results <- result{n, Joined{}, err}
				return
			}
			i, err := ParseInvitation(text)
			if err != nil {
				results <- result{n, Joined{}, err}
				return
			}
			joined, err := JoinNetwork(within(t), h, JoiningConfig{
				Invitation: i, Record: fmt.Appendf(nil, "record %d", n), MinWait: 10 * time.Millisecond, Poll: 10 * time.Millisecond,
			}, nil)
			results <- result{n, joined, err}
		}()
	}
	members, err := service.Taken(within(t))
	require.NoError(t, err)
	require.Len(t, members, seats)
	for _, m := range members[1:] {
		require.Equal(t, m, <-stored, "stored in order before anybody hears of it")
	}
	service.Publish([]byte("genesis"))
	seen := map[int]bool{}
	for range seats - 1 {
		r := <-results
		require.NoError(t, r.err)
		require.Equal(t, "genesis", string(r.joined.Document))
		require.Equal(t, testID(t, uint64(r.n)), members[r.joined.Seat-1].Peer)
		seen[r.joined.Seat] = true
	}
	require.Len(t, seen, seats-1)

	late := testHost(t, 9)
	_, err = JoinNetwork(within(t), late, JoiningConfig{Invitation: invitation(2), Record: []byte("late")}, nil)
	require.ErrorIs(t, err, ErrTokenUsed)
	_, err = Call(within(t), late, founder.ID(), JoinProtocol, []byte{0xff})
	require.Equal(t, CodeMalformed, CodeOf(err))
	_, err = Call(within(t), late, founder.ID(), GenesisProtocol, []byte{0x81})
	require.Equal(t, CodeMalformed, CodeOf(err))
}

func TestANewcomerWaitsForAnAbsentFounder(t *testing.T) {
	address := fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", freePort(t))
	info := peer.AddrInfo{ID: testID(t, 1), Addrs: []ma.Multiaddr{ma.StringCast(address)}}

	newcomer := testHost(t, 2)
	waiting := make(chan Waiting, 3)
	ended := make(chan error, 1)
	i := Invitation{Network: "harbour", Hash: [32]byte{7}, Inviter: info, Token: Token{2}}
	go func() {
		joined, err := JoinNetwork(within(t), newcomer, JoiningConfig{Invitation: i, Record: []byte("record 2"), MinWait: 10 * time.Millisecond, MaxWait: 50 * time.Millisecond, Poll: 10 * time.Millisecond}, func(w Waiting) {
			select {
			case waiting <- w:
			default: // enough
			}
		})
		if err == nil && string(joined.Document) != "genesis" {
			err = errors.New("another document")
		}
		ended <- err
	}()
	for range 3 {
		require.ErrorIs(t, (<-waiting).Err, ErrUnreachable)
	}
	founder := testHost(t, 1, func(c *Config) { c.Listen = []string{address} })
	f, _ := foundingOf(t, 2)
	service := ServeFounding(founder, f, func(Registration) error { return nil }, nil)
	defer service.Close()
	_, err := service.Taken(within(t))
	require.NoError(t, err)
	service.Publish([]byte("genesis"))
	require.NoError(t, <-ended)

	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = JoinNetwork(canceled, newcomer, JoiningConfig{Invitation: i, Record: []byte("x")}, nil)
	require.ErrorIs(t, err, context.Canceled)
}

func TestFoundingMessagesHaveOneEncoding(t *testing.T) {
	var r JoinResponse
	require.NoError(t, decodeWire([]byte{0x83, 2, 3, 4}, &r))
	require.Equal(t, JoinResponse{Seat: 2, Have: 3, Want: 4}, r)
	for name, raw := range map[string][]byte{
		"a longer number than needed": {0x83, 0x18, 2, 3, 4},
		"a longer array head":         {0x98, 3, 2, 3, 4},
		"an indefinite array":         {0x9f, 2, 3, 4, 0xff},
		"bytes behind":                {0x83, 2, 3, 4, 0},
		"a float":                     {0x83, 2, 3, 0xf9, 0x44, 0},
		"a tag":                       {0xc1, 0x83, 2, 3, 4},
		"a field too few":             {0x82, 2, 3},
		"a field too many":            {0x84, 2, 3, 4, 5},
		"a map":                       {0xa0},
		"nothing":                     {},
	} {
		require.ErrorIs(t, decodeWire(raw, new(JoinResponse)), ErrMalformed, name)
	}
}

func FuzzFoundingMessages(f *testing.F) {
	f.Add(encodeWire(request(2)))
	f.Add(encodeWire(JoinResponse{Seat: 2, Have: 3, Want: 4}))
	f.Add(encodeWire(GenesisRequest{Charter: [32]byte{7}}))
	f.Add(encodeWire(ApplyRequest{Token: Token{2}, Genesis: [32]byte{7}, Application: []byte("application")}))
	f.Add(encodeWire(StandingResponse{Height: 9, Member: 5, Votes: 2, Needed: 3, Until: 70}))
	f.Add([]byte{0x83, 0x50, 0xff})
	f.Add([]byte{0x9f, 0xff})
	f.Add([]byte{0x83, 0x18, 2, 3, 4})
	f.Add([]byte{0x83, 0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, v := range []any{new(JoinRequest), new(JoinResponse), new(GenesisRequest), new(ApplyRequest), new(StandingRequest), new(StandingResponse)} {
			if err := decodeWire(raw, v); err != nil {
				require.ErrorIs(t, err, ErrMalformed)
			} else {
				require.Equal(t, raw, encodeWire(v))
			}
		}
	})
}
