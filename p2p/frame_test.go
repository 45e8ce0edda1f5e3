package p2p

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// counting is a reserveFunc that adds up.
func counting(total *int) reserveFunc {
	return func(n int) error { *total += n; return nil }
}

func TestFramesRoundTrip(t *testing.T) {
	for _, size := range []int{0, 1, firstBuffer - 1, firstBuffer, 3*firstBuffer + 1} {
		body := bytes.Repeat([]byte{9}, size)
		got, err := readFrame(iotest.OneByteReader(bytes.NewReader(appendFrame(nil, body))), size, counting(new(int)))
		require.NoError(t, err)
		require.True(t, bytes.Equal(body, got))
	}
}

func TestBuffersGrowWithWhatArrives(t *testing.T) {
	reserved := 0
	_, err := readFrame(io.MultiReader(bytes.NewReader([]byte{4, 0, 0, 0}), bytes.NewReader(make([]byte, 100))), maxFrame, counting(&reserved))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Equal(t, firstBuffer, reserved)

	full := errors.New("no memory left")
	_, err = readFrame(bytes.NewReader(appendFrame(nil, make([]byte, 10))), 10, func(int) error { return full })
	require.ErrorIs(t, err, full)
}

func FuzzFrame(f *testing.F) {
	f.Add(appendFrame(nil, []byte("hello")))
	f.Add([]byte{255, 255, 255, 255})
	f.Add([]byte{0, 0, 1, 0, 1})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		reserved := 0
		body, err := readFrame(bytes.NewReader(raw), 1<<16, counting(&reserved))
		require.LessOrEqual(t, reserved, max(firstBuffer, 2*len(raw)))
		if err == nil {
			require.Equal(t, raw[:lengthSize+len(body)], appendFrame(nil, body))
		}
	})
}

func FuzzResponse(f *testing.F) {
	f.Add(appendFrame([]byte{statusAnswer}, []byte("hello")))
	f.Add(appendRefusal(nil, &RemoteError{Code: CodeBusy, Message: "later"}))
	f.Add([]byte{statusRefusal, 0, 1, 255, 255})
	f.Add([]byte{statusRefusal, 0, 1, 0, 2, 0x1b, 0xff})
	f.Add([]byte{7})
	f.Fuzz(func(t *testing.T, raw []byte) {
		answer, err := readResponse(bytes.NewReader(raw), 1<<16, counting(new(int)))
		var refusal *RemoteError
		switch {
		case err == nil:
			require.Equal(t, raw[:1+lengthSize+len(answer)], appendFrame([]byte{statusAnswer}, answer))
		case errors.As(err, &refusal):
			require.LessOrEqual(t, len(refusal.Message), MaxErrorMessage)
			again, err := readResponse(bytes.NewReader(appendRefusal(nil, refusal)), 0, counting(new(int)))
			require.Nil(t, again)
			require.Equal(t, refusal, err, "what was made printable stays as it is")
		}
	})
}
