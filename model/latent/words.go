package latent

import "strings"

// Words splits a name or prompt into its words, in lower case. Digits, marks and
// spaces separate; "of", "the" and their like are left out. The rules are
// spelled out here instead of asking package unicode, whose tables grow with Go
// releases: a prompt must mean the same to every member.
func Words(name string) []string {
	var words []string
	for _, run := range Runs(name) {
		words = append(words, run...)
	}
	return words
}

// Runs are the words of a prompt that stand side by side: a word that is left out
// ends a run, and so does each mark but a hyphen, an underscore or an apostrophe.
func Runs(prompt string) [][]string {
	var runs [][]string
	var run []string
	end := func() {
		if len(run) > 0 {
			runs = append(runs, run)
		}
		run = nil
	}
	word := ""
	for _, r := range strings.Map(lower, prompt) + " " {
		switch {
		case letter(r):
			word += string(r)
			continue
		case filler[word]:
			end()
		case word != "":
			run = append(run, word)
		}
		word = ""
		if !joins(r) {
			end()
		}
	}
	end()
	return runs
}

// joins are the separators between words of one run.
func joins(r rune) bool {
	return r == ' ' || r == '-' || r == '_' || r == '\'' || r == 0xa0 || r == 0x2019
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

var filler = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(fillers) {
		m[w] = true
	}
	return m
}()

const fillers = `a above across against among an and are around as at be before behind beneath beside between by for from her his in inside into is it its me my near no of off on
 or our out outside over some that the their there this through to under until up very was where which while with within without your
 one two three four five six seven eight nine ten`
