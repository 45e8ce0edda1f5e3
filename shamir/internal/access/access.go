// Package access guards the secret scalars of a key share.
//
// A method that hands out secrets asks for a Token. Only packages below shamir
// can name that type, so code elsewhere cannot call the method: outside this
// tree a share leaves its holder only through the protocols of seal and quorum.
package access

// Token proves at compile time that the caller lives below shamir.
type Token struct{ _ byte }
