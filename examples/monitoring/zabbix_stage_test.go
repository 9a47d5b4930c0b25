//go:build linux && realserver && zabbix

package monitoring_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/status"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
)

// zabbix is a server of Debian's packages with a database and an API of its own, all on
// free ports of this machine, in a folder that goes with the test.
type zabbix struct{ api, token string }

// unwell is a client whose host loses connections.
type unwell struct{ ftpx.Client }

func (unwell) Health() []ftpx.HostHealth {
	return []ftpx.HostHealth{{Host: "127.0.0.1", Protocol: ftpx.FTPS, ResetRate: ftpx.Rate{Events: 127, Of: 1000}, TLS: ftpx.Rate{Events: 90, Of: 100}, Anomalies: 51,
		Alarms: []ftpx.AlarmInfo{{Alarm: ftpx.AlarmResetRate}}}}
}

// A real Zabbix imports the template, finds the host by discovery, its items show what
// /metrics says, and the triggers that should be raised are, and no others. A stage of
// .ci/run of its own: bash .ci/run zabbix.
func TestZabbixReal(t *testing.T) {
	srv := ftpxtest.NewServer(t, ftpx.FTPS)
	st, err := status.New("job")
	if err != nil {
		t.Fatal(err)
	}
	o := srv.Options()
	o.Hooks = st.Hooks()
	client, err := ftpx.Open(t.Context(), srv.URL(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	defer st.Watch(unwell{client})()
	if _, err := client.Put(t.Context(), "file", strings.NewReader("content"), nil); err != nil {
		t.Fatal(err)
	}
	at, stop, err := st.Serve(t.Context(), "address", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	address := at.String()

	z := startZabbix(t)
	yes := map[string]bool{"createMissing": true, "updateExisting": true}
	var imported bool
	z.call(t, "configuration.import", map[string]any{"format": "yaml", "source": read(t, templateFile), "rules": map[string]any{
		"groups": map[string]bool{"createMissing": true}, "templates": yes, "items": yes, "discoveryRules": yes, "triggers": yes, "valueMaps": yes}}, &imported)
	if !imported {
		t.Fatal("not imported")
	}
	var templates, groups []map[string]string // ids alone, as host.create wants them
	z.call(t, "template.get", map[string]any{"output": []string{"templateid"}, "filter": map[string]string{"host": "go-ftpx by HTTP"}}, &templates)
	z.call(t, "hostgroup.get", map[string]any{"output": []string{"groupid"}, "filter": map[string]string{"name": "Linux servers"}}, &groups)
	if len(templates) != 1 || len(groups) != 1 {
		t.Fatalf("%d templates, %d groups", len(templates), len(groups))
	}
	var created struct{ HostIDs []string }
	z.call(t, "host.create", map[string]any{"host": "job", "groups": groups, "templates": templates,
		"macros": []map[string]string{{"macro": "{$FTPX.URL}", "value": "http://" + address + "/metrics"}}}, &created)

	// Each item that can have a value now, with a wrong one first.
	want := map[string]string{"ftpx.version": "", "ftpx.connections[127.0.0.1,ftps]": "", "ftpx.breaker[127.0.0.1,ftps]": "0", "ftpx.alarm.resetrate[127.0.0.1,ftps]": "1",
		"ftpx.reset.rate[127.0.0.1,ftps]": "12.7", "ftpx.handshake.success[127.0.0.1,ftps]": "90", "ftpx.anomalies[127.0.0.1,ftps]": "51",
		"ftpx.certificate.days[127.0.0.1,ftps]": "", "ftpx.operations.done[127.0.0.1,ftps]": ""}
	eventually(t, "values", func() error {
		var items []struct{ ItemID, Key_, LastValue, LastClock, Error string }
		z.call(t, "item.get", map[string]any{"hostids": created.HostIDs, "output": "extend"}, &items)
		missing := map[string]bool{}
		for key := range want {
			missing[key] = true
		}
		var told error
		for _, i := range items {
			if i.Key_ == "ftpx.metrics" { // ask now, and not once a minute
				var done any
				z.call(t, "task.create", []map[string]any{{"type": 6, "request": map[string]string{"itemid": i.ItemID}}}, &done)
			}
			if i.Error != "" {
				told = errors.Join(told, fmt.Errorf("%s: %s", i.Key_, i.Error))
			}
			if v, ok := want[i.Key_]; ok && i.LastClock != "0" && (v == "" || same(v, i.LastValue)) {
				delete(missing, i.Key_)
			}
		}
		if told != nil || len(missing) > 0 {
			return fmt.Errorf("%d items, without a value: %v; %w", len(items), missing, told)
		}
		return nil
	})
	// The program has raised the alarm of the reset rate and not that of handshakes; the
	// certificate of a test is short-lived.
	raised := []string{"Reset rate above", "More than 50 anomalies", "The certificate ends"}
	eventually(t, "triggers", func() error {
		var triggers []struct{ Description, Error, Value string }
		z.call(t, "trigger.get", map[string]any{"hostids": created.HostIDs, "output": "extend", "expandDescription": true}, &triggers)
		var wrong error
		for _, tr := range triggers {
			want := "0"
			for _, part := range raised {
				if strings.Contains(tr.Description, part) {
					want = "1"
				}
			}
			if tr.Error != "" || tr.Value != want {
				wrong = errors.Join(wrong, fmt.Errorf("trigger %q: value %s, want %s, error %q", tr.Description, tr.Value, want, tr.Error))
			}
		}
		if len(triggers) < 7 {
			wrong = errors.Join(wrong, fmt.Errorf("%d triggers, want 7 with those of the discovered host", len(triggers)))
		}
		return wrong
	})
}

func startZabbix(t *testing.T) *zabbix {
	t.Helper()
	bins, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	server, php := program(t, "zabbix_server"), program(t, "php")
	if len(bins) == 0 {
		t.Fatal("no initdb: install postgresql")
	}
	bin := filepath.Dir(bins[len(bins)-1])
	dir, err := os.MkdirTemp("", "zabbix-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	owner, err := user.Lookup("postgres")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(owner.Uid)
	gid, _ := strconv.Atoi(owner.Gid)
	if err := errors.Join(os.Chmod(dir, 0o755), os.Mkdir(dir+"/pg", 0o700), os.Chown(dir+"/pg", uid, gid)); err != nil {
		t.Fatal(err)
	}
	as := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, Pdeathsig: syscall.SIGKILL}
	asPostgres := func(stdin []byte, name string, args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), filepath.Join(bin, name), args...)
		cmd.SysProcAttr, cmd.Dir, cmd.Stdin = as, dir+"/pg", bytes.NewReader(stdin)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, tail(out, 2000))
		}
	}
	_, dbPort, _ := net.SplitHostPort(freePort(t))
	asPostgres(nil, "initdb", "-D", dir+"/pg/data", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	startAs(t, as, dir+"/pg", filepath.Join(bin, "postgres"), "-D", dir+"/pg/data", "-p", dbPort, "-k", dir+"/pg", "-c", "listen_addresses=127.0.0.1",
		"-c", "fsync=off", "-c", "synchronous_commit=off")
	eventually(t, "the database", func() error {
		return exec.Command(filepath.Join(bin, "pg_isready"), "-h", "127.0.0.1", "-p", dbPort).Run()
	})
	asPostgres(nil, "createdb", "-h", "127.0.0.1", "-p", dbPort, "zabbix")
	for _, part := range []string{"schema", "images", "data"} {
		sql, err := exec.Command("zcat", "/usr/share/zabbix-server-pgsql/"+part+".sql.gz").Output()
		if err != nil {
			t.Fatal(err)
		}
		asPostgres(sql, "psql", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", dbPort, "-d", "zabbix")
	}

	serverPort := lowPort(t)
	config := dir + "/zabbix_server.conf"
	writeFile(t, config, fmt.Sprintf("ListenIP=127.0.0.1\nListenPort=%s\nDBHost=127.0.0.1\nDBPort=%s\nDBName=zabbix\nDBUser=postgres\nLogType=console\n"+
		"PidFile=%s/server.pid\nSocketDir=%s\nCacheUpdateFrequency=1\nStartPingers=0\nStartDiscoverers=0\nAllowRoot=1\n", serverPort, dbPort, dir, dir))
	start(t, nil, server, "-f", "-c", config)

	// The frontend reads its configuration from one place; a copy reads ours.
	front := dir + "/front"
	output(t, "cp", "-rL", "/usr/share/zabbix", front)
	class := front + "/include/classes/core/CConfigFile.php"
	code := strings.Replace(read(t, class), "'/etc/zabbix/zabbix.conf.php'", "'"+front+"/ours.php'", 1)
	writeFile(t, class, code)
	writeFile(t, front+"/ours.php", fmt.Sprintf("<?php\n$DB['TYPE']='POSTGRESQL'; $DB['SERVER']='127.0.0.1'; $DB['PORT']='%s'; $DB['DATABASE']='zabbix'; $DB['USER']='postgres'; "+
		"$DB['PASSWORD']=''; $DB['SCHEMA']=''; $DB['ENCRYPTION']=false; $DB['DOUBLE_IEEE754']=true;\n$ZBX_SERVER='127.0.0.1'; $ZBX_SERVER_PORT='%s'; $ZBX_SERVER_NAME='';\n"+
		"$IMAGE_FORMAT_DEFAULT=IMAGE_FORMAT_PNG;\n", dbPort, serverPort))
	web := freePort(t)
	start(t, nil, php, "-S", web, "-t", front)
	z := &zabbix{api: "http://" + web + "/api_jsonrpc.php"}
	eventually(t, "the API", func() error {
		var version string
		return z.ask("apiinfo.version", map[string]any{}, &version)
	})
	z.call(t, "user.login", map[string]string{"username": "Admin", "password": "zabbix"}, &z.token)
	return z
}

// same compares two values as numbers: Zabbix writes 12.700000000000001 where it has multiplied.
func same(a, b string) bool {
	x, err := strconv.ParseFloat(a, 64)
	y, err2 := strconv.ParseFloat(b, 64)
	return err == nil && err2 == nil && math.Abs(x-y) < 1e-6
}

// lowPort returns a free port that Zabbix takes: it refuses those above 32767, where the
// system's own choices begin.
func lowPort(t *testing.T) string {
	t.Helper()
	for port := 21000; port < 32000; port += 97 {
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			_ = l.Close()
			return strconv.Itoa(port)
		}
	}
	t.Fatal("no free port from 21000 to 32000")
	return ""
}

// startAs is start for a program of another user.
func startAs(t *testing.T, as *syscall.SysProcAttr, dir, path string, args ...string) {
	t.Helper()
	cmd := exec.Command(path, args...)
	cmd.SysProcAttr, cmd.Dir = as, dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGINT) // postgres: end all sessions, in good order
		_ = cmd.Wait()
	})
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (z *zabbix) call(t *testing.T, method string, params, result any) {
	t.Helper()
	if err := z.ask(method, params, result); err != nil {
		t.Fatal(err)
	}
}

func (z *zabbix) ask(method string, params, result any) error {
	body := map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
	if z.token != "" {
		body["auth"] = z.token
	}
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.Post(z.api, "application/json-rpc", bytes.NewReader(b))
	if err != nil {
		return err
	}
	defer r.Body.Close()
	var answer struct {
		Result json.RawMessage
		Error  *struct{ Message, Data string }
	}
	if err := json.NewDecoder(r.Body).Decode(&answer); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	if answer.Error != nil {
		return fmt.Errorf("%s: %s %s", method, answer.Error.Message, answer.Error.Data)
	}
	return json.Unmarshal(answer.Result, result)
}
