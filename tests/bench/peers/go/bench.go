// SPDX-License-Identifier: MIT
// Micro-benchmarks of goroutines used as actors: one goroutine that reads one channel.
// See ../README.md for what each one does.
// usage: bench NAME threads=N key=value ...
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

type msg struct {
	kind int32
	from int32
	n    int64
}

const (
	ping = iota
	pong
	inc
	total
	start
)

var args = map[string]string{}

func arg(k string, d int) int {
	if v, ok := args[k]; ok {
		n, err := strconv.Atoi(v)
		if err != nil {
			panic(err)
		}
		return n
	}
	return d
}

var epoch = time.Now()

func now() int64 { return int64(time.Since(epoch)) }

func rate(name string, n int, t0 int64, unit string) {
	fmt.Printf("%s %.1f %s\n", name, float64(n)*1e9/float64(now()-t0), unit)
}

func pct(name string, v []int64) {
	sort.Slice(v, func(i, j int) bool { return v[i] < v[j] })
	for _, q := range []struct {
		n string
		f float64
	}{{"p50", .5}, {"p99", .99}, {"p99.9", .999}} {
		fmt.Printf("%s.%s %d ns\n", name, q.n, v[int(float64(len(v))*q.f)])
	}
}

func box(d int) chan msg { return make(chan msg, arg("cap", d)) }

func pingPong() {
	n := arg("n", 1000000)
	a, b := box(1), box(1)
	done := make(chan bool)
	go func() {
		for m := range b {
			a <- msg{kind: pong, n: m.n}
		}
	}()
	t0 := now()
	go func() {
		for i := n; i > 0; i-- {
			b <- msg{kind: ping, n: int64(i)}
			<-a
		}
		done <- true
	}()
	<-done
	rate("ping_pong", n, t0, "round_trips/s")
}

func counting() {
	n := arg("n", 10000000)
	c, reply := box(1024), make(chan int64)
	go func() {
		var t int64
		for m := range c {
			if m.kind == total {
				reply <- t
				return
			}
			t += m.n
		}
	}()
	t0 := now()
	go func() {
		for i := 0; i < n; i++ {
			c <- msg{kind: inc, n: 1}
		}
		c <- msg{kind: total}
	}()
	if int(<-reply) != n {
		panic("total")
	}
	rate("counting", n, t0, "msgs/s")
}

func threadRing() {
	size, n := arg("actors", 503), arg("n", 5000000)
	c := make([]chan msg, size)
	for i := range c {
		c[i] = box(1)
	}
	done := make(chan bool)
	for i := range c {
		go func(in, out chan msg) {
			for m := range in {
				if m.n == 0 {
					done <- true
					return
				}
				out <- msg{n: m.n - 1}
			}
		}(c[i], c[(i+1)%size])
	}
	t0 := now()
	c[0] <- msg{n: int64(n)}
	<-done
	rate("thread_ring", n, t0, "hops/s")
}

func forkJoinCreate() {
	n := arg("n", 1000000)
	left := int64(n)
	done := make(chan bool)
	t0 := now()
	go func() {
		for i := 0; i < n; i++ {
			c := box(1)
			go func() {
				<-c
				if atomic.AddInt64(&left, -1) == 0 {
					done <- true
				}
			}()
			c <- msg{n: int64(i)}
		}
	}()
	<-done
	rate("fork_join_create", n, t0, "spawns/s")
}

func forkJoinThroughput() {
	k, n := arg("actors", 60), arg("n", 100000)
	var wg sync.WaitGroup
	c := make([]chan msg, k)
	for i := range c {
		c[i] = box(1024)
		wg.Add(1)
		go func(in chan msg) {
			for j := 0; j < n; j++ {
				<-in
			}
			wg.Done()
		}(c[i])
	}
	t0 := now()
	go func() {
		for i := 0; i < n; i++ {
			for _, x := range c {
				x <- msg{n: int64(i)}
			}
		}
	}()
	wg.Wait()
	rate("fork_join_throughput", k*n, t0, "msgs/s")
}

func big() {
	k, n := arg("actors", 100), arg("n", 20000)
	c := make([]chan msg, k)
	for i := range c {
		c[i] = box(128) // one ping of an actor is under way at a time, so 101 always suffice
	}
	var wg sync.WaitGroup
	for i := range c {
		wg.Add(1)
		go func(me int) {
			s, left := uint32(me*7919+1), n
			send := func() {
				s = (s*1103515245 + 12345) & 0x7fffffff
				j := int(s>>8) % (k - 1)
				if j >= me {
					j++
				}
				c[j] <- msg{kind: ping, from: int32(me)}
			}
			for m := range c[me] {
				switch m.kind {
				case start:
					send()
				case ping:
					c[m.from] <- msg{kind: pong, from: int32(me)}
				case pong:
					left--
					if left == 0 {
						wg.Done()
					} else {
						send()
					}
				}
			}
		}(i)
	}
	t0 := now()
	for _, x := range c {
		x <- msg{kind: start}
	}
	wg.Wait()
	rate("big", 2*k*n, t0, "msgs/s")
}

func mailboxNTo1() {
	k, n := arg("actors", 100), arg("n", 100000)
	r, done, gate := box(1024), make(chan bool), make(chan bool)
	go func() {
		for i := 0; i < k*n; i++ {
			<-r
		}
		done <- true
	}()
	for i := 0; i < k; i++ {
		go func() {
			<-gate
			for j := 0; j < n; j++ {
				r <- msg{n: int64(j)}
			}
		}()
	}
	t0 := now()
	close(gate)
	<-done
	rate("mailbox_n_to_1", k*n, t0, "msgs/s")
}

func rss() float64 {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		panic(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if strings.HasPrefix(s.Text(), "VmRSS:") {
			kb, _ := strconv.ParseFloat(strings.Fields(s.Text())[1], 64)
			return kb * 1024
		}
	}
	return 0
}

func idleMemory() {
	n := arg("n", 1000000)
	c := make([]chan msg, n)
	for i := range c {
		c[i] = nil
	}
	var wg sync.WaitGroup
	wg.Add(n)
	r0 := rss()
	for i := range c {
		x := box(1)
		c[i] = x
		go func() {
			wg.Done()
			<-x
		}()
	}
	wg.Wait()
	time.Sleep(200 * time.Millisecond)
	fmt.Printf("idle_memory %.1f bytes/actor\n", (rss()-r0)/float64(n))
	runtime.KeepAlive(c)
}

type call struct {
	n     int64
	reply chan int64
}

func requestLatency() {
	n, apart := arg("n", 200000), args["mode"] == "apart"
	in := make(chan call, 1)
	go func() {
		if apart {
			runtime.LockOSThread()
		}
		for q := range in {
			q.reply <- q.n
		}
	}()
	v := make([]int64, 0, n+1000)
	done := make(chan bool)
	go func() {
		if apart {
			runtime.LockOSThread()
		}
		for i := 0; i < n+1000; i++ {
			t0 := now()
			r := make(chan int64, 1)
			in <- call{int64(i), r}
			<-r
			v = append(v, now()-t0)
		}
		done <- true
	}()
	<-done
	pct("request_latency", v[1000:])
}

func main() {
	for _, a := range os.Args[2:] {
		p := strings.SplitN(a, "=", 2)
		args[p[0]] = p[1]
	}
	runtime.GOMAXPROCS(arg("threads", 2))
	if g := arg("gc", 100); g != 100 {
		debug.SetGCPercent(g)
	}
	all := map[string]func(){
		"ping_pong": pingPong, "counting": counting, "thread_ring": threadRing,
		"fork_join_create": forkJoinCreate, "fork_join_throughput": forkJoinThroughput,
		"big": big, "mailbox_n_to_1": mailboxNTo1, "idle_memory": idleMemory,
		"request_latency": requestLatency}
	f, ok := all[os.Args[1]]
	if !ok {
		os.Exit(2)
	}
	f()
}
