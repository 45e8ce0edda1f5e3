package gallery

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/kernel"
)

func (g *gallery) functions() template.FuncMap {
	return template.FuncMap{
		"asset": g.assetPath, "amount": amount, "credits": credits, "creditNoun": creditNoun, "fixed": fixed, "short": short, "count": plural, "number": grouped,
		"percent": percent, "prose": prose, "list": func(items ...any) []any { return items },
		"class": func() model.Class { return model.ClassOf(kernel.Contract) }, // a network draws with no other
	}
}

// prose sets words in which commands stand between back quotes.
func prose(text string) template.HTML {
	var out strings.Builder
	for i, part := range strings.Split(text, "`") {
		if i%2 == 1 {
			part = "<code>" + template.HTMLEscapeString(part) + "</code>"
		} else {
			part = template.HTMLEscapeString(part)
		}
		out.WriteString(part)
	}
	return template.HTML(out.String())
}

// amount sets an amount in credits or whole tokens: thousands apart, and two places
// or none.
func amount(a curve.Amount) string {
	whole, places, _ := strings.Cut(a.CreditsTo(2), ".")
	if places == "" {
		return group(whole)
	}
	return group(whole) + "." + (places + "0")[:2]
}

// fixed is amount with two places, for columns; nothing is a dash.
func fixed(a curve.Amount) string {
	text := amount(a)
	switch {
	case a.IsZero():
		return "–"
	case strings.Contains(text, "."):
		return text
	}
	return text + ".00"
}

// group sets thousands apart with a narrow space that does not break.
func group(digits string) string {
	var b strings.Builder
	for i, c := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteRune('\u202f')
		}
		b.WriteRune(c)
	}
	return b.String()
}

func grouped(n any) string { return group(fmt.Sprint(n)) }

// short is the beginning and the end of a long name.
func short(v any) string {
	text := fmt.Sprint(v)
	if len(text) <= 16 {
		return text
	}
	return text[:8] + "…" + text[len(text)-5:]
}

// plural is a number with its noun: "1 order", "3 orders".
func plural(n any, one string, many ...string) string {
	text := grouped(n)
	switch {
	case text == "1":
		return "1 " + one
	case len(many) > 0:
		return text + " " + many[0]
	}
	return text + " " + one + "s"
}

// percent is a ratio for people: 500000 ppm is 50 %.
func percent(r curve.Ratio) string {
	text := fmt.Sprintf("%d.%04d", r/10_000, r%10_000)
	return strings.TrimRight(strings.TrimRight(text, "0"), ".") + "\u202f%"
}

// person is an account as pages show it.
type person struct {
	Name    string // of the member whose account it is, or the account's short form
	Account curation.Address
	Member  uint32 // 0 for others
}

func personOf(v curation.View, a curation.Address) person {
	if m, ok := v.MemberOf(a); ok {
		return person{m.Name, a, m.Index}
	}
	return person{short(a), a, 0}
}

// memberName is a member's name, or its index when there is no such member.
func memberName(v curation.View, index uint32) string {
	if m, ok := v.Member(index); ok {
		return m.Name
	}
	return fmt.Sprintf("member %d", index)
}
