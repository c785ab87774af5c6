// A peer of green_http.c: Go's net/http.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
)

var body = []byte("Hello, World!\n")

func hello(w http.ResponseWriter, _ *http.Request) {
	header := w.Header()
	header["Server"] = []string{"Go-server"}
	header["Content-Type"] = []string{"text/plain"}
	w.Write(body)
}

func main() {
	runtime.GOMAXPROCS(1)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("port %d\n", listener.Addr().(*net.TCPAddr).Port)
	http.Serve(listener, http.HandlerFunc(hello))
}
