// The Go peer: net/http against the scenario's server, measured by itself.
//
// It prints one JSON line in the schema that bench/macro/run.py documents.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

var (
	mode        = flag.String("mode", "get", "get, download, upload or idle")
	url         = flag.String("url", "", "target; for idle a comma-separated list")
	scenario    = flag.String("scenario", "", "name to print")
	caFile      = flag.String("ca", "", "certificate authority file")
	concurrency = flag.Int("concurrency", 1, "requests in flight")
	connections = flag.Int("connections", 1, "connections")
	seconds     = flag.Float64("seconds", 2, "measured time")
	warmup      = flag.Float64("warmup", 0.5, "time before it")
	repeat      = flag.Int("repeat", 1, "transfers of a download or upload")
	size        = flag.Int64("size", 0, "expected response bytes, or bytes to upload")
)

// result is the JSON line.
type result struct {
	Client   string   `json:"client"`
	Version  string   `json:"version"`
	Scenario string   `json:"scenario"`
	Requests int64    `json:"requests"`
	Errors   int64    `json:"errors"`
	Seconds  float64  `json:"seconds"`
	RPS      float64  `json:"rps"`
	P50      *float64 `json:"p50_us"`
	P99      *float64 `json:"p99_us"`
	CPU      float64  `json:"cpu_us_per_request"`
	PeakRSS  int64    `json:"peak_rss_kib"`
	Bytes    int64    `json:"bytes"`
	Rate     float64  `json:"mb_per_s"`
	CPUs     float64  `json:"cpu_s"`
}

// newTransport speaks HTTP/2 alone: by ALPN for https, with prior knowledge for http.
func newTransport(roots *x509.CertPool) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Transport{
		TLSClientConfig:    &tls.Config{RootCAs: roots},
		Protocols:          protocols,
		DisableCompression: true,
	}
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

// peakRSS reads VmHWM: ru_maxrss would also remember the process that started this one.
func peakRSS() int64 {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "VmHWM:") {
			kib, _ := strconv.ParseInt(strings.Fields(line)[1], 10, 64)
			return kib
		}
	}
	return 0
}

// exchange does one request and returns its content's length, or an error for anything but a whole 200.
func exchange(client *http.Client, request *http.Request, want int64) (int64, error) {
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	read, err := io.Copy(io.Discard, response.Body)
	if err != nil {
		return read, err
	}
	if response.StatusCode != 200 || response.ProtoMajor != 2 || (want > 0 && read != want) {
		return read, fmt.Errorf("%s %d, %d bytes", response.Proto, response.StatusCode, read)
	}
	return read, nil
}

// get keeps `concurrency` goroutines in a loop of GETs for a while and returns every latency in ns.
func get(clients []*http.Client, lasting time.Duration, failed, received *atomic.Int64) []int64 {
	var group sync.WaitGroup
	latencies := make([][]int64, *concurrency)
	end := time.Now().Add(lasting)
	for i := range *concurrency {
		group.Go(func() {
			client := clients[i%len(clients)]
			start := time.Now()
			for start.Before(end) {
				request, _ := http.NewRequest("GET", *url, nil)
				read, err := exchange(client, request, *size)
				now := time.Now()
				if err != nil {
					if failed.Add(1) == 1 {
						fmt.Fprintln(os.Stderr, err)
					}
				} else {
					received.Add(read)
					latencies[i] = append(latencies[i], int64(now.Sub(start)))
				}
				start = now
			}
		})
	}
	group.Wait()
	return slices.Concat(latencies...)
}

// upload sends `size` bytes from a reader of unknown length.
func upload(client *http.Client) (int64, error) {
	request, _ := http.NewRequest("POST", *url, io.LimitReader(pattern{}, *size))
	if _, err := exchange(client, request, 0); err != nil {
		return 0, err
	}
	return *size, nil
}

// pattern is an endless body; it costs nothing to produce.
type pattern struct{}

func (pattern) Read(p []byte) (int, error) { return len(p), nil }

// idle asks one URL after the other, 10 ms apart.
func idle(client *http.Client, urls []string, lasting time.Duration, failed, received *atomic.Int64) []int64 {
	var latencies []int64
	end := time.Now().Add(lasting)
	for i := 0; time.Now().Before(end); i++ {
		start := time.Now()
		request, _ := http.NewRequest("GET", urls[i%len(urls)], nil)
		read, err := exchange(client, request, *size)
		if err != nil {
			if failed.Add(1) == 1 {
				fmt.Fprintln(os.Stderr, err)
			}
		} else {
			received.Add(read)
			latencies = append(latencies, int64(time.Since(start)))
		}
		time.Sleep(10 * time.Millisecond)
	}
	return latencies
}

func main() {
	flag.Parse()
	roots := x509.NewCertPool()
	if *caFile != "" {
		pem, err := os.ReadFile(*caFile)
		if err != nil || !roots.AppendCertsFromPEM(pem) {
			fmt.Fprintln(os.Stderr, "no certificate in", *caFile, err)
			os.Exit(2)
		}
	}
	clients := make([]*http.Client, *connections)
	for i := range clients {
		clients[i] = &http.Client{Transport: newTransport(roots)}
	}
	var failed, received, unused atomic.Int64
	// One request per connection first: goroutines that start together would each dial.
	urls := strings.Split(*url, ",")
	for _, client := range clients {
		for _, target := range urls {
			request, _ := http.NewRequest("HEAD", target, nil)
			if _, err := exchange(client, request, 0); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
	}
	if *mode == "get" {
		get(clients, time.Duration(*warmup*1e9), &unused, &unused)
	}

	var latencies []int64
	var requests int64
	cpu, start := cpuSeconds(), time.Now()
	switch *mode {
	case "get":
		latencies = get(clients, time.Duration(*seconds*1e9), &failed, &received)
		requests = int64(len(latencies))
	case "idle":
		latencies = idle(clients[0], urls, time.Duration(*seconds*1e9), &failed, &received)
		requests = int64(len(latencies))
	default:
		for range *repeat {
			var moved int64
			var err error
			if *mode == "upload" {
				moved, err = upload(clients[0])
			} else {
				request, _ := http.NewRequest("GET", *url, nil)
				moved, err = exchange(clients[0], request, *size)
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				failed.Add(1)
			} else {
				requests++
			}
			received.Add(moved)
		}
	}
	elapsed, used := time.Since(start).Seconds(), cpuSeconds()-cpu

	printed := result{
		Client: "go", Version: runtime.Version(), Scenario: *scenario,
		Requests: requests, Errors: failed.Load(), Seconds: elapsed, RPS: float64(requests) / elapsed,
		CPU: used * 1e6 / float64(max(requests, 1)), PeakRSS: peakRSS(),
		Bytes: received.Load(), Rate: float64(received.Load()) / 1e6 / elapsed, CPUs: used,
	}
	if len(latencies) > 0 {
		slices.Sort(latencies)
		p50 := float64(latencies[len(latencies)/2]) / 1e3
		p99 := float64(latencies[len(latencies)*99/100]) / 1e3
		printed.P50, printed.P99 = &p50, &p99
	}
	if err := json.NewEncoder(os.Stdout).Encode(printed); err != nil {
		os.Exit(1)
	}
}
