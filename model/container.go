package model

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
)

// A sealed model is an age file (age-encryption.org/v1) with a single recipient
// stanza, StanzaType without arguments. The body of the stanza is the box: the
// file key under the committee's key, opaque here. So anybody can look at the
// file with age's own tools, the header's MAC commits to the file key, and parts
// of the model can be read without the rest.

// StanzaType names the recipient stanza of a sealed model.
const StanzaType = "atelier-tdh2"

// FileKeySize is the length of age's file key, in bytes.
const FileKeySize = 16

// MaxBox bounds the box of a sealed model, in bytes.
const MaxBox = 4096

var (
	// ErrNotSealed reports a file that is no sealed model: not age, or age for
	// other recipients, or not in its one canonical form.
	ErrNotSealed = errors.New("not a sealed model")
	// ErrDamaged reports a sealed model that its file key does not open to the
	// end: altered, cut off, unreadable, or not the file that the key is for.
	ErrDamaged = errors.New("the sealed model is damaged")
)

// Wrap puts a file key into a box, for example into a threshold ciphertext. It
// must not keep fileKey, which is wiped after use.
type Wrap func(fileKey []byte) (box []byte, err error)

// Unwrap takes the file key out of a box. The slice that it returns belongs to
// the caller, who wipes it.
type Unwrap func(box []byte) (fileKey []byte, err error)

// Seal encrypts plaintext to w under a fresh file key that wrap puts into the
// header. When it fails, what w has received is of no use. The file key is wiped
// before the first byte of plaintext is read; copies that age's key derivation
// made live until the garbage collector takes them.
func Seal(w io.Writer, plaintext io.Reader, wrap Wrap) error {
	to := &committee{wrap: wrap}
	defer to.wipe()
	sealed, err := age.Encrypt(w, to)
	to.wipe()
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	if _, err := io.Copy(sealed, plaintext); err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	if err := sealed.Close(); err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	return nil
}

// Open returns a reader of the plaintext of a sealed model, with what unwrap
// takes out of its box. It fails with ErrNotSealed, with the error of unwrap, or
// with ErrDamaged. The reader authenticates as it goes and fails with ErrDamaged
// where the file is altered or cut off: what it returned before that is genuine,
// but only io.EOF says that it was all.
func Open(r io.Reader, unwrap Unwrap) (io.Reader, error) {
	window := bufio.NewReaderSize(r, maxHeader)
	if _, err := peekBox(window); err != nil {
		return nil, err
	}
	from := &committee{unwrap: unwrap}
	defer from.wipe()
	opened, err := age.Decrypt(window, from)
	if err != nil {
		return nil, from.explain(err)
	}
	return plainReader{opened}, nil
}

// OpenAt is Open for random access: it returns the whole plaintext of a sealed
// model of size bytes as a section, of which ReadAt may be called concurrently.
// It checks the end of the file at once, every other 64 KiB when they are read.
func OpenAt(r io.ReaderAt, size int64, unwrap Unwrap) (*io.SectionReader, error) {
	if _, err := Box(io.NewSectionReader(r, 0, size)); err != nil {
		return nil, err
	}
	from := &committee{unwrap: unwrap}
	defer from.wipe()
	opened, plain, err := age.DecryptReaderAt(r, size, from)
	if err != nil {
		return nil, from.explain(err)
	}
	return io.NewSectionReader(plainReaderAt{opened}, 0, plain), nil
}

// Box returns the box of a sealed model without opening it. It reads at most 8
// KiB of r. It fails with ErrNotSealed, or with the error of r.
func Box(r io.Reader) ([]byte, error) {
	return peekBox(bufio.NewReaderSize(r, maxHeader))
}

// committee is age's recipient and identity for the stanza. It remembers the
// file key that passed through it, so that it can be wiped afterwards.
type committee struct {
	wrap   Wrap
	unwrap Unwrap

	fileKey []byte
	err     error // of unwrap
}

// Wrap implements age.Recipient.
func (c *committee) Wrap(fileKey []byte) ([]*age.Stanza, error) {
	c.fileKey = fileKey
	box, err := c.wrap(fileKey)
	if err != nil {
		return nil, err
	}
	if len(box) == 0 || len(box) > MaxBox {
		return nil, fmt.Errorf("box of %d bytes, want 1 to %d", len(box), MaxBox)
	}
	return []*age.Stanza{{Type: StanzaType, Body: box}}, nil
}

// Unwrap implements age.Identity. The header has been checked: one stanza, ours.
func (c *committee) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	c.fileKey, c.err = c.unwrap(stanzas[0].Body)
	if c.err == nil && len(c.fileKey) != FileKeySize {
		c.err = fmt.Errorf("file key of %d bytes, want %d", len(c.fileKey), FileKeySize)
	}
	if c.err != nil {
		// Not wrapped: age would take its own ErrIncorrectIdentity for "try another".
		return nil, errors.New("box did not open")
	}
	return c.fileKey, nil
}

func (c *committee) explain(err error) error {
	if c.err != nil {
		return fmt.Errorf("open box: %w", c.err)
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

func (c *committee) wipe() { clear(c.fileKey) }

// plainReader and plainReaderAt say ErrDamaged where age fails to go on.
type plainReader struct{ r io.Reader }

func (p plainReader) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	return n, damaged(err)
}

type plainReaderAt struct{ r io.ReaderAt }

func (p plainReaderAt) ReadAt(b []byte, off int64) (int, error) {
	n, err := p.r.ReadAt(b, off)
	return n, damaged(err)
}

func damaged(err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

// The header's parts. A body line holds 48 bytes in 64 characters; the last one
// is shorter, if need be empty.
const (
	headerIntro  = "age-encryption.org/v1\n"
	stanzaStart  = "-> "
	headerEnd    = "--- "
	bodyColumns  = 64
	macColumns   = 43
	armorStart   = "-----BEGIN AGE ENCRYPTED FILE-----"
	maxHeader    = 8 << 10 // more than the header with the largest box, 5.7 KiB
	shownInError = 32
)

// base64Strict is age's encoding: no padding, no stray bits at the end.
var base64Strict = base64.RawStdEncoding.Strict()

// peekBox parses the header at the start of r, whose buffer holds maxHeader
// bytes, and consumes nothing.
func peekBox(r *bufio.Reader) ([]byte, error) {
	start, readErr := r.Peek(maxHeader)
	box, whole, err := parseHeader(start)
	if err != nil && !whole && readErr != nil && readErr != io.EOF {
		return nil, fmt.Errorf("read the sealed model: %w", readErr)
	}
	return box, err
}

// parseHeader returns the box of the sealed model that starts with data. When it
// fails, whole tells that more data would not help.
func parseHeader(data []byte) (box []byte, whole bool, err error) {
	rest, ok := bytes.CutPrefix(data, []byte(headerIntro))
	if !ok {
		if bytes.HasPrefix(data, []byte(armorStart)) {
			return nil, true, notSealed("an armoured age file, want the binary form")
		}
		return nil, len(data) >= len(headerIntro), notSealed("starts with %q, want %q", shorten(data), headerIntro)
	}
	line, rest, ok := bytes.Cut(rest, []byte("\n"))
	if !ok {
		return nil, false, notSealed("header ends before its recipient")
	}
	if string(line) != stanzaStart+StanzaType {
		return nil, true, notSealed("recipient %q, want %q", shorten(line), stanzaStart+StanzaType)
	}
	for full := true; full; {
		if line, rest, ok = bytes.Cut(rest, []byte("\n")); !ok {
			return nil, false, notSealed("header ends inside the box, or its box is longer than %d bytes", MaxBox)
		}
		if len(line) > bodyColumns || bytes.ContainsRune(line, '\r') { // the decoder would skip \r
			return nil, true, notSealed("line %q of the box is no line of up to %d base64 characters", shorten(line), bodyColumns)
		}
		part, err := base64Strict.AppendDecode(box, line)
		if err != nil {
			return nil, true, notSealed("line %q of the box: %v", shorten(line), err)
		}
		box, full = part, len(line) == bodyColumns
	}
	if len(box) == 0 || len(box) > MaxBox {
		return nil, true, notSealed("box of %d bytes, want 1 to %d", len(box), MaxBox)
	}
	line, _, ok = bytes.Cut(rest, []byte("\n"))
	if !ok {
		return nil, false, notSealed("header ends before its MAC")
	}
	if bytes.HasPrefix(line, []byte(stanzaStart)) {
		return nil, true, notSealed("a second recipient %q; a sealed model has one", shorten(line))
	}
	mac, ok := bytes.CutPrefix(line, []byte(headerEnd))
	if !ok || len(mac) != macColumns || bytes.ContainsRune(mac, '\r') {
		return nil, true, notSealed("last line %q, want %q and %d base64 characters", shorten(line), headerEnd, macColumns)
	}
	if _, err := base64Strict.AppendDecode(nil, mac); err != nil {
		return nil, true, notSealed("last line %q: %v", shorten(line), err)
	}
	return box, true, nil
}

func notSealed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrNotSealed, fmt.Sprintf(format, args...))
}

func shorten(b []byte) []byte { return b[:min(len(b), shownInError)] }
