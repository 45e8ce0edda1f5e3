package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// spare refuses a training for which the machine's free memory is too small.
func spare(memory int64, root fs.FS) error {
	if free, known := freeMemory(root); known && memory > free {
		return fmt.Errorf("this training takes about %s of memory, and %s are free: choose a smaller --batch or artist, or end other programs", bytesText(memory), bytesText(free))
	}
	return nil
}

// freeMemory is what programs can still take without pushing others to the disk,
// in bytes, by what Linux tells in files; elsewhere it is not known. A container
// may have less than its machine.
func freeMemory(root fs.FS) (int64, bool) {
	free, known := int64(0), false
	if kb, ok := field(root, "proc/meminfo", "MemAvailable:"); ok {
		free, known = kb<<10, true
	}
	const group = "sys/fs/cgroup/"
	most, limited := field(root, group+"memory.max", "")
	taken, counted := field(root, group+"memory.current", "")
	if limited && counted {
		cached, _ := field(root, group+"memory.stat", "inactive_file") // given back when wanted
		if rest := max(0, most-taken+cached); !known || rest < free {
			return rest, true
		}
	}
	return free, known
}

// field is the number after a name on a line of a file; without a name, the
// file's own.
func field(root fs.FS, file, name string) (int64, bool) {
	raw, err := fs.ReadFile(root, file)
	if err != nil {
		return 0, false
	}
	for line := range bytes.Lines(raw) {
		f := strings.Fields(string(line))
		if name != "" && len(f) > 1 && f[0] == name {
			f = f[1:]
		} else if name != "" || len(f) == 0 {
			continue
		}
		n, err := strconv.ParseInt(f[0], 10, 64)
		return n, err == nil && n >= 0 && n < 1<<50
	}
	return 0, false
}
