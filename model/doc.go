// Package model holds the artists: small networks that draw pictures of any
// size, that every peer can run, check to the bit, and train further.
//
// The genesis artist "paper-cut" is an implicit network. A point (x, y) passes
// four layers of 64 sines and leaves as eight logits; a palette of eight OKLab
// colours, one for each logit and three of them the ground's, belongs to the whole picture. A latent z steers
// scales and phases of the layers and the palette through a network that runs
// once per picture, so z costs nothing per pixel. What a prompt names
// has trained latents: one thing, its colours and a ground; the seed adds what is not
// named, view and noise: prompt and seed both matter.
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
//	program, err = artist.FoldLatent(l, seed)         // from words and noise instead of a prompt, package latent
//	root, err := artist.RenderPNG(ctx, w, prompt, seed, 16384, model.RenderOptions{}) // in little memory
//
// A [Recipe] is all that a picture follows from but its size, in less than 200 bytes
// for most prompts: artist, prompt, seed, and what was changed about colours and
// frame, or the several subjects that it lies between. [Check] draws some tiles of a
// picture again; a [Morph] is the way from one recipe to another.
//
//	recipe := model.NewRecipe(artist.ID(), prompt, seed)
//	recipe.Colours.Turned = 120
//	text := recipe.String()                           // "recipe1…", to paste
//	program, err := recipe.Program(artist)
//	differ, err := model.Check(ctx, program, w, h, rgb, tiles, model.RenderOptions{})
//
// From prompt and seed to the last pixel only integers are used, so the same
// artist, prompt, seed and size give the same pixel root on every machine
// (contract "phase-16": FOLD.md from the prompt to the network of a picture,
// kernel/PHASE16.md from there to pixels).
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
// Both are a [Run] from beginning to end. A Run can also stop: what it has learned
// is a value, which a checkpoint keeps and from which it goes on to the same artist
// to the byte. A [Training] carries a run out in a folder, with checkpoints, a log,
// the loss curve and sheets of samples.
//
// Several members train one artist without showing their pictures (package federated,
// whose README says what that keeps private, and shamir/secagg):
//
//	learner, err := model.NewLearner(ctx, artist, os.DirFS(pictures), model.LearnerOptions{})
//	learned, err := learner.Learn(ctx, artist, model.LearnOptions{Steps: 10, Seed: secret, Rehearse: .75})
//	input, err := federated.Encode(learned.Change, clip)               // masked, and added up
//	next, err := artist.Changed(federated.Average(sum, len(survivors))) // by all members alike
//	forgotten, err := next.Forgotten(ctx, artist, seed, model.RenderOptions{})
//
// With Rehearse a Learner rehearses, as does a Run that fine-tunes: the artist as it was
// draws a share of what is learned, so that few pictures do not make it forget the rest.
//
// Training runs on gorgonia's graphs, with an operation of our own for what works on
// every place (package internal/train), and is the only place with floats.
package model
