package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// stream writes server-sent events. One goroutine uses it. Each message has to be
// taken by the client in time, so that a client which stops reading holds a
// connection and nothing more.
type stream struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

func openStream(w http.ResponseWriter) (*stream, error) {
	s := &stream{w, http.NewResponseController(w)}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("X-Accel-Buffering", "no") // asks proxies to pass each message on
	w.WriteHeader(http.StatusOK)
	return s, s.write([]byte("retry: 1000\n\n"))
}

// send writes one message; id 0 leaves the reader's last id as it is.
func (s *stream) send(id uint64, event string, data any) error {
	text, err := json.Marshal(data) // one line
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if id != 0 {
		b.WriteString("id: " + strconv.FormatUint(id, 10) + "\n")
	}
	b.WriteString("event: " + event + "\ndata: ")
	b.Write(text)
	b.WriteString("\n\n")
	return s.write(b.Bytes())
}

// beat writes a comment, which readers skip.
func (s *stream) beat() error { return s.write([]byte(":\n\n")) }

func (s *stream) write(b []byte) error {
	if err := s.rc.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	if _, err := s.w.Write(b); err != nil {
		return err
	}
	return s.rc.Flush()
}

// streamResponse documents a stream: for each event its name and its data.
func streamResponse(api huma.API, description string, events map[string]any) map[string]*huma.Response {
	var messages []*huma.Schema
	for event, data := range events {
		t := reflect.TypeOf(data)
		messages = append(messages, &huma.Schema{
			Title: event, Type: huma.TypeObject, Required: []string{"event", "data"},
			Properties: map[string]*huma.Schema{
				"id":    {Type: huma.TypeInteger, Description: "Height: send it as Last-Event-ID to go on after it."},
				"event": {Type: huma.TypeString, Enum: []any{event}},
				"data":  api.OpenAPI().Components.Schemas.Schema(t, true, t.Name()),
			},
		})
	}
	slices.SortFunc(messages, func(a, b *huma.Schema) int { return strings.Compare(a.Title, b.Title) })
	return map[string]*huma.Response{"200": {Description: description, Content: map[string]*huma.MediaType{
		"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeArray, Description: "Messages, one after the other, as server-sent events.",
			Items: &huma.Schema{OneOf: messages}}},
	}}}
}
