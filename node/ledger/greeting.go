package ledger

import (
	"encoding/binary"
	"fmt"
	"io"
)

// greeting is what the ends of a connection tell each other.
type greeting struct {
	process [8]byte  // a random number, drawn when the process started
	session uint64   // of consensus; later ones of a process are greater
	genesis [32]byte // SHA-256
}

const greetingBytes = 1 + 8 + 8 + 32

func (b *boot) greeting() greeting {
	b.mu.Lock()
	defer b.mu.Unlock()
	return greeting{b.process.id, b.session, b.genesis}
}

// bytes is a version byte and the fields in order.
func (g greeting) bytes() []byte {
	out := append([]byte{1}, g.process[:]...)
	out = binary.BigEndian.AppendUint64(out, g.session)
	return append(out, g.genesis[:]...)
}

func readGreeting(r io.Reader) (g greeting, err error) {
	var in [greetingBytes]byte
	if _, err := io.ReadFull(r, in[:]); err != nil {
		return g, err
	}
	if in[0] != 1 {
		return g, fmt.Errorf("greeting of version %d, want 1", in[0])
	}
	copy(g.process[:], in[1:9])
	g.session = binary.BigEndian.Uint64(in[9:17])
	copy(g.genesis[:], in[17:])
	return g, nil
}
