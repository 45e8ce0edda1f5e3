package model

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"filippo.io/age"
	"github.com/stretchr/testify/require"
)

// lockbox wraps file keys with AES-GCM under its own key, as a committee does
// with its shared one, and remembers the slices that passed through it.
type lockbox struct {
	aead       cipher.AEAD
	wrapped    []byte // the slice handed to wrap
	wasWrapped []byte // and what it held
	unwrapped  []byte // the slice handed out by unwrap
}

func newLockbox(t testing.TB, secret byte) *lockbox {
	block, err := aes.NewCipher(bytes.Repeat([]byte{secret}, 32))
	require.NoError(t, err)
	aead, err := cipher.NewGCMWithRandomNonce(block)
	require.NoError(t, err)
	return &lockbox{aead: aead}
}

func (l *lockbox) wrap(fileKey []byte) ([]byte, error) {
	l.wrapped, l.wasWrapped = fileKey, bytes.Clone(fileKey)
	return l.aead.Seal(nil, nil, fileKey, nil), nil
}

func (l *lockbox) unwrap(box []byte) ([]byte, error) {
	key, err := l.aead.Open(nil, nil, box, nil)
	l.unwrapped = key
	return key, err
}

func sealed(t testing.TB, l *lockbox, plaintext []byte) []byte {
	var file bytes.Buffer
	require.NoError(t, Seal(&file, bytes.NewReader(plaintext), l.wrap))
	return file.Bytes()
}

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * i >> 3)
	}
	return b
}

func TestASealedModelOpensToWhatWasSealed(t *testing.T) {
	for _, size := range []int{0, 1, 47, 64 << 10, 64<<10 + 1, 300_000} {
		t.Run(fmt.Sprintf("%d bytes", size), func(t *testing.T) {
			l := newLockbox(t, 7)
			plaintext := pattern(size)
			file := sealed(t, l, plaintext)
			require.False(t, size > 40 && bytes.Contains(file, plaintext[:40]))

			box, err := Box(bytes.NewReader(file))
			require.NoError(t, err)
			key, err := l.unwrap(box)
			require.NoError(t, err)
			require.Equal(t, l.wasWrapped, key)

			r, err := Open(bytes.NewReader(file), l.unwrap)
			require.NoError(t, err)
			require.NoError(t, iotest.TestReader(r, plaintext))

			at, err := OpenAt(bytes.NewReader(file), int64(len(file)), l.unwrap)
			require.NoError(t, err)
			require.EqualValues(t, size, at.Size())
			got, err := io.ReadAll(at)
			require.NoError(t, err)
			require.Equal(t, plaintext, got)
			for off := size * 2 / 3; off > 0; off = off * 2 / 3 {
				part := make([]byte, min(100, size-off))
				n, err := at.ReadAt(part, int64(off))
				require.True(t, n == len(part) && (err == nil || err == io.EOF), "%d bytes, %v", n, err)
				require.Equal(t, plaintext[off:off+len(part)], part)
			}
		})
	}
}

func TestOpenReadsSlowStreams(t *testing.T) {
	l := newLockbox(t, 7)
	plaintext := pattern(70_000)
	r, err := Open(iotest.OneByteReader(bytes.NewReader(sealed(t, l, plaintext))), l.unwrap)
	require.NoError(t, err)
	got, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Equal(t, plaintext, got)
}

func TestFileKeysAreWiped(t *testing.T) {
	l := newLockbox(t, 7)
	file := sealed(t, l, pattern(10))
	zero := make([]byte, FileKeySize)
	require.NotEqual(t, zero, l.wasWrapped)
	require.Equal(t, zero, l.wrapped, "after sealing")
	_, err := Open(bytes.NewReader(file), l.unwrap)
	require.NoError(t, err)
	require.Equal(t, zero, l.unwrapped, "after opening")
	l.unwrapped = nil
	_, err = OpenAt(bytes.NewReader(file), int64(len(file)), l.unwrap)
	require.NoError(t, err)
	require.Equal(t, zero, l.unwrapped, "after opening at random")
	file[len(file)-1] ^= 1
	l.unwrapped = nil
	_, err = OpenAt(bytes.NewReader(file), int64(len(file)), l.unwrap)
	require.ErrorIs(t, err, ErrDamaged)
	require.Equal(t, zero, l.unwrapped, "after failing to open")
}

func TestStockAgeUnderstandsTheFile(t *testing.T) {
	l := newLockbox(t, 7)
	plaintext := pattern(100_000)
	file := sealed(t, l, plaintext)
	header, err := age.ExtractHeader(bytes.NewReader(file))
	require.NoError(t, err)
	require.True(t, bytes.HasPrefix(file, header))
	require.True(t, bytes.HasPrefix(header, []byte(headerIntro+"-> atelier-tdh2\n")))
	key, err := age.DecryptHeader(header, &committee{unwrap: l.unwrap})
	require.NoError(t, err)
	r, err := age.Decrypt(bytes.NewReader(file), age.NewInjectedFileKeyIdentity(key))
	require.NoError(t, err)
	got, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Equal(t, plaintext, got)

	other, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	_, err = age.Decrypt(bytes.NewReader(file), other)
	var noMatch *age.NoIdentityMatchError
	require.ErrorAs(t, err, &noMatch)
	require.Equal(t, []string{StanzaType}, noMatch.StanzaTypes)
}

func TestFilesThatAreNoSealedModel(t *testing.T) {
	l := newLockbox(t, 7)
	file := string(sealed(t, l, pattern(20_000)))
	x25519, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	encrypt := func(to ...age.Recipient) string {
		var b bytes.Buffer
		w, err := age.Encrypt(&b, to...)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		return b.String()
	}
	boxOf := func(n int) string {
		return encrypt(stanzas{{Type: StanzaType, Body: make([]byte, n)}})
	}
	intro, body, _ := strings.Cut(file, "-> atelier-tdh2\n")
	line, afterBody, _ := strings.Cut(body, "\n")
	for _, c := range []struct{ name, file, says string }{
		{"nothing", "", "starts with"},
		{"a picture", "\x89PNG\r\n\x1a\n" + strings.Repeat("\x00", 9000), "starts with"},
		{"the next version of age", strings.Replace(file, "/v1", "/v2", 1), "starts with"},
		{"armour", armorStart + "\nYWdl\n", "armoured"},
		{"only the first line", intro, "ends before its recipient"},
		{"a first line that does not end", intro[:len(intro)-1], "starts with"},
		{"for a person", encrypt(x25519.Recipient()), "-> X25519"},
		{"for the committee and a person", encrypt(&committee{wrap: l.wrap}, x25519.Recipient()), "a second recipient"},
		{"for two committees", encrypt(&committee{wrap: l.wrap}, &committee{wrap: l.wrap}), "a second recipient"},
		{"with an argument", encrypt(stanzas{{Type: StanzaType, Args: []string{"x"}, Body: []byte{1}}}), "recipient"},
		{"an empty box", boxOf(0), "box of 0 bytes"},
		{"a box just too large", boxOf(MaxBox + 1), "box of 4097 bytes"},
		{"a box far too large", boxOf(1 << 20), "longer than 4096"},
		{"a box that is no base64", intro + "-> atelier-tdh2\n?" + body, "illegal base64"},
		{"a box with padding", intro + "-> atelier-tdh2\n" + line + "=\n" + afterBody, "base64"},
		{"a box with a carriage return", intro + "-> atelier-tdh2\n" + line + "\r\n" + afterBody, "base64"},
		{"a box with a line too long", intro + "-> atelier-tdh2\n" + strings.Repeat("A", 68) + "\n" + afterBody, "no line"},
		{"a carriage return after the type", intro + "-> atelier-tdh2\r\n" + body, "recipient"},
		{"cut in the box", file[:len(intro)+40], "ends inside the box"},
		{"cut before the end of the header", file[:strings.Index(file, headerEnd)+5], "ends before its MAC"},
		{"a short MAC", strings.Replace(file, headerEnd, headerEnd[:3]+" A", 1), "last line"},
		{"no MAC", intro + "-> atelier-tdh2\nAAAA\nAAAA\n", "last line"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Box(strings.NewReader(c.file))
			require.ErrorIs(t, err, ErrNotSealed)
			require.ErrorContains(t, err, c.says)
			require.Less(t, len(err.Error()), 300)
			_, err = Open(strings.NewReader(c.file), l.unwrap)
			require.ErrorIs(t, err, ErrNotSealed)
			_, err = OpenAt(strings.NewReader(c.file), int64(len(c.file)), l.unwrap)
			require.ErrorIs(t, err, ErrNotSealed)
		})
	}
	_, err = Box(strings.NewReader(boxOf(MaxBox)))
	require.NoError(t, err, "the largest box")
	_, err = Box(strings.NewReader(boxOf(48)))
	require.NoError(t, err, "a box of whole lines")
}

// stanzas is a recipient that puts any stanzas into a header.
type stanzas []*age.Stanza

func (s stanzas) Wrap([]byte) ([]*age.Stanza, error) { return s, nil }

func TestDamageAnywhereIsNoticed(t *testing.T) {
	l := newLockbox(t, 7)
	plaintext := pattern(200)
	file := sealed(t, l, plaintext)
	read := func(b []byte) ([]byte, error) {
		r, err := Open(bytes.NewReader(b), l.unwrap)
		if err != nil {
			return nil, err
		}
		return io.ReadAll(r)
	}
	for i := range file {
		bad := bytes.Clone(file)
		bad[i] ^= 1
		got, err := read(bad)
		require.Error(t, err, "byte %d", i)
		require.Empty(t, got)
		_, err = read(file[:i])
		require.Error(t, err, "cut after %d bytes", i)
		_, err = OpenAt(bytes.NewReader(file), int64(i), l.unwrap)
		require.Error(t, err, "cut after %d bytes", i)
	}
	_, err := read(append(bytes.Clone(file), 0))
	require.ErrorIs(t, err, ErrDamaged)

	long := sealed(t, l, pattern(200_000))
	long[100_000] ^= 1
	got, err := read(long)
	require.ErrorIs(t, err, ErrDamaged)
	require.Equal(t, pattern(200_000)[:len(got)], got, "what came before the damage is genuine")
	at, err := OpenAt(bytes.NewReader(long), int64(len(long)), l.unwrap)
	require.NoError(t, err)
	_, err = at.ReadAt(make([]byte, 10), 100_000)
	require.ErrorIs(t, err, ErrDamaged)
	_, err = at.ReadAt(make([]byte, 10), 150_000)
	require.NoError(t, err)
}

func TestKeysThatDoNotFit(t *testing.T) {
	l := newLockbox(t, 7)
	file := sealed(t, l, pattern(10))
	_, err := Open(bytes.NewReader(file), newLockbox(t, 8).unwrap)
	require.ErrorContains(t, err, "open box")
	refused := errors.New("two shares short")
	_, err = Open(bytes.NewReader(file), func([]byte) ([]byte, error) { return nil, refused })
	require.ErrorIs(t, err, refused)
	_, err = Open(bytes.NewReader(file), func([]byte) ([]byte, error) { return nil, age.ErrIncorrectIdentity })
	require.ErrorIs(t, err, age.ErrIncorrectIdentity)
	_, err = Open(bytes.NewReader(file), func([]byte) ([]byte, error) { return make([]byte, 32), nil })
	require.ErrorContains(t, err, "file key of 32 bytes")
	_, err = Open(bytes.NewReader(file), func([]byte) ([]byte, error) { return nil, nil })
	require.ErrorContains(t, err, "file key of 0 bytes")
	_, err = Open(bytes.NewReader(file), func([]byte) ([]byte, error) { return make([]byte, 16), nil })
	require.ErrorIs(t, err, ErrDamaged, "the key of another file")
}

func TestSealReportsWhatFails(t *testing.T) {
	l := newLockbox(t, 7)
	broken := errors.New("broken")
	var out bytes.Buffer
	require.ErrorIs(t, Seal(&out, strings.NewReader("x"), func([]byte) ([]byte, error) { return nil, broken }), broken)
	for _, n := range []int{0, MaxBox + 1} {
		require.ErrorContains(t, Seal(&out, strings.NewReader("x"), func([]byte) ([]byte, error) { return make([]byte, n), nil }), "want 1 to 4096")
	}
	require.Zero(t, out.Len(), "a box that is refused writes nothing")
	require.ErrorIs(t, Seal(&out, iotest.ErrReader(broken), l.wrap), broken)
	_, w := io.Pipe()
	require.NoError(t, w.CloseWithError(broken))
	require.Error(t, Seal(w, strings.NewReader("x"), l.wrap))
	_, err := Box(iotest.ErrReader(broken))
	require.ErrorIs(t, err, broken)
	_, err = Box(io.MultiReader(strings.NewReader(headerIntro), iotest.ErrReader(broken)))
	require.ErrorIs(t, err, broken)
	file := sealed(t, l, pattern(10))
	_, err = Box(io.MultiReader(bytes.NewReader(file), iotest.ErrReader(broken)))
	require.NoError(t, err, "the header came before the failure")
}

// FuzzContainerHeader parses any bytes: what is accepted, stock age accepts too
// and writes back the same; what stock age finds to be one stanza of ours with a
// box in bounds is accepted.
func FuzzContainerHeader(f *testing.F) {
	l := newLockbox(f, 7)
	f.Add(sealed(f, l, pattern(10)))
	f.Add([]byte(headerIntro + "-> atelier-tdh2\n\n--- " + strings.Repeat("A", macColumns) + "\n"))
	f.Add([]byte(headerIntro + "-> atelier-tdh2\nAA\n--- " + strings.Repeat("A", macColumns) + "\nrest"))
	f.Add([]byte(headerIntro + "-> X25519 abc\nAA\n-> atelier-tdh2\nAA\n--- " + strings.Repeat("A", macColumns) + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		box, err := Box(bytes.NewReader(data))
		header, ageErr := age.ExtractHeader(bytes.NewReader(data))
		var seen []*age.Stanza
		if ageErr == nil {
			_, err := age.DecryptHeader(header, look{&seen})
			require.Error(t, err)
		}
		if err != nil {
			require.ErrorIs(t, err, ErrNotSealed)
			if len(seen) == 1 {
				s := seen[0]
				require.False(t, s.Type == StanzaType && len(s.Args) == 0 && len(s.Body) > 0 && len(s.Body) <= MaxBox, "a good header is refused: %v", err)
			}
			return
		}
		require.NoError(t, ageErr)
		require.True(t, bytes.HasPrefix(data, header))
		require.Equal(t, []*age.Stanza{{Type: StanzaType, Args: []string{}, Body: box}}, seen)
	})
}

// look is an identity that only looks at the stanzas.
type look struct{ seen *[]*age.Stanza }

func (l look) Unwrap(s []*age.Stanza) ([]byte, error) {
	*l.seen = s
	return nil, errors.New("looked")
}

// BenchmarkContainer seals and opens 4 MiB, ten times the genesis artist.
func BenchmarkContainer(b *testing.B) {
	l := newLockbox(b, 7)
	plaintext := pattern(4 << 20)
	file := sealed(b, l, plaintext)
	b.Run("seal", func(b *testing.B) {
		b.SetBytes(int64(len(plaintext)))
		for b.Loop() {
			sealed(b, l, plaintext)
		}
	})
	b.Run("open", func(b *testing.B) {
		b.SetBytes(int64(len(plaintext)))
		for b.Loop() {
			r, err := Open(bytes.NewReader(file), l.unwrap)
			require.NoError(b, err)
			_, err = io.Copy(io.Discard, r)
			require.NoError(b, err)
		}
	})
}
