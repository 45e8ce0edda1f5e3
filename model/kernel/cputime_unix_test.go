//go:build unix

package kernel

import (
	"syscall"
	"time"
)

// cpuTime is what this process has computed so far, on all cores, so that
// figures hold on a busy machine too.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
