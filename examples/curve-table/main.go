// Command curve-table prints what one artwork's price does as people back it: the
// first collectors pay little, each further credit buys fewer tokens, and selling
// gives back what the curve holds, never more.
//
//	go run ./examples/curve-table
//
// It uses nothing but package curation/curve, in which every figure is the exact
// floor or ceiling of a real number.
package main

import (
	"fmt"
	"io"
	"log"
	"os"

	"github.com/atelier-dao/atelier/curation/curve"
)

func main() {
	if err := table(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func table(w io.Writer) error {
	// A published artwork begins with its request's deposit as reserve and as many
	// locked tokens; half of the market value is in the reserve.
	s := curve.State{Supply: curve.Credits(100), Reserve: curve.Credits(100), Ratio: 500_000}
	fmt.Fprintf(w, "%8s  %12s  %14s  %14s\n", "deposit", "tokens", "price after", "sold at once")
	for _, deposit := range []uint64{10, 100, 100, 100, 1000} {
		tokens, err := s.Buy(curve.Credits(deposit))
		if err != nil {
			return err
		}
		if s, err = s.AfterBuy(curve.Credits(deposit), tokens); err != nil {
			return err
		}
		price, err := s.SpotPrice()
		if err != nil {
			return err
		}
		back, err := s.Sell(tokens)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%8d  %12s  %14s  %14s\n", deposit, tokens.Credits(), price.Credits(), back.Credits())
	}
	return nil
}
