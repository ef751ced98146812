package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// redisCounter counts in redis. Its era is the run_id of the redis at the other
// end of its connection, of which no other redis can be the end: so the era and
// the count belong together. A connection that failed is given up, and the next
// call makes another; nothing is asked twice.
type redisCounter struct {
	address string
	mu      sync.Mutex // protects all below
	conn    net.Conn
	in      *bufio.Reader
	era     string
}

func (r *redisCounter) next() (string, int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	reply, err := r.ask("INCR visits")
	if err != nil {
		return "", 0, err
	}
	n, err := strconv.ParseInt(reply, 10, 64)
	return r.era, n, err
}

func (r *redisCounter) ping() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, err := r.ask("PING")
	return err
}

func (r *redisCounter) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop()
}

func (r *redisCounter) drop() {
	if r.conn != nil {
		r.conn.Close()
		r.conn = nil
	}
}

func (r *redisCounter) ask(command string) (string, error) {
	if err := r.connect(); err != nil {
		return "", err
	}
	return r.exchange(command)
}

func (r *redisCounter) connect() error {
	if r.conn != nil {
		return nil
	}
	conn, err := net.DialTimeout("tcp", r.address, time.Second)
	if err != nil {
		return err
	}
	r.conn, r.in = conn, bufio.NewReader(conn)
	info, err := r.exchange("INFO server")
	if err != nil {
		return err
	}
	_, rest, _ := strings.Cut(info, "run_id:")
	r.era, _, _ = strings.Cut(rest, "\r\n")
	return nil
}

// exchange sends a command in one line and reads its reply: a text, a number or
// a string of a given length.
func (r *redisCounter) exchange(command string) (reply string, err error) {
	defer func() {
		if err != nil {
			r.drop()
		}
	}()
	r.conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := io.WriteString(r.conn, command+"\r\n"); err != nil {
		return "", err
	}
	line, err := r.in.ReadString('\n')
	if err != nil {
		return "", err
	}
	kind, text := line[0], strings.TrimSpace(line[1:])
	switch kind {
	case '+', ':':
		return text, nil
	case '$':
		size, err := strconv.Atoi(text)
		if err != nil || size < 0 {
			return "", fmt.Errorf("redis: %q", line)
		}
		body := make([]byte, size+len("\r\n"))
		_, err = io.ReadFull(r.in, body)
		return string(body), err
	}
	return "", fmt.Errorf("redis: %q", line)
}
