package secagg

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/wire"
	"go.dedis.ch/kyber/v3"
)

var (
	// ErrFile reports an input file that is not the one a round names, or not of its form.
	ErrFile = errors.New("not the input file that the round names")
	// ErrReader reports a key that is not the round's.
	ErrReader = errors.New("not the reader key of this round")
	// ErrNorm reports an input with more numbers, fewer, or larger ones than the round takes.
	ErrNorm = errors.New("input is not within the norm of the round")
)

// ReaderKey is what those who may read the sum have in common: every input carries a mask
// of it too, so to others who see all messages and files the sum is noise. It has to be
// as hard to guess as a key. It redacts itself.
type ReaderKey [32]byte

// Commitment is what a round says of its reader key in public.
func (k ReaderKey) Commitment() [32]byte { return shamir.Hash("secagg/reader", k[:]) }

func (k ReaderKey) Format(f fmt.State, _ rune)   { io.WriteString(f, "reader key(redacted)") }
func (k ReaderKey) LogValue() slog.Value         { return slog.StringValue("reader key(redacted)") }
func (k ReaderKey) MarshalJSON() ([]byte, error) { return []byte(`"reader key(redacted)"`), nil }

// FileSize is the length of the input file of a round with inputs of that many numbers, in
// bytes.
func FileSize(length int) int { return fileHead + 4*length }

const (
	fileVersion = 1
	fileHead    = 1 + 32 + 2
)

// writeFile is the file of a masked input: version, round, member and the numbers, four
// bytes each with the highest first. Naming round and member, it is nobody else's.
func writeFile(id [32]byte, member uint32, numbers []uint32) []byte {
	w := wire.NewWriter(FileSize(len(numbers)))
	w.U8(fileVersion)
	w.Raw(id[:])
	w.U16(uint16(member))
	for _, x := range numbers {
		w.U32(x)
	}
	return w.Bytes()
}

// checkFile checks everything but the hash.
func checkFile(id [32]byte, member uint32, length int, file []byte) (numbers []byte, err error) {
	if len(file) != FileSize(length) {
		return nil, fmt.Errorf("input file of member %d has %d bytes, want %d: %w", member, len(file), FileSize(length), ErrFile)
	}
	r := wire.NewReader(file)
	if version, round, of := r.U8(), r.Hash(), uint32(r.U16()); version != fileVersion || round != id || of != member {
		return nil, fmt.Errorf("input file of member %d is of version %d, member %d, round %x: %w", member, version, of, round[:8], ErrFile)
	}
	return file[fileHead:], nil
}

// CheckFile says whether file is the input file that the member named: its hash, length,
// round and member. Whoever found it so may confirm it. Its error wraps ErrFile or
// ErrNotReady.
func (r *Round) CheckFile(member uint32, file []byte) error {
	want, given := r.Input(member)
	if !given {
		return fmt.Errorf("member %d gave no input: %w", member, ErrNotReady)
	}
	if sha256.Sum256(file) != want {
		return fmt.Errorf("input file of member %d has another hash: %w", member, ErrFile)
	}
	_, err := checkFile(r.id, member, r.params.Length, file)
	return err
}

// stream adds the mask of a key to numbers, or with minus subtracts it, modulo 2³². A mask
// is AES-256 in counter mode from a zero counter: the stream's bytes in fours, the highest
// first. Each key makes one mask.
func stream(key [32]byte, numbers []uint32, minus bool) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(fmt.Sprintf("secagg: AES with 32 bytes: %v", err))
	}
	ctr := cipher.NewCTR(block, make([]byte, aes.BlockSize))
	var chunk [4096]byte
	for len(numbers) > 0 {
		n := min(len(numbers), len(chunk)/4)
		b := chunk[:4*n]
		clear(b)
		ctr.XORKeyStream(b, b)
		for i := range n {
			if x := binary.BigEndian.Uint32(b[4*i:]); minus {
				numbers[i] -= x
			} else {
				numbers[i] += x
			}
		}
		numbers = numbers[n:]
	}
	clear(chunk[:])
}

// selfKey is the key of a member's self-mask.
func selfKey(id [32]byte, member uint32, secret kyber.Scalar) [32]byte {
	return shamir.Hash("secagg/mask/self", id[:], shamir.Uint64(uint64(member)), shamir.Encode(secret))
}

// pairKey is the key of the mask between two members, from the secret of the one and the
// public half of the other's: both make the same.
func pairKey(id [32]byte, mine uint32, secret kyber.Scalar, other uint32, public kyber.Point) [32]byte {
	shared := shamir.Encode(group.Point().Mul(secret, public))
	return shamir.Hash("secagg/mask/pair", id[:], shamir.Uint64(uint64(min(mine, other))), shamir.Uint64(uint64(max(mine, other))), shared)
}

// readerMask is the key of what hides a member's input from those without the reader key,
// even when all other masks are gone.
func readerMask(id [32]byte, member uint32, key ReaderKey) [32]byte {
	return shamir.Hash("secagg/mask/reader", id[:], shamir.Uint64(uint64(member)), key[:])
}

// withinNorm says whether the numbers, read as signed ones, have a Euclidean norm of at
// most norm, which is below 2³¹. It stops in time, so nothing overflows: a partial sum is
// at most 2⁶² and a square too.
func withinNorm(numbers []uint32, norm uint64) bool {
	var sum uint64
	for _, x := range numbers {
		signed := int64(int32(x))
		if sum += uint64(signed * signed); sum > norm*norm {
			return false
		}
	}
	return true
}

// Sum adds up the inputs of the survivors: it checks each file's hash and form, recovers
// the survivors' self-masks and the pairwise secrets of those who dropped out, takes all
// masks away, and returns numbers that are to be read as int32. file is asked for the
// input file of each survivor, one after the other. Everybody gets the same numbers.
//
// It costs one mask per survivor and one per pair of a survivor with one who dropped out,
// each a pass over all numbers at AES speed. Errors wrap ErrNotReady, ErrReader or
// ErrFile, or are file's.
func (r *Round) Sum(key ReaderKey, file func(member uint32) ([]byte, error)) ([]uint32, error) {
	if !r.passed(PhaseUnmask) || r.last == PhaseUnmask {
		return nil, fmt.Errorf("sum in phase %s: %w", r.phase, ErrNotReady)
	}
	if key.Commitment() != r.params.Reader {
		return nil, ErrReader
	}
	survivors := r.confirmed()
	sum := make([]uint32, r.params.Length)
	for _, u := range survivors.indices() {
		raw, err := file(u)
		if err != nil {
			return nil, fmt.Errorf("input file of member %d: %w", u, err)
		}
		if err := r.CheckFile(u, raw); err != nil {
			return nil, err
		}
		for i := range sum {
			sum[i] += binary.BigEndian.Uint32(raw[fileHead+4*i:])
		}
		stream(readerMask(r.id, u, key), sum, true)
	}
	for _, u := range r.sharers().indices() {
		secret, err := r.recover(u, survivors[u-1])
		if err != nil {
			return nil, err
		}
		if survivors[u-1] {
			stream(selfKey(r.id, u, secret), sum, true)
			continue
		}
		for _, v := range survivors.indices() { // what v's input carries for u's sake
			b, err := r.shared(v)
			if err != nil {
				return nil, err
			}
			stream(pairKey(r.id, u, secret, v, b.pair.PublicKey()), sum, u > v)
		}
	}
	return sum, nil
}

// recover is the one secret of the member that the shares give away.
func (r *Round) recover(member uint32, survives bool) (kyber.Scalar, error) {
	c, err := r.committed(member, survives)
	if err != nil {
		return nil, err
	}
	var shares []shamir.Share
	for i := range r.entries {
		if u := r.entries[i].unmasking; u != nil && u[member-1] != nil && len(shares) < r.params.Threshold {
			shares = append(shares, shamir.NewShare(uint32(i+1), u[member-1]))
		}
	}
	secret, _, err := shamir.Recover(c, shares)
	if err != nil {
		return nil, fmt.Errorf("secret of member %d: %w", member, err)
	}
	return secret, nil
}

// Judge is what a member says of a sum: its hash, and whether as many inputs within the
// norm as there are survivors can have it. By the triangle inequality an honest sum is no
// longer than survivors·Norm, and so is below 2³¹ in each number. The hash covers the
// reader key, so without it nobody can try out guesses.
func (r *Round) Judge(key ReaderKey, sum []uint32) Result {
	w := wire.NewWriter(4 * len(sum))
	for _, x := range sum {
		w.U32(x)
	}
	return Result{
		Spoilt: !withinNorm(sum, uint64(r.params.Norm)*uint64(r.confirmed().count())),
		Hash:   shamir.Hash("secagg/sum", r.id[:], key[:], w.Bytes()),
	}
}
