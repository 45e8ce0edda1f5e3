package api

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
)

// The ledger's types write themselves as text; these say in the document which.
type (
	hashText    struct{}
	amountText  struct{}
	addressText struct{}
	hexText     struct{}
)

func (hashText) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Pattern: "^[0-9a-f]{64}$"}
}

func (amountText) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Pattern: "^(0|[1-9][0-9]{0,36})$"}
}

func (addressText) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Pattern: "^z6Mk[1-9A-HJ-NP-Za-km-z]{44}$"}
}

func (hexText) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Pattern: "^([0-9a-f]{2})*$"}
}

func describeTypes(r huma.Registry) {
	r.RegisterTypeAlias(reflect.TypeFor[curation.Hash](), reflect.TypeFor[hashText]())
	r.RegisterTypeAlias(reflect.TypeFor[curve.Amount](), reflect.TypeFor[amountText]())
	r.RegisterTypeAlias(reflect.TypeFor[curation.Address](), reflect.TypeFor[addressText]())
	r.RegisterTypeAlias(reflect.TypeFor[Hex](), reflect.TypeFor[hexText]())
}
