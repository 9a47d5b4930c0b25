// Package fleetserver runs the engine of a fleet inside the program: a NATS server with
// JetStream that listens nowhere unless it is told to, and syncs each write to the disk
// before it acknowledges it.
//
// Begin at [Start]. A cluster of servers is not started here: it runs nats-server as it is,
// with the samples in docs/deploy/fleet.
package fleetserver

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// Options are the options of [Start].
type Options struct {
	// Store is the folder of the store, which is created if need be. Two servers must not
	// have the same.
	Store string
	// Listen is host:port for workers on other machines and for programs that submit, ""
	// for none. Beyond loopback it needs Cert, Key and Users.
	Listen string
	// Cert and Key are PEM files of the server's certificate.
	Cert, Key string
	// ClientCA is a PEM file; clients must then show a certificate that it has signed.
	ClientCA string
	// Users are who may log in, by name with a password.
	Users map[string]string
	// MaxStore is the most bytes that the store may take; 0 means what the engine finds
	// fit for the disk.
	MaxStore int64
	// Logger is told what the server says; nil for nobody.
	Logger server.Logger
}

// startWithin is how long a server may take to be ready: a large store is read first.
const startWithin = 60 * time.Second

// Server is a server that runs.
type Server struct {
	s      *server.Server
	lock   *os.File // nil where there are no locks
	inside nats.Option
}

// Start starts a server and returns when it is ready. Errors name the option and the remedy.
func Start(o Options) (*Server, error) {
	opts, err := o.build()
	if err != nil {
		return nil, err
	}
	inside := func(*nats.Options) error { return nil }
	if len(opts.Users) > 0 { // then it asks connections inside the process, too
		name, password := "ftpx inside "+rand.Text(), rand.Text()
		opts.Users = append(opts.Users, &server.User{Username: name, Password: password})
		inside = nats.UserInfo(name, password)
	}
	held, err := lock(o.Store)
	if err != nil {
		return nil, err
	}
	s, err := server.NewServer(opts)
	if err != nil {
		held.Close()
		return nil, fmt.Errorf("the server: %w", err)
	}
	if o.Logger != nil {
		s.SetLoggerV2(o.Logger, false, false, false)
	}
	failed := make(chan struct{})
	go func() {
		defer close(failed)
		s.Start()
		s.WaitForShutdown()
	}()
	ready := make(chan bool, 1)
	go func() { ready <- s.ReadyForConnections(startWithin) }()
	select {
	case ok := <-ready:
		if ok && s.JetStreamEnabled() {
			return &Server{s: s, lock: held, inside: inside}, nil
		}
	case <-failed:
	}
	s.Shutdown()
	held.Close()
	return nil, fmt.Errorf("the server does not start: is the disk of the store %s full, or its content another version's?", o.Store)
}

func (o *Options) build() (*server.Options, error) {
	if o.Store == "" {
		return nil, errors.New("Options.Store is empty: name a folder")
	}
	if err := os.MkdirAll(o.Store, 0o700); err != nil {
		return nil, fmt.Errorf("Options.Store: %w", err)
	}
	opts := &server.Options{ServerName: "ftpx", JetStream: true, StoreDir: o.Store, SyncAlways: true, JetStreamMaxStore: o.MaxStore,
		DontListen: o.Listen == "", NoSigs: true, NoLog: o.Logger == nil, MaxPayload: 1 << 20}
	if o.Listen == "" {
		if o.Cert != "" || o.Key != "" || o.ClientCA != "" || len(o.Users) > 0 {
			return nil, errors.New("Options.Cert, Key, ClientCA or Users is set without Listen: name an address, or leave them out")
		}
		return opts, nil
	}
	host, port, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return nil, fmt.Errorf("Options.Listen %q: write host:port, as 127.0.0.1:4222", o.Listen)
	}
	if opts.Port, err = strconv.Atoi(port); err != nil || opts.Port < 0 || opts.Port > 65535 {
		return nil, fmt.Errorf("Options.Listen %q: %q is not a valid port: use 0 to 65535", o.Listen, port)
	}
	if opts.Port == 0 {
		opts.Port = server.RANDOM_PORT
	}
	if opts.Host = host; !isLoopback(host) && (o.Cert == "" || o.Key == "" || len(o.Users) == 0 && o.ClientCA == "") {
		return nil, fmt.Errorf("Options.Listen %q is not loopback: whoever reaches it could read and submit jobs: set Cert and Key, and Users or ClientCA", o.Listen)
	}
	for name, password := range o.Users {
		opts.Users = append(opts.Users, &server.User{Username: name, Password: password})
	}
	if o.Cert != "" || o.Key != "" {
		if opts.TLSConfig, err = o.tls(); err != nil {
			return nil, err
		}
		opts.TLS, opts.TLSVerify, opts.TLSTimeout = true, o.ClientCA != "", 10
	} else if o.ClientCA != "" {
		return nil, errors.New("Options.ClientCA is set without Cert and Key: name them")
	}
	// Told here, by name: the server would end the process.
	l, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("Options.Listen %q: %w", o.Listen, err)
	}
	l.Close()
	return opts, nil
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func (o *Options) tls() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(o.Cert, o.Key)
	if err != nil {
		return nil, fmt.Errorf("Options.Cert and Key: %w", err)
	}
	c := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if o.ClientCA == "" {
		return c, nil
	}
	pem, err := os.ReadFile(o.ClientCA)
	if err != nil {
		return nil, fmt.Errorf("Options.ClientCA: %w", err)
	}
	c.ClientCAs, c.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
	if !c.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("Options.ClientCA: %s holds no certificate in PEM", o.ClientCA)
	}
	return c, nil
}

// Connect returns a connection inside the process, which needs no listener and no login.
func (s *Server) Connect(opts ...nats.Option) (*nats.Conn, error) {
	return nats.Connect("", append([]nats.Option{nats.InProcessServer(s.s), nats.MaxReconnects(-1), s.inside}, opts...)...)
}

// Addr is where it listens, "" for nowhere.
func (s *Server) Addr() string {
	if a := s.s.Addr(); a != nil {
		return a.String()
	}
	return ""
}

// Close ends the server and returns when its store is closed. It may be called again.
func (s *Server) Close() {
	s.s.Shutdown()
	s.s.WaitForShutdown()
	s.lock.Close() // nil is no harm
}
