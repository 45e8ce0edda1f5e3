package p2p

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/libp2p/go-libp2p/core/peer"
)

var (
	// ErrPortTaken reports a listen address that another program holds.
	ErrPortTaken = errors.New("port is taken")
	// ErrUnreachable reports a peer to whom no stream could be opened.
	ErrUnreachable = errors.New("peer is unreachable")
	// ErrUnsupported reports a peer that does not speak the protocol.
	ErrUnsupported = errors.New("peer does not speak the protocol")
	// ErrTooLarge reports a message over its limit, sent or claimed.
	ErrTooLarge = errors.New("message is too large")
	// ErrMalformed reports bytes that do not decode, or not canonically.
	ErrMalformed = errors.New("malformed message")
	// ErrRejected reports an own message that the topic's validator refused.
	ErrRejected = errors.New("message is not valid on this topic")
	// ErrUndeclaredTopic reports a topic missing from GossipConfig.Topics.
	ErrUndeclaredTopic = errors.New("topic is not declared")
	// ErrClosed reports the use of something that was closed.
	ErrClosed = errors.New("closed")
)

// Code says why a peer refused a request. Codes below 1000 belong to this
// package; protocols number their own from CodeProtocol.
type Code uint16

const (
	CodeInternal  Code = 1 // the handler failed; details stay with the peer
	CodeBusy      Code = 2 // too many requests at a time: try again later
	CodeTooLarge  Code = 3 // request or answer over its limit
	CodeMalformed Code = 4 // the request does not decode
	CodeTimeout   Code = 5 // the answer was not ready in time
	CodeRefused   Code = 6 // the peer understood and will not
	CodeNotFound  Code = 7 // the peer does not have it
	CodeNotYet    Code = 8 // the peer does not have it yet: ask again

	CodeProtocol Code = 1000
)

var codeNames = map[Code]string{
	0: "none", CodeInternal: "internal", CodeBusy: "busy", CodeTooLarge: "too large", CodeMalformed: "malformed",
	CodeTimeout: "timeout", CodeRefused: "refused", CodeNotFound: "not found", CodeNotYet: "not yet",
}

// String names the code.
func (c Code) String() string {
	if s, ok := codeNames[c]; ok {
		return s
	}
	return fmt.Sprintf("code %d", uint16(c))
}

// MaxErrorMessage is the length in bytes at which the message of a
// RemoteError is cut.
const MaxErrorMessage = 256

// RemoteError is a peer's refusal. Message is the peer's own text: valid UTF-8
// without control or direction characters, so it can be printed, but not
// believed.
type RemoteError struct {
	Peer    peer.ID // who refused; empty on the refusing side
	Code    Code
	Message string
}

// Error gives the code and the peer's message.
func (e *RemoteError) Error() string {
	text := e.Code.String()
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.Peer != "" {
		return fmt.Sprintf("peer %s: %s", e.Peer, text)
	}
	return text
}

// Refuse is the error by which a Handler tells the caller why.
func Refuse(code Code, format string, args ...any) error {
	return &RemoteError{Code: code, Message: printable(fmt.Sprintf(format, args...))}
}

// CodeOf returns the code of the peer's refusal in err's chain, or 0.
func CodeOf(err error) Code {
	var r *RemoteError
	if errors.As(err, &r) {
		return r.Code
	}
	return 0
}

// printable makes a peer's text fit for a terminal: at most MaxErrorMessage
// bytes of UTF-8; what does not print becomes U+FFFD.
func printable(s string) string {
	if len(s) > 4*MaxErrorMessage {
		s = s[:4*MaxErrorMessage]
	}
	s = strings.Map(func(r rune) rune {
		if r == ' ' || unicode.IsGraphic(r) && !unicode.Is(unicode.Bidi_Control, r) {
			return r
		}
		return utf8.RuneError
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if len(s) <= MaxErrorMessage {
		return s
	}
	s = s[:MaxErrorMessage]
	for len(s) > 0 && !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s
}
