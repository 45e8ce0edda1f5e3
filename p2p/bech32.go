package p2p

import (
	"errors"
	"fmt"
	"strings"
)

// Bech32m of BIP-350, without its limit of 90 characters: up to 1023 the code
// still finds any three wrong characters and misses other damage once in 2³⁰.

const (
	bech32Alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	bech32mConst   = 0x2bc830a3
	bech32MaxChars = 1023
	checksumChars  = 6
)

var bech32Value = func() (v [256]int8) {
	for i := range v {
		v[i] = -1
	}
	for i, c := range bech32Alphabet {
		v[c] = int8(i)
	}
	return v
}()

// bech32Step folds one 5-bit value into the checksum.
func bech32Step(sum uint32, value byte) uint32 {
	top := sum >> 25
	sum = sum&0x1ffffff<<5 ^ uint32(value)
	for i, g := range [5]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
		if top>>i&1 == 1 {
			sum ^= g
		}
	}
	return sum
}

// bech32Start is the checksum after the prefix.
func bech32Start(prefix string) uint32 {
	sum := uint32(1)
	for i := range len(prefix) {
		sum = bech32Step(sum, prefix[i]>>5)
	}
	sum = bech32Step(sum, 0)
	for i := range len(prefix) {
		sum = bech32Step(sum, prefix[i]&31)
	}
	return sum
}

func bech32Sum(prefix string, values []byte) uint32 {
	sum := bech32Start(prefix)
	for _, v := range values {
		sum = bech32Step(sum, v)
	}
	return sum
}

// bech32mEncode writes data with a prefix of lower case ASCII.
func bech32mEncode(prefix string, data []byte) string {
	values := make([]byte, 0, len(data)*8/5+1+checksumChars)
	var bits, have uint
	for _, b := range data {
		bits = bits<<8 | uint(b)
		for have += 8; have >= 5; {
			have -= 5
			values = append(values, byte(bits>>have&31))
		}
	}
	if have > 0 {
		values = append(values, byte(bits<<(5-have)&31))
	}
	sum := bech32Sum(prefix, append(values, make([]byte, checksumChars)...)) ^ bech32mConst
	for i := range checksumChars {
		values = append(values, byte(sum>>(5*(checksumChars-1-i))&31))
	}
	var text strings.Builder
	text.WriteString(prefix)
	text.WriteByte('1')
	for _, v := range values {
		text.WriteByte(bech32Alphabet[v])
	}
	return text.String()
}

var errChecksum = errors.New("checksum does not match")

// bech32mDecode reads what bech32mEncode wrote with the same prefix, in lower
// or in upper case. When the checksum fails and one changed character would
// mend it, the error says which.
func bech32mDecode(prefix, text string) ([]byte, error) {
	if len(text) > bech32MaxChars {
		return nil, fmt.Errorf("%d characters, at most %d", len(text), bech32MaxChars)
	}
	lower := strings.ToLower(text)
	if text != lower && text != strings.ToUpper(text) {
		return nil, errors.New("upper and lower case are mixed")
	}
	body, found := strings.CutPrefix(lower, prefix+"1")
	if !found {
		return nil, fmt.Errorf("does not start with %s1", prefix)
	}
	values := make([]byte, len(body))
	for i := range len(body) {
		v := bech32Value[body[i]]
		if v < 0 {
			return nil, fmt.Errorf("character %d, %q, cannot occur", len(prefix)+2+i, body[i])
		}
		values[i] = byte(v)
	}
	if len(values) < checksumChars {
		return nil, errors.New("too short: the end is missing")
	}
	if bech32Sum(prefix, values) != bech32mConst {
		if at, ok := bech32Locate(prefix, values); ok {
			return nil, fmt.Errorf("%w: look at character %d, %q", errChecksum, len(prefix)+2+at, body[at])
		}
		return nil, fmt.Errorf("%w: part of it is mistyped or missing", errChecksum)
	}

	values = values[:len(values)-checksumChars]
	data := make([]byte, 0, len(values)*5/8)
	var bits, have uint
	for _, v := range values {
		bits = bits<<5 | uint(v)
		if have += 5; have >= 8 {
			have -= 8
			data = append(data, byte(bits>>have))
			bits &= 1<<have - 1
		}
	}
	if have >= 5 || bits != 0 {
		return nil, errors.New("padding is not zero")
	}
	return data, nil
}

// bech32Locate finds the one value whose change mends the checksum, if there
// is exactly one. The checksum is linear: a change of value i by d shifts the
// sum by what d alone, followed by the zeros behind i, would give.
func bech32Locate(prefix string, values []byte) (at int, ok bool) {
	wrong := bech32Sum(prefix, values) ^ bech32mConst
	for d := byte(1); d < 32; d++ {
		shift := uint32(d)
		for i := len(values) - 1; i >= 0; i-- {
			if shift == wrong {
				if ok {
					return 0, false
				}
				at, ok = i, true
			}
			shift = bech32Step(shift, 0)
		}
	}
	return at, ok
}
