package clitest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/testmain"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// ScriptMain is a TestMain that makes commands runnable from scripts, as processes of
// their own, and looks for leaked goroutines after the tests.
func ScriptMain(m *testing.M, commands map[string]func()) {
	testscript.Main(testmain.InMemory(leakFree{m}), commands)
}

type leakFree struct{ m *testing.M }

// Run is part of testscript.TestingM.
func (l leakFree) Run() int {
	code := l.m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return code
}

// Scripts runs the scripts of a folder. Each finds servers of its own, which serve
// $WORK/server, at the URLs $SFTP, $FTPES, $FTPS and $FTP, and at $HELD, also SFTP, over
// a line that stops after 3 MiB in either direction until it is freed. $TRUST holds the
// flags that trust them all (as words, after "vars"), $KNOWN and $CA their files;
// FTPX_PASSWORD is set. Commands beside those of testscript:
//
//	code N program args...     run it; it must end with N
//	start NAME program args... begin it
//	signal NAME INT|TERM|KILL  send it a signal
//	finish NAME N              wait for it to end with N; NAME.out and NAME.err are what it said
//	held, free                 wait until the line has stopped; let it go
//	await FILE...              wait until files are there
//	filled FILE                wait until it is there and not empty
//	expand FILE...             replace variables in files
//	big FILE N                 make a file of N bytes
//	same DIR DIR               compare folders
//	lines FILE, report FILE    check JSON against docs/job-report.schema.json
//	actions FILE OUT           write what records of -json did, sorted, without how it went
func Scripts(t *testing.T, dir string) {
	testscript.Run(t, testscript.Params{
		Dir: dir, Setup: scriptSetup, RequireExplicitExec: true, RequireUniqueNames: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": scriptCode, "start": scriptStart, "signal": scriptSignal, "finish": scriptFinish, "held": scriptHeld, "free": scriptFree,
			"await": scriptAwait, "filled": scriptFilled, "expand": scriptExpand, "big": scriptBig, "same": scriptSame, "lines": scriptLines, "report": scriptReport, "actions": scriptActions,
		},
	})
}

// stage is what a script plays on.
type stage struct {
	proxy *faultproxy.Proxy
	free  atomic.Bool
	began map[string]*began
}

type stageKey struct{}

// began is a command that a script has started.
type began struct {
	cmd       *exec.Cmd
	out, errs bytes.Buffer
}

func scriptSetup(env *testscript.Env) error {
	root := filepath.Join(env.WorkDir, "server")
	home := filepath.Join(env.WorkDir, "home")
	for _, dir := range []string{root, home} {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return err
		}
	}
	trio, err := testserver.StartTrio(testserver.TrioOptions{Root: root, User: User, Password: Password})
	if err != nil {
		return err
	}
	env.Defer(func() { trio.Close() })
	s := &stage{began: map[string]*began{}}
	s.proxy = faultproxy.New(faultproxy.Options{Plan: func(faultproxy.ConnInfo) faultproxy.Fault {
		if s.free.Load() {
			return faultproxy.Fault{}
		}
		return faultproxy.StallAt(faultproxy.Both, 3<<20)
	}})
	env.Defer(func() { s.proxy.Close() })
	route, err := s.proxy.Route(faultproxy.RouteOptions{Role: faultproxy.SSH, Target: trio.SFTP.Addr().String()})
	if err != nil {
		return err
	}
	env.Defer(func() { // first: a command would else wait for its servers
		for _, b := range s.began {
			_ = b.cmd.Process.Kill()
			_ = b.cmd.Wait()
		}
	})
	ca, known, err := trio.WriteFiles(env.WorkDir, route.Addr().String())
	if err != nil {
		return err
	}
	env.Values[stageKey{}] = s
	url := func(scheme string, port int) string {
		return scheme + "://" + User + "@127.0.0.1:" + strconv.Itoa(port)
	}
	for name, v := range map[string]string{
		"HOME": home, "home": home, "USERPROFILE": home, "LocalAppData": home, "FTPX_PASSWORD": Password, "KNOWN": known, "CA": ca,
		"SFTP": url("sftp", trio.SFTP.Port()), "FTPES": url("ftpes", trio.FTP.Port()), "FTP": url("ftp", trio.FTP.Port()),
		"FTPS": url("ftps", trio.FTPS.Port()), "HELD": url("sftp", route.Port()), "PASSWORD": Password, "WRONG": strings.Replace(url("sftp", trio.SFTP.Port()), User, "nobody", 1),
	} {
		env.Setenv(name, v)
	}
	return nil
}

func onStage(ts *testscript.TestScript) *stage { return ts.Value(stageKey{}).(*stage) }

// usage ends a script that is wrong.
func usage(ts *testscript.TestScript, neg bool, args []string, n int, how string) {
	if neg || len(args) < n {
		ts.Fatalf("usage: %s", how)
	}
}

func scriptCode(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "code N program args...")
	var exit *exec.ExitError
	got := 0
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
	noSecret(ts, ts.ReadFile("stdout")+ts.ReadFile("stderr"))
}

func noSecret(ts *testscript.TestScript, text string) {
	if strings.Contains(text, Password) {
		ts.Fatalf("the password is shown")
	}
}

func scriptStart(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "start NAME program args...")
	path := args[1]
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if p := filepath.Join(dir, args[1]+ts.Getenv("exe")); exists(p) {
			path = p
			break
		}
	}
	b := &began{cmd: exec.Command(path, args[2:]...)}
	b.cmd.Dir, b.cmd.Stdout, b.cmd.Stderr = ts.MkAbs("."), &b.out, &b.errs
	for _, name := range []string{"PATH", "HOME", "USERPROFILE", "LocalAppData", "FTPX_PASSWORD", "TMPDIR", "TMP", "SYSTEMROOT"} {
		b.cmd.Env = append(b.cmd.Env, name+"="+ts.Getenv(name))
	}
	ts.Check(b.cmd.Start())
	onStage(ts).began[args[0]] = b
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func scriptSignal(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "signal NAME INT|TERM|KILL")
	b := onStage(ts).began[args[0]]
	if b == nil {
		ts.Fatalf("%s was not started", args[0])
	}
	ts.Check(b.cmd.Process.Signal(map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM, "KILL": os.Kill}[args[1]]))
}

func scriptFinish(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "finish NAME N")
	s := onStage(ts)
	b := s.began[args[0]]
	if b == nil {
		ts.Fatalf("%s was not started", args[0])
	}
	delete(s.began, args[0])
	late := time.AfterFunc(time.Minute, func() { _ = b.cmd.Process.Kill() })
	err := b.cmd.Wait()
	late.Stop()
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".out"), b.out.Bytes(), 0o666))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".err"), b.errs.Bytes(), 0o666))
	noSecret(ts, b.out.String()+b.errs.String())
	if got := strconv.Itoa(b.cmd.ProcessState.ExitCode()); got != args[1] {
		ts.Fatalf("exit code %s, want %s: %v\nstdout: %s\nstderr: %s", got, args[1], err, b.out.String(), b.errs.String())
	}
}

// await waits for what tells nobody.
func await(ts *testscript.TestScript, what string, done func() bool) {
	late := time.Now().Add(30 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		if time.Now().After(late) {
			for name, b := range onStage(ts).began {
				_ = b.cmd.Process.Kill()
				_ = b.cmd.Wait()
				ts.Logf("%s: stdout: %s\nstderr: %s", name, b.out.String(), b.errs.String())
			}
			onStage(ts).began = map[string]*began{}
			ts.Fatalf("waited in vain until %s", what)
		}
		<-tick.C
	}
}

func scriptHeld(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 0, "held")
	await(ts, "the line is held", func() bool { return onStage(ts).proxy.Stats().Stalls > 0 })
}

func scriptFree(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 0, "free")
	onStage(ts).free.Store(true)
}

func scriptAwait(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, "await FILE...")
	for _, name := range args {
		await(ts, name+" is there", func() bool { return exists(ts.MkAbs(name)) })
	}
}

func scriptFilled(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, "filled FILE")
	await(ts, args[0]+" is filled", func() bool {
		info, err := os.Stat(ts.MkAbs(args[0]))
		return err == nil && info.Size() > 0
	})
}

func scriptExpand(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, "expand FILE...")
	for _, name := range args {
		text := os.Expand(ts.ReadFile(name), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o666))
	}
}

func scriptBig(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "big FILE N")
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	name := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(filepath.Dir(name), 0o777))
	ts.Check(os.WriteFile(name, []byte(Content(n)), 0o666))
	ts.Check(os.Chtimes(name, When, When))
}
