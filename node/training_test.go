package node

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/home"
	"github.com/atelier-dao/atelier/node/member"
	"github.com/atelier-dao/atelier/storage/strictjson"
)

func TestMaskedFilesAreFoundByTheirHash(t *testing.T) {
	m := masked(filepath.Join(t.TempDir(), "training", "masked"))
	file := []byte("noise")
	hash := sha256.Sum256(file)
	_, err := m.read(hash)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, m.keep(file))
	got, err := m.read(hash)
	require.NoError(t, err)
	require.Equal(t, file, got)
	require.NoError(t, os.WriteFile(m.path(hash), []byte("other"), 0o600))
	_, err = m.read(hash)
	require.ErrorIs(t, err, fs.ErrNotExist, "a damaged one is fetched again")
	require.NoError(t, m.forget())
	require.NoDirExists(t, string(m))
	require.NoError(t, m.forget(), "there is nothing to forget")
}

// pictures writes pictures that the embedded artist knows the words of.
func pictures(t *testing.T, prompts ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, prompt := range prompts {
		picture, err := model.Embedded().Render(t.Context(), prompt, [32]byte{}, 64, model.RenderOptions{})
		require.NoError(t, err)
		f, err := os.Create(filepath.Join(dir, prompt+".png"))
		require.NoError(t, err)
		require.NoError(t, picture.EncodePNG(f))
		require.NoError(t, f.Close())
	}
	return dir
}

func TestTheOwnersWordOutlastsTheNode(t *testing.T) {
	n := &Node{home: home.Home(t.TempDir()), log: slog.New(slog.DiscardHandler)}
	j, err := n.readJoining()
	require.NoError(t, err)
	require.Nil(t, j, "nobody trains without having been told to")
	dir := pictures(t, "red heart", "blue bird")
	_, err = n.JoinTrainings(t.Context(), "pictures")
	require.ErrorContains(t, err, "give its whole path")
	_, err = n.JoinTrainings(t.Context(), filepath.Join(dir, "nowhere"))
	require.ErrorIs(t, err, model.ErrPictures)
	require.Nil(t, n.pictures.Load())
	joined, err := n.JoinTrainings(t.Context(), dir)
	require.NoError(t, err)
	require.Equal(t, 2, joined.Count)
	require.Equal(t, dir, n.pictures.Load().Pictures)
	info, err := os.Stat(n.joiningFile())
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	j, err = n.readJoining()
	require.NoError(t, err)
	require.Equal(t, dir, j.Pictures)
	require.NoError(t, os.WriteFile(n.joiningFile(), []byte(`{"pictures":"`), 0o600))
	_, err = n.readJoining()
	require.ErrorContains(t, err, "say again which pictures")
	require.NoError(t, n.LeaveTrainings())
	require.Nil(t, n.pictures.Load())
	j, err = n.readJoining()
	require.NoError(t, err)
	require.Nil(t, j)
	require.NoError(t, n.LeaveTrainings(), "it trains in none already")
}

func TestLatentsAreKeptForTheNextTraining(t *testing.T) {
	l := latents(filepath.Join(t.TempDir(), "latents.json"))
	rows, err := l.load()
	require.NoError(t, err)
	require.Empty(t, rows)
	require.NoError(t, l.save(map[string][]float32{"gull": {.5, -1}}))
	rows, err = l.load()
	require.NoError(t, err)
	require.Equal(t, map[string][]float32{"gull": {.5, -1}}, rows)
	require.NoError(t, os.WriteFile(string(l), []byte(`{"gull": "big"}`), 0o600))
	_, err = l.load()
	require.ErrorContains(t, err, "delete it")
}

// A training that is forgotten ends what is done for it, and what waits to be done.
func TestAForgottenTrainingIsWorkedForNoMore(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	worker := newTrainer(&Node{})
	ended := make(chan error, 1)
	go func() { ended <- worker.run(ctx) }()
	began, after := make(chan struct{}), make(chan error, 2)
	worker.begin(ctx, 1, func(ctx context.Context) {
		close(began)
		<-ctx.Done()
		after <- ctx.Err()
	})
	worker.begin(ctx, 1, func(ctx context.Context) { after <- ctx.Err() })
	<-began
	require.Equal(t, uint64(1), worker.work().Number)
	worker.end(ctx, 1)
	require.ErrorIs(t, <-after, context.Canceled)
	require.ErrorIs(t, <-after, context.Canceled, "what waits is not begun")
	worker.begin(ctx, 2, func(ctx context.Context) { after <- ctx.Err() })
	require.NoError(t, <-after)
	stop()
	require.NoError(t, <-ended)
	require.Empty(t, worker.work())
}

// Learning that nobody waits for ends in the middle, and the artist stays open for what
// comes of the others' changes.
func TestLearningThatIsTooLateEnds(t *testing.T) {
	n := &Node{home: home.Home(t.TempDir()), log: slog.New(slog.DiscardHandler)}
	_, err := n.JoinTrainings(t.Context(), pictures(t, "red heart", "blue bird"))
	require.NoError(t, err)
	a := &actor{n: n, log: n.log, trainer: newTrainer(n), events: make(chan member.Event, 1)}
	a.trainer.stopLearning() // there is nothing to stop yet
	a.trainer.base = model.Embedded()
	inTime, late := context.WithCancelCause(t.Context())
	a.trainer.late = late
	a.trainer.stopLearning()
	a.learn(t.Context(), inTime, member.Learn{Number: 1, Steps: 10_000, Batch: 128, Rate: .003, Clip: 5})
	learned := (<-a.events).(member.Learned)
	require.ErrorIs(t, learned.Err, errLate)
	require.Nil(t, learned.Input)
	require.NotNil(t, a.trainer.base)
}

func FuzzWhatIsKeptOfTrainings(f *testing.F) {
	f.Add([]byte(`{"pictures":"/home/ada/pictures"}`))
	f.Add([]byte(`{"gull":[0.5,-1]}`))
	f.Add([]byte(`{} {}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var j joining
		if strictjson.Unmarshal(b, &j) == nil {
			again, err := json.Marshal(j)
			require.NoError(t, err)
			var same joining
			require.NoError(t, strictjson.Unmarshal(again, &same))
			require.Equal(t, j, same)
		}
		rows := map[string][]float32{}
		_ = strictjson.Unmarshal(b, &rows)
	})
}

// A version is judged on the own pictures and by what it forgot, and the owner can read it.
func TestAVersionIsJudged(t *testing.T) {
	n := &Node{home: home.Home(t.TempDir()), log: slog.New(slog.DiscardHandler)}
	_, err := n.JoinTrainings(t.Context(), pictures(t, "red heart", "blue bird"))
	require.NoError(t, err)
	n.actor = &actor{n: n, log: n.log, trainer: newTrainer(n)}
	worker := n.actor.trainer
	worker.of(t.Context(), 3)
	require.Nil(t, n.OwnTraining().Judged)
	worker.base, worker.next = model.Embedded(), model.Embedded()
	same := member.Summed{Number: 3}
	require.NoError(t, worker.judge(t.Context(), member.AddUp{Number: 3, Batch: 2}, &same))
	require.Equal(t, same.Before, same.After)
	require.Equal(t, model.Forgotten{Pictures: 64}, same.Forgotten)
	require.NoError(t, same.Dislikes())
	n.judged.Store(&same)
	require.Equal(t, &api.Judgement{Number: 3, Before: same.Before, After: same.After, Pictures: 64, Good: true, Says: same.Says()}, n.OwnTraining().Judged)

	change := make([]float64, worker.base.Parameters())
	for i := range change {
		change[i] = .05 * float64(i%3-1)
	}
	worker.next, err = worker.base.Changed(change)
	require.NoError(t, err)
	var torn member.Summed
	require.NoError(t, worker.judge(t.Context(), member.AddUp{Number: 3, Batch: 2}, &torn))
	torn.After = torn.Before // as if it drew its own pictures well
	require.ErrorContains(t, torn.Dislikes(), "it forgets too much: of 64 pictures")
	n.judged.Store(&torn)
	require.False(t, n.OwnTraining().Judged.Good)
	require.Equal(t, torn.Says(), n.OwnTraining().Judged.Says)
}
