// Package train teaches an artist: pictures cut into few flat colours, batches of
// places drawn from them, the network as a graph of gorgonia's, and steps of Adam.
//
//	engine, err := train.New(shape, features, pictures, options)
//	state, err := engine.Begin(shape.Initial(rng))        // or any weights
//	state, err = engine.Advance(ctx, state, 100, nil)     // 100 steps later
//
// A [State] is a value: all that the next steps depend on besides shape, pictures
// and options. So a run may stop, be kept in a file, and go on in another process
// to the same weights to the bit. With Options.Constant the steps are a part of a
// longer run, as a member takes them in a round of many.
//
// # What is computed where
//
// Gorgonia differentiates and runs the networks that work once for each picture of
// a batch, from words to scales, shifts and colours. What works once for each
// place, nine tenths of the arithmetic, is one operation of our own, the trunk; it
// goes through all layers and back with 256 places at a time, so that what passes
// between layers stays in a core's cache, and shares eight chunks of the batch
// among the workers. The chunks' gradients are added in their order, so the number
// of workers changes nothing.
//
// A tape machine for each worker, on a part of the batch each, was measured and is
// slower: a place in a batch of 16 pictures takes 1.7 times the processor time of
// one in a batch of 128, since each machine runs the picture's networks and the
// words' again, and with two of 64 pictures nothing is won over the present way.
//
// Results depend on the kind of machine, see package gemm. Errors come from what
// is given, never from what it says: nothing here meets the network.
package train
