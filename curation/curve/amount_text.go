package curve

import (
	"fmt"
	"math/bits"
	"strings"
)

// amountDigits is the length of the decimal form of MaxAmount.
const amountDigits = 37

// creditDecimals is the number of decimal places of a credit: log10(Unit).
const creditDecimals = 9

// ParseAmount reads a decimal number of base units: digits only, no sign, no
// leading zero, below 2^120. It fails with ErrAmount or ErrOverflow.
func ParseAmount(text string) (Amount, error) {
	if text == "" {
		return Amount{}, fmt.Errorf("empty text: %w", ErrAmount)
	}
	for i := 0; i < len(text); i++ {
		if text[i] < '0' || text[i] > '9' {
			return Amount{}, fmt.Errorf("%q: %w", clip(text), ErrAmount)
		}
	}
	if len(text) > 1 && text[0] == '0' {
		return Amount{}, fmt.Errorf("%q starts with a zero: %w", clip(text), ErrAmount)
	}
	if len(text) > amountDigits {
		return Amount{}, fmt.Errorf("%s: %w", clip(text), ErrOverflow)
	}
	var a Amount
	for i := 0; i < len(text); i++ {
		tens, over := a.MulOverflow(10)
		if !over {
			a, over = tens.AddOverflow(NewAmount(uint64(text[i] - '0')))
		}
		if over {
			return Amount{}, fmt.Errorf("%s: %w", text, ErrOverflow)
		}
	}
	return a, nil
}

// ParseCredits reads a decimal number of credits with up to nine places, such
// as "12" or "0.5". It fails with ErrAmount or ErrOverflow.
func ParseCredits(text string) (Amount, error) {
	whole, fraction, dotted := strings.Cut(text, ".")
	if len(fraction) > creditDecimals || dotted && fraction == "" {
		return Amount{}, fmt.Errorf("%q: want up to %d decimal places: %w", clip(text), creditDecimals, ErrAmount)
	}
	w, err := ParseAmount(whole)
	if err != nil {
		return Amount{}, err
	}
	w, over := w.MulOverflow(Unit)
	if over {
		return Amount{}, fmt.Errorf("%s credits: %w", clip(text), ErrOverflow)
	}
	places := strings.TrimLeft(fraction+strings.Repeat("0", creditDecimals-len(fraction)), "0")
	if places == "" {
		return w, nil
	}
	f, err := ParseAmount(places)
	if err != nil {
		return Amount{}, fmt.Errorf("%q: %w", clip(text), ErrAmount)
	}
	sum, over := w.AddOverflow(f)
	if over {
		return Amount{}, fmt.Errorf("%s credits: %w", clip(text), ErrOverflow)
	}
	return sum, nil
}

// String returns the decimal number of base units.
func (a Amount) String() string {
	const chunk = 10_000_000_000_000_000_000 // 10^19, the largest power of ten in a word
	if a.hi == 0 {
		return fmt.Sprintf("%d", a.lo)
	}
	high := a.hi / chunk // 0: a.hi is below 2^56
	low, rest := bits.Div64(a.hi-high*chunk, a.lo, chunk)
	return fmt.Sprintf("%d%019d", low, rest)
}

// Credits returns the exact number of credits (or whole tokens) without trailing
// zeros, such as "12" or "0.5": what ParseCredits reads back. This and its three
// forms for people, CreditsTo, InCredits and InTokens, are how every part of the
// program writes amounts; String is for programs.
func (a Amount) Credits() string {
	text := a.String()
	if len(text) <= creditDecimals {
		text = strings.Repeat("0", creditDecimals+1-len(text)) + text
	}
	whole, places := text[:len(text)-creditDecimals], strings.TrimRight(text[len(text)-creditDecimals:], "0")
	if places == "" {
		return whole
	}
	return whole + "." + places
}

// CreditsTo is Credits rounded down to at most the given number of places, 1 to 9,
// for columns and pages. What is more than nothing never shows as 0: with two
// places it is "<0.01".
func (a Amount) CreditsTo(places int) string {
	whole, fraction, _ := strings.Cut(a.Credits(), ".")
	fraction = strings.TrimRight(fraction[:min(len(fraction), places)], "0")
	switch {
	case fraction != "":
		return whole + "." + fraction
	case whole == "0" && !a.IsZero():
		return "<0." + strings.Repeat("0", places-1) + "1"
	}
	return whole
}

// InCredits is Credits with its noun, for sentences: "1 credit", "0.5 credits".
func (a Amount) InCredits() string { return a.in("credit") }

// InTokens is InCredits for an amount of tokens: "1 token", "20.39 tokens".
func (a Amount) InTokens() string { return a.in("token") }

func (a Amount) in(noun string) string {
	if a == NewAmount(Unit) {
		return "1 " + noun
	}
	return a.Credits() + " " + noun + "s"
}

// MarshalText returns the decimal form; in JSON an amount is a string.
func (a Amount) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what MarshalText wrote, as ParseAmount does.
func (a *Amount) UnmarshalText(text []byte) error {
	v, err := ParseAmount(string(text))
	if err == nil {
		*a = v
	}
	return err
}

// Bytes returns the shortest big-endian form: 0 to 15 bytes, none for zero.
func (a Amount) Bytes() []byte {
	n := (a.bitLen() + 7) / 8
	b := make([]byte, n)
	for i := n - 1; i >= 0; i-- {
		b[i] = byte(a.lo)
		a.lo, a.hi = a.lo>>8|a.hi<<56, a.hi>>8
	}
	return b
}

// AmountFromBytes reads the shortest big-endian form. It fails with ErrAmount
// when the first byte is zero and with ErrOverflow above 15 bytes.
func AmountFromBytes(b []byte) (Amount, error) {
	if len(b) > amountBytes {
		return Amount{}, fmt.Errorf("%d bytes: %w", len(b), ErrOverflow)
	}
	if len(b) > 0 && b[0] == 0 {
		return Amount{}, fmt.Errorf("%x starts with a zero byte: %w", b, ErrAmount)
	}
	var a Amount
	for _, c := range b {
		a.hi, a.lo = a.hi<<8|a.lo>>56, a.lo<<8|uint64(c)
	}
	return a, nil
}

// cborBytes is the initial byte of a CBOR byte string of length zero.
const cborBytes = 0x40

// MarshalCBOR returns a as a CBOR byte string that holds Bytes: no tag, so the
// encoding is also DAG-CBOR.
func (a Amount) MarshalCBOR() ([]byte, error) {
	b := a.Bytes()
	return append([]byte{cborBytes + byte(len(b))}, b...), nil
}

// UnmarshalCBOR reads what MarshalCBOR wrote and nothing else: a byte string of
// at most 15 bytes whose length is in its initial byte and whose first byte is
// not zero.
func (a *Amount) UnmarshalCBOR(data []byte) error {
	if len(data) == 0 || data[0] < cborBytes || data[0] > cborBytes+amountBytes || len(data) != 1+int(data[0]-cborBytes) {
		return fmt.Errorf("want a CBOR byte string of at most %d bytes: %w", amountBytes, ErrAmount)
	}
	v, err := AmountFromBytes(data[1:])
	if err == nil {
		*a = v
	}
	return err
}

// clip shortens text from outside so that an error stays one readable line.
func clip(text string) string {
	const most = 48
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
