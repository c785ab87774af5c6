// The peer of green_chan.c: Go, a buffered channel of 128 between two goroutines. GOMAXPROCS=2 in the environment.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

func run(n int, item *byte) float64 {
	c := make(chan *byte, 128)
	begin := time.Now()
	go func() {
		for i := 0; i < n; i++ {
			c <- item
		}
	}()
	for i := 0; i < n; i++ {
		if <-c != item {
			os.Exit(1)
		}
	}
	return float64(n) / time.Since(begin).Seconds()
}

func main() {
	n := 10000000
	if len(os.Args) > 1 {
		var err error
		if n, err = strconv.Atoi(os.Args[1]); err != nil || n <= 0 {
			os.Exit(2)
		}
	}
	var item byte
	run(n/10+1, &item)
	fmt.Printf("chan_items items/s %.9g\n", run(n, &item))
}
