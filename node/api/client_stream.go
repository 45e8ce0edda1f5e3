package api

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"
	"strings"
)

// maxMessage bounds one line of a stream.
const maxMessage = 4 << 20

// Happening is one message of the stream of events: an event, or the block that
// ends its height.
type Happening struct {
	Event *Event
	Block *Block
}

// Events yields what happens from the block of the given height on; 0 begins with
// the next one. For each block it yields its events, then the block. It ends after
// an error; to go on, call it again with the height after the last block yielded.
func (c *Client) Events(ctx context.Context, from uint64) iter.Seq2[Happening, error] {
	return func(yield func(Happening, error) bool) {
		target := "/v1/events"
		if from != 0 {
			target += "?from=" + strconv.FormatUint(from, 10)
		}
		resp, err := c.do(ctx, http.MethodGet, target, nil)
		if err != nil {
			yield(Happening{}, err)
			return
		}
		defer resp.Body.Close()
		messages := newMessages(resp.Body)
		for {
			m, err := messages.next()
			if err != nil {
				yield(Happening{}, c.broken(ctx, err))
				return
			}
			var h Happening
			switch m.event {
			case messageEvent:
				h.Event = new(Event)
				err = json.Unmarshal(m.data, h.Event)
			case messageBlock:
				h.Block = new(Block)
				err = json.Unmarshal(m.data, h.Block)
			default:
				continue // of a later version
			}
			if err != nil {
				yield(Happening{}, fmt.Errorf("message %q: %w: %w", m.event, ErrUnreachable, err))
				return
			}
			if !yield(h, nil) {
				return
			}
		}
	}
}

// SealModel makes and seals the network's own artist on the node, which tells
// progress as it goes. It needs the owner's token.
func (c *Client) SealModel(ctx context.Context, o SealOptions, progress func(Progress)) (Model, error) {
	resp, err := c.do(ctx, http.MethodPost, "/v1/models", struct {
		Name    string `json:"name,omitempty"`
		Steps   int    `json:"steps,omitempty"`
		Weights string `json:"weights,omitempty"`
	}{o.Name, o.Steps, o.Weights})
	if err != nil {
		return Model{}, err
	}
	defer resp.Body.Close()
	messages := newMessages(resp.Body)
	for {
		m, err := messages.next()
		if err != nil {
			return Model{}, c.broken(ctx, err)
		}
		switch m.event {
		case messageProgress:
			var p Progress
			if err := json.Unmarshal(m.data, &p); err != nil {
				return Model{}, c.broken(ctx, err)
			}
			progress(p)
		case messageModel:
			var model Model
			if err := json.Unmarshal(m.data, &model); err != nil {
				return Model{}, c.broken(ctx, err)
			}
			return model, nil
		case messageProblem:
			var p Problem
			if err := json.Unmarshal(m.data, &p); err != nil {
				return Model{}, c.broken(ctx, err)
			}
			return Model{}, &p
		}
	}
}

// message is one server-sent event.
type message struct {
	id    string
	event string
	data  []byte
}

// messages reads a stream of server-sent events as the HTML standard has it, with
// a bound on what one of them may hold.
type messages struct{ lines *bufio.Scanner }

func newMessages(r io.Reader) *messages {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 16<<10), maxMessage)
	return &messages{lines}
}

// next returns the next message that has data. At the end of the stream it fails
// with io.ErrUnexpectedEOF: ours say when they are done.
func (m *messages) next() (message, error) {
	var out message
	some := false
	for m.lines.Scan() {
		line := strings.TrimSuffix(m.lines.Text(), "\r")
		if line == "" {
			if some {
				return out, nil
			}
			out = message{}
			continue
		}
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "id":
			out.id = value
		case "event":
			out.event = value
		case "data":
			if some {
				out.data = append(out.data, '\n')
			}
			if len(out.data)+len(value) > maxMessage {
				return out, errors.New("message too long")
			}
			out.data, some = append(out.data, value...), true
		}
	}
	if err := m.lines.Err(); err != nil {
		return out, err
	}
	return out, io.ErrUnexpectedEOF
}
