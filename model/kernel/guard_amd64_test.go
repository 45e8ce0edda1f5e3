package kernel

// guard moves the buffers of a vector network between guard values and returns what
// reports whether these are whole.
func guard(n network) (whole func() bool) {
	v := n.(*vector)
	var first, second func() bool
	v.in, first = guarded(aligned(len(v.in)+128), len(v.in))
	v.out, second = guarded(aligned(len(v.out)+128), len(v.out))
	return func() bool { return first() && second() }
}
