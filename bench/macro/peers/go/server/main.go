// The server for what nghttpd cannot do: delayed answers, and many origins at once.
//
// It listens on loopback only and prints one line of JSON with its ports.
package main

import (
	"encoding/json"
	"flag"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"time"
)

var (
	certFile = flag.String("cert", "", "certificate chain")
	keyFile  = flag.String("key", "", "its key")
	origins  = flag.Int("origins", 1, "listening ports")
	body     = make([]byte, 100)
)

// pause lasts 0 to 2 ms.
func pause() { time.Sleep(time.Duration(rand.Int64N(int64(2 * time.Millisecond)))) }

// trickle answers 100 bytes within 0 to 4 ms: a pause before the header section, another before the content.
func trickle(w http.ResponseWriter, _ *http.Request) {
	pause()
	w.Header().Set("Content-Length", "100")
	_ = http.NewResponseController(w).Flush()
	pause()
	_, _ = w.Write(body)
}

// hello answers 100 bytes at once.
func hello(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	_, _ = w.Write(body)
}

func main() {
	flag.Parse()
	http.HandleFunc("/trickle", trickle)
	http.HandleFunc("/", hello)
	server := &http.Server{HTTP2: &http.HTTP2Config{MaxConcurrentStreams: 20000}}
	ports := make([]int, *origins)
	for i := range ports {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			log.Fatal(err)
		}
		ports[i] = listener.Addr().(*net.TCPAddr).Port
		go func() { log.Fatal(server.ServeTLS(listener, *certFile, *keyFile)) }()
	}
	_ = json.NewEncoder(os.Stdout).Encode(map[string][]int{"ports": ports})
	_, _ = io.Copy(io.Discard, os.Stdin) // Until the runner closes it.
}
