package kernel

// guard moves the buffers of a vector network between guard values and returns
// the guards.
func guard(n network) (guards [][]int32) {
	v := n.(*vector)
	for _, buffer := range []*[]int32{&v.in, &v.out} {
		const margin = 64
		wide := aligned(len(*buffer) + 2*margin)
		for i := range wide {
			wide[i] = guardValue
		}
		end := margin + len(*buffer)
		*buffer = wide[margin:end:end]
		guards = append(guards, wide[:margin], wide[end:])
	}
	return guards
}
