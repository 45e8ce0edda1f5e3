package dkg

import "github.com/atelier-dao/atelier/shamir"

// Committee and KeyShare are what a ceremony leaves behind.
type (
	Committee = shamir.Committee
	KeyShare  = shamir.KeyShare
)
