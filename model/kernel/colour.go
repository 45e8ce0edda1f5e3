package kernel

// SRGB is a colour as a pixel shows it that no other colour and no shadow reaches:
// clipped to sRGB.
func SRGB(c Lab) (pixel [3]byte) {
	for k, v := range lightOf(int64(c.L), int64(c.A), int64(c.B)) {
		pixel[k] = sharedTables().srgb[v]
	}
	return pixel
}
