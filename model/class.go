package model

import "github.com/atelier-dao/atelier/model/kernel"

// Class says what two renderings of one picture owe each other, and so how a
// picture can be checked by whoever did not make it.
type Class string

const (
	// Exact: every machine gives the same pixels, so their hashes are compared.
	Exact Class = "exact"
	// Tolerant: the same library in the same version gives nearly the same
	// pixels; others look the same to people. Hashes cannot be compared.
	Tolerant Class = "tolerant"
	// Opaque: nobody but the maker can make it again; there is only its word.
	Opaque Class = "opaque"
)

// Meaning is the class in words.
func (c Class) Meaning() string {
	switch c {
	case Exact:
		return "two runs agree to the bit"
	case Tolerant:
		return "two runs look the same; the last bits depend on library and machine"
	}
	return "nobody but its maker can draw it again"
}

// ClassOf is the class of pictures that are drawn by a contract: Exact for
// phase-16. Of a contract that this program does not know it can say nothing, so
// that is Opaque to it.
func ClassOf(contract string) Class {
	if contract == kernel.Contract {
		return Exact
	}
	return Opaque
}
