package p2p

import (
	"context"
	"errors"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/stretchr/testify/require"
)

func TestAnApplicationHasASize(t *testing.T) {
	for name, c := range map[string]struct {
		size int
		ok   bool
	}{
		"one without a byte": {0, false}, "the smallest": {1, true}, "the largest": {MaxRecord, true}, "one too large": {MaxRecord + 1, false},
	} {
		_, err := DecodeApply(encodeWire(ApplyRequest{Application: make([]byte, c.size)}))
		if c.ok {
			require.NoError(t, err, name)
		} else {
			require.ErrorIs(t, err, ErrMalformed, name)
		}
	}
}

func TestANewcomerLearnsHowItStands(t *testing.T) {
	ours, newcomer, nobody := testHost(t, 1), testHost(t, 2), testHost(t, 3)
	want := StandingResponse{Height: 9, Votes: 2, Needed: 3, Until: 70}
	defer HandleStanding(ours, [32]byte{7}, func(id peer.ID) (StandingResponse, error) {
		if id == newcomer.ID() {
			return want, nil
		}
		return StandingResponse{}, Refuse(CodeNotRegistered, "who are you?")
	}, nil).Close()
	defer Handle(ours, ApplyProtocol, func(_ context.Context, _ peer.ID, raw []byte) ([]byte, error) {
		r, err := DecodeApply(raw)
		if err != nil || r.Token != (Token{2}) {
			return nil, Refuse(CodeWrongToken, "unknown token")
		}
		return r.Application, nil
	}, nil).Close()
	connect(t, newcomer, ours)
	connect(t, nobody, ours)

	raw, err := Apply(within(t), newcomer, ours.ID(), ApplyRequest{Token: Token{2}, Application: []byte("me")})
	require.NoError(t, err)
	require.Equal(t, "me", string(raw))
	_, err = Apply(within(t), nobody, ours.ID(), ApplyRequest{Token: Token{3}, Application: []byte("me")})
	require.ErrorIs(t, err, ErrWrongToken)
	require.Equal(t, CodeWrongToken, CodeOf(err))

	got, err := AskStanding(within(t), newcomer, ours.ID(), [32]byte{7})
	require.NoError(t, err)
	require.Equal(t, want, got)
	_, err = AskStanding(within(t), newcomer, ours.ID(), [32]byte{8})
	require.ErrorIs(t, err, ErrWrongCharter)
	_, err = AskStanding(within(t), nobody, ours.ID(), [32]byte{7})
	require.ErrorIs(t, err, ErrNotRegistered)
	require.False(t, errors.Is(err, ErrUnreachable))
	_, err = Call(within(t), nobody, ours.ID(), StandingProtocol, []byte{0xff})
	require.Equal(t, CodeMalformed, CodeOf(err))
}
