package main

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func TestFreeMemory(t *testing.T) {
	info := "MemTotal:        4048000 kB\nMemFree:          100000 kB\nMemAvailable:    2000000 kB\n"
	for name, test := range map[string]struct {
		files map[string]string
		free  int64
		known bool
	}{
		"elsewhere than on Linux":             {nil, 0, false},
		"what the machine has":                {map[string]string{"proc/meminfo": info}, 2000000 << 10, true},
		"a container without a limit":         {map[string]string{"proc/meminfo": info, "sys/fs/cgroup/memory.max": "max\n", "sys/fs/cgroup/memory.current": "5\n"}, 2000000 << 10, true},
		"a container with less":               {map[string]string{"proc/meminfo": info, "sys/fs/cgroup/memory.max": "1000000\n", "sys/fs/cgroup/memory.current": "400000\n"}, 600000, true},
		"a container's cache is given back":   {map[string]string{"sys/fs/cgroup/memory.max": "1000000\n", "sys/fs/cgroup/memory.current": "400000\n", "sys/fs/cgroup/memory.stat": "anon 7\ninactive_file 300000\n"}, 900000, true},
		"a container that has taken it all":   {map[string]string{"sys/fs/cgroup/memory.max": "1000\n", "sys/fs/cgroup/memory.current": "4000\n"}, 0, true},
		"a container with more than there is": {map[string]string{"proc/meminfo": info, "sys/fs/cgroup/memory.max": "9000000000\n", "sys/fs/cgroup/memory.current": "0\n"}, 2000000 << 10, true},
		"text that is no number":              {map[string]string{"proc/meminfo": "MemAvailable: lots kB\n"}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			files := fstest.MapFS{}
			for path, text := range test.files {
				files[path] = &fstest.MapFile{Data: []byte(text)}
			}
			free, known := freeMemory(files)
			require.Equal(t, test.free, free)
			require.Equal(t, test.known, known)
		})
	}
}

func TestATrainingIsRefusedWhereTheMemoryIsNotThere(t *testing.T) {
	machine := fstest.MapFS{"proc/meminfo": {Data: []byte("MemAvailable:    100000 kB\n")}}
	require.NoError(t, spare(100000<<10, machine))
	require.NoError(t, spare(1<<40, fstest.MapFS{}), "where it is not known, nobody is refused")
	require.EqualError(t, spare(3<<30, machine), "this training takes about 3.0 GiB of memory, and 97.7 MiB are free: choose a smaller --batch or artist, or end other programs")
}
