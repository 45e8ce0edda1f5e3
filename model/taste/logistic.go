package taste

// logisticOne is a probability of 1.
const logisticOne = 1 << 15

// logistics are 2¹⁵/(1+e⁻ˣ) for x = 0, ¼, ½, … 8, rounded.
var logistics = [33]int64{
	16384, 18421, 20397, 22255, 23955, 25471, 26790, 27917, 28862, 29644, 30282,
	30799, 31214, 31545, 31807, 32015, 32179, 32307, 32408, 32487, 32549, 32597,
	32635, 32664, 32687, 32705, 32719, 32730, 32738, 32745, 32750, 32754, 32757,
}

// logistic is 1/(1+e⁻ˣ) for x in units of 2⁻¹², by straight lines between the
// entries of a table; beyond ±8 it stays where it is.
func logistic(x int64) int64 {
	if x < 0 {
		return logisticOne - logistic(-x)
	}
	x = min(x, 8*weightOne)
	const step = weightOne / 4
	i := x / step
	if i == 32 {
		return logistics[32]
	}
	return logistics[i] + (logistics[i+1]-logistics[i])*(x%step)/step
}
