package curve

// hardTrade is a trade that the kernel's bound cannot decide, or nearly so.
type hardTrade struct {
	name   string
	op     string
	state  State
	amount Amount
}

func amountOf(text string) Amount {
	a, err := ParseAmount(text)
	if err != nil {
		panic(err)
	}
	return a
}

func pow2(n int) Amount { return Amount(u128{lo: 1}.shl(n)) }

// hardTrades are trades near or on integers. A deposit d that is tiny against R
// mints S·w·d/R − S·w·(1−w)/2·(d/R)² + …: with S·w/R an integer the result misses
// an integer by about S·(d/R)².
func hardTrades() []hardTrade {
	one := NewAmount(1)
	return []hardTrade{
		{"a square", "buy", State{pow2(119), amountOf("1000000000000"), 500_000}, amountOf("3000000000000")},
		{"a square less one", "buy", State{pow2(119), amountOf("1000000000000"), 500_000}, amountOf("2999999999999")},
		{"a hair below one at a half", "buy", State{pow2(119), pow2(118), 500_000}, one},
		{"a hair below two at three tenths", "buy", State{amountOf("1000000000000000000000000000000000000"), amountOf("150000000000000000000000000000000000"), 300_000}, one},
		{"a hair below one at a tenth", "buy", State{amountOf("1000000000000000000000000000000000000"), amountOf("100000000000000000000000000000000000"), 100_000}, one},
		{"a hair below one at 0.123457", "buy", State{amountOf("1000000000000000000000000000000000000"), amountOf("123457000000000000000000000000000000"), 123_457}, one},
		{"a hair above one at 0.123457", "cost", State{amountOf("1000000000000000000000000000000000000"), amountOf("123457000000000000000000000000000000"), 123_457}, one},
		{"a hair below eight at 0.123457", "sell", State{amountOf("123457000000000000000000000000000000"), amountOf("123457000000000000000000000000000000"), 123_457}, amountOf("123457")},
		{"a hundredth power", "cost", State{amountOf("1000000000000"), amountOf("1"), 10_000}, amountOf("1000000000000")},
		{"a twenty-fifth root", "buy", State{amountOf("1000000000000"), amountOf("1000000000"), 40_000}, amountOf("33554431000000000")},
		{"three quarters of a fourth power", "buy", State{amountOf("1000000000000"), amountOf("1000000000"), 750_000}, amountOf("15000000000")},
	}
}
