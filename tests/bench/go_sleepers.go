// The peer of green_sleepers.c: Go. GOMAXPROCS=1 in the environment.
package main

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
)

func cpu() float64 {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}

func wave(n int, longest uint32) float64 {
	begin := cpu()
	seed := uint32(1)
	var done sync.WaitGroup
	done.Add(n)
	for i := 0; i < n; i++ {
		seed = seed*1664525 + 1013904223
		sleep := time.Duration(seed>>8%longest) * time.Microsecond
		go func() {
			time.Sleep(sleep)
			done.Done()
		}()
	}
	done.Wait()
	return cpu() - begin
}

func argument(i int, otherwise int) int {
	if i >= len(os.Args) {
		return otherwise
	}
	n, err := strconv.Atoi(os.Args[i])
	if err != nil || n <= 0 {
		os.Exit(2)
	}
	return n
}

func main() {
	n := argument(1, 100000)
	longest := uint32(argument(2, 1000)) * 1000
	fmt.Printf("sleepers_first s %.9g\n", wave(n, longest))
	fmt.Printf("sleepers_second s %.9g\n", wave(n, longest))
}
