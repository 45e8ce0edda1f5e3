package train

// Memory is what a run takes besides its pictures, in bytes, computed from its
// shapes: an Engine, a state that goes in and one that comes out, and what the
// steps leave to the garbage collector, which lets it grow to as much again.
func Memory(s Shape, o Options) int64 {
	groups, rows := int64(o.Groups), int64(o.Groups)*int64(o.Points)
	parameters := int64(s.Parameters())
	hidden, layers, colours := int64(s.Hidden), int64(s.Layers), int64(s.Colours)
	latent, mapping, palette, features := int64(s.Latent), int64(s.Mapping), int64(s.Palette), int64(s.Features)

	batch := groups*(features+latent+6*colours) + rows*(2+colours)
	batches := int64(2)
	if o.Every > 0 {
		batches++
	}
	// Weights, gradients and moments in graph and optimiser; weights and moments
	// of two states; the weights of the best measurement, and a file of it all.
	kept := parameters * (4 + 2*3 + 2 + 8)
	// The latent networks: values and gradients of their layers for each picture.
	nets := groups * 2 * (3*latent + 12*mapping + 3*palette + 6*hidden*layers + 12*colours)
	block := min(rows, max(int64(o.Points), blockRows/max(1, int64(o.Points))*int64(o.Points)))
	desk := block*(hidden*(3*layers+2)+headColumns) + hidden*headColumns
	trunk := int64(max(1, min(o.Workers, chunks)))*desk + hidden*hidden*layers*(chunks+2) +
		(rows/block+chunks)*hidden*colours + groups*2*hidden*layers
	var rehearsed int64
	if o.Rehearsal.Share > 0 { // the artist as it was, twice, for a share of the batch
		most := int64(o.Rehearsal.Share*float64(groups)) + 1
		rehearsed = 2*parameters + most*(features+3*latent+12*mapping+3*palette+6*hidden*layers+12*colours) +
			most*int64(o.Points)*(4+2*colours) + desk
	}
	return 4 * 2 * (batch*batches + kept + nets + trunk + rehearsed)
}
