package latent

import "strings"

// Words splits a name or prompt into its words, in lower case. Digits, marks and
// spaces separate; "of", "the" and their like are left out. The rules are
// spelled out here instead of asking package unicode, whose tables grow with Go
// releases: a prompt must mean the same to every member.
func Words(name string) []string {
	var words []string
	for _, w := range strings.FieldsFunc(strings.Map(lower, name), func(r rune) bool { return !letter(r) }) {
		if !filler[w] {
			words = append(words, w)
		}
	}
	return words
}

// lower maps the capitals of ASCII and Latin-1.
func lower(r rune) rune {
	if r >= 'A' && r <= 'Z' || r >= 0xc0 && r <= 0xde && r != 0xd7 {
		return r + 32
	}
	return r
}

// letter is every rune that does not lie in a block of marks and spaces.
func letter(r rune) bool {
	switch {
	case r < 0x80:
		return r >= 'a' && r <= 'z'
	case r < 0xc0, r == 0xd7, r == 0xf7, r >= 0x2000 && r < 0x2070, r >= 0x3000 && r < 0x3040, r == 0xfeff, r == 0xfffd:
		return false
	}
	return true
}

var filler = map[string]bool{"a": true, "an": true, "and": true, "at": true, "by": true, "for": true, "from": true, "in": true, "into": true, "is": true, "it": true,
	"its": true, "of": true, "on": true, "or": true, "over": true, "the": true, "to": true, "under": true, "with": true, "without": true, "that": true, "my": true, "me": true}
