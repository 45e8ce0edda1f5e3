// Package model holds the artists: small networks that draw pictures of any
// size, that every peer can run, check to the bit, and train further.
//
// The genesis artist "paper-cut" is an implicit network. A point (x, y) passes
// four layers of 64 sines and leaves as six logits; a palette of six OKLab
// colours, one for each logit, belongs to the whole picture. A latent z steers
// scales and phases of the layers and the palette through a network that runs
// once per picture, so z costs nothing per pixel. Words of the prompt have
// trained latents, unknown words fall on seeded directions, and the seed adds
// ground, view and noise: prompt and seed both matter.
//
// # Reading and writing
//
//	artist := model.Embedded()                        // the genesis artist of this binary
//	artist, err := model.LoadDir(os.DirFS(dir))       // Hugging Face layout
//	err = artist.SaveDir(dir)
//	raw, err := artist.MarshalBinary()                // one strict safetensors file, the form that is sealed
//	artist, err = model.UnmarshalArtist(raw)
//	id := artist.ID()                                 // SHA-256 of that file
//
// # Drawing
//
//	program, err := artist.Fold(prompt, seed)         // *kernel.Program, the picture before its pixels
//	picture, err := artist.Render(ctx, prompt, seed, 1024, model.RenderOptions{Workers: 2})
//	picture.PixelRoot; picture.EncodePNG(w)
//
// From prompt and seed to the last pixel only integers are used, so the same
// artist, prompt, seed and size give the same pixel root on every machine
// (contract "phase-16", package kernel).
//
// # Elsewhere
//
//	raw, err := artist.ONNX()                         // the whole artist, in floats, for other programs
//	raw, err = onnx.FromProgram(program)              // one picture
//
// Package engine draws with ONNX files; what they draw is of the class Tolerant,
// what is drawn here Exact.
//
// # Training
//
//	own, err := model.FineTune(ctx, model.Embedded(), model.FineTuneOptions{Seed: secret})
//	new, err := model.Train(ctx, os.DirFS(pictures), model.TrainOptions{Name: "gull", Steps: 4000})
//
// Training runs on gorgonia's graphs, with operations of our own for what it
// does slowly (package internal/train), and is the only place with floats.
package model
