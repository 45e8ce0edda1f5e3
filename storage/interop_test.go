package storage

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/stretchr/testify/require"
)

// kubo is a stock IPFS node on loopback with everything public switched off.
type kubo struct {
	t      *testing.T
	binary string
	repo   string
	info   peer.AddrInfo
}

func (k kubo) run(stdin []byte, args ...string) []byte {
	k.t.Helper()
	cmd := exec.Command(k.binary, args...)
	cmd.Env = append(os.Environ(), "IPFS_PATH="+k.repo, "IPFS_TELEMETRY=off")
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(k.t, err, "ipfs %v: %s", args, stderr.String())
	return out
}

func startKubo(t *testing.T) kubo {
	t.Helper()
	binary := os.Getenv("ATELIER_KUBO")
	if binary == "" {
		t.Skip("ATELIER_KUBO does not name an ipfs binary (github.com/ipfs/kubo/cmd/ipfs v0.43.0)")
	}
	k := kubo{t: t, binary: binary, repo: t.TempDir()}
	k.run(nil, "init", "--profile=test,unixfs-v1-2025")
	for key, value := range map[string]string{
		"Bootstrap": "[]", "Routing.Type": `"none"`, "AutoConf.Enabled": "false", "DNS.Resolvers": "{}",
		"Routing.DelegatedRouters": "[]", "Ipns.DelegatedPublishers": "[]", "AutoTLS.Enabled": "false",
		"Discovery.MDNS.Enabled": "false", "Addresses.Swarm": `["/ip4/127.0.0.1/tcp/0"]`,
		"Addresses.API": `"/ip4/127.0.0.1/tcp/0"`, "Addresses.Gateway": `"/ip4/127.0.0.1/tcp/0"`,
	} {
		k.run(nil, "config", "--json", key, value)
	}
	cmd := exec.Command(k.binary, "daemon")
	cmd.Env = append(os.Environ(), "IPFS_PATH="+k.repo, "IPFS_TELEMETRY=off")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.Contains(lines.Text(), "Daemon is ready") {
	}
	go func() { // keep the pipe from filling
		for lines.Scan() {
		}
	}()
	var id struct {
		ID        string
		Addresses []string
	}
	require.NoError(t, json.Unmarshal(k.run(nil, "id"), &id))
	for _, a := range id.Addresses {
		info, err := peer.AddrInfoFromString(a)
		require.NoError(t, err)
		k.info.ID = info.ID
		k.info.Addrs = append(k.info.Addrs, info.Addrs...)
	}
	return k
}

// A stock IPFS node can fetch, pin, check and export what we publish, and we
// theirs, down to the same bytes.
func TestKubo(t *testing.T) {
	k := startKubo(t)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	m := newMember(t, ExchangeOptions{})
	require.NoError(t, m.Connect(ctx, k.info))

	files := folder(21, 3<<20+9)
	root, err := m.PutFolder(ctx, files)
	require.NoError(t, err)
	k.run(nil, "pin", "add", root.String())
	require.True(t, bytes.Equal(files[0].Data, k.run(nil, "cat", root.String()+"/image.png")), "Kubo fetched it by bitswap")
	var ours bytes.Buffer
	_, err = m.ExportCAR(ctx, root, &ours)
	require.NoError(t, err)
	require.True(t, bytes.Equal(ours.Bytes(), k.run(nil, "dag", "export", "--progress=false", root.String())), "the same CAR")

	dir := filepath.Join(t.TempDir(), "theirs")
	require.NoError(t, os.Mkdir(dir, 0o755))
	theirs := folder(22, 2<<20+1)
	for _, f := range theirs {
		require.NoError(t, os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o644))
	}
	want, err := FolderCID(theirs)
	require.NoError(t, err)
	got, err := cid.Decode(strings.TrimSpace(string(k.run(nil, "add", "-rQ", dir))))
	require.NoError(t, err)
	require.Equal(t, want, got)
	r, err := m.Fetch(ctx, got, []peer.ID{k.info.ID})
	require.NoError(t, err)
	require.Equal(t, ViaBitswap, r.Via)
	require.Equal(t, k.info.ID, r.Peer)
	image, err := m.ReadFile(ctx, got, "image.png")
	require.NoError(t, err)
	require.True(t, bytes.Equal(theirs[0].Data, image))

	// An old DAG: CIDv0, chunks of 256 KiB, leaves in dag-pb.
	old := strings.TrimSpace(string(k.run(theirs[0].Data, "add", "-Q", "--cid-version=0", "--raw-leaves=false", "--chunker=size-262144", "--max-file-links=174")))
	got, err = cid.Decode(old)
	require.NoError(t, err)
	require.EqualValues(t, 0, got.Version())
	_, err = m.Fetch(ctx, got, []peer.ID{k.info.ID})
	require.NoError(t, err)
	image, err = m.ReadFile(ctx, got, "")
	require.NoError(t, err)
	require.True(t, bytes.Equal(theirs[0].Data, image))

	car := k.run(nil, "dag", "export", "--progress=false", want.String())
	other := openTest(t, Options{})
	_, err = other.ImportCAR(ctx, want, bytes.NewReader(car), 8<<20)
	require.NoError(t, err)
	many := make([]File, 2000)
	for i := range many {
		many[i] = File{Name: string(rune('a'+i%26)) + strings.Repeat("x", i/26), Data: noise(uint64(i), 2000)}
	}
	lots, err := m.PutFolder(ctx, many)
	require.NoError(t, err)
	start := time.Now()
	k.run(nil, "pin", "add", lots.String())
	t.Logf("Kubo pinned 2000 blocks of ours in %s", time.Since(start))
}
