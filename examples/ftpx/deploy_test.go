package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
)

// deploy is where the files are that docs/jobs.md tells people to copy.
const deploy = "../../docs/deploy"

func deployed(t *testing.T, name string) string { return fileOf(t, deploy, name) }

// checkArgs has the command itself check a command line out of a file for deployment.
// Its configuration is another file here than there.
func checkArgs(t *testing.T, args []string, there, here string) clitest.Seen {
	t.Helper()
	args = slices.Clone(args)
	i := slices.Index(args, there)
	if i < 0 {
		t.Fatalf("%q does not name %s", args, there)
	}
	args[i] = here
	s := command().Run(t.Context(), t, append(args, "--check")...).Want(t, cli.ExitDone)
	if strings.Contains(s.Out, "lock = ") && !strings.Contains(s.Out, `lock = "/var/lib/go-ftpx/locks/`) {
		t.Errorf("a lock is elsewhere: %s", s.Out)
	}
	return s
}

// TestUnits: the units are what systemd knows, and start what the commands understand.
func TestUnits(t *testing.T) {
	known := map[string]string{ // the keys that a unit without systemd-analyze is compared with
		"Unit":    "Description Documentation Wants After",
		"Service": "Type User ExecStart LoadCredential SuccessExitStatus KillSignal TimeoutStopSec StateDirectory ReadWritePaths ProtectSystem ProtectHome PrivateTmp PrivateDevices NoNewPrivileges RestrictAddressFamilies Restart RestartSec RestartPreventExitStatus",
		"Timer":   "OnCalendar RandomizedDelaySec Persistent",
		"Install": "WantedBy",
	}
	var units []string
	dir := t.TempDir()
	for _, name := range []string{"go-ftpx-mirror.service", "go-ftpx-mirror.timer", "go-ftpx-watch.service"} {
		text := deployed(t, name)
		if err := checkUnit(text, known); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := checkUnit(text+"\nBogus=1\n", known); err == nil {
			t.Errorf("%s: an unknown key is not found", name)
		}
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		unit := filepath.Join(dir, name)
		if err := os.WriteFile(unit, []byte(strings.ReplaceAll(text, "/usr/local/bin/ftpx", exe)), 0o666); err != nil {
			t.Fatal(err)
		}
		units = append(units, unit)
	}
	start := regexp.MustCompile(`(?m)^ExecStart=/usr/local/bin/ftpx (mirror .*)$`).FindStringSubmatch(deployed(t, "go-ftpx-mirror.service"))
	checkArgs(t, strings.Fields(start[1]), "/etc/go-ftpx/jobs.toml", filepath.Join(deploy, "jobs.toml"))
	start = regexp.MustCompile(`(?m)^ExecStart=/usr/local/bin/ftpx (watch .*)$`).FindStringSubmatch(deployed(t, "go-ftpx-watch.service"))
	checkArgs(t, strings.Fields(start[1]), "/etc/go-ftpx/watches.toml", filepath.Join(deploy, "watches.toml"))

	// What the jobs ask for is what the service is given.
	for service, file := range map[string]string{"go-ftpx-mirror.service": "jobs.toml", "go-ftpx-watch.service": "watches.toml"} {
		for _, m := range regexp.MustCompile(`"/run/credentials/([^/]+)/([^"]+)"`).FindAllStringSubmatch(deployed(t, file), -1) {
			if m[1] != service || !strings.Contains(deployed(t, service), "\nLoadCredential="+m[2]+":") {
				t.Errorf("%s wants %s, which %s does not give it", file, m[0], service)
			}
		}
	}

	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("no systemd-analyze here: the units were compared with a list of keys alone")
		return
	}
	out, err := exec.CommandContext(t.Context(), analyze, append([]string{"verify", "--man=no"}, units...)...).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "go-ftpx") { // else it is about the machine's own
			t.Error(line)
		}
	}
	if err != nil {
		t.Errorf("systemd-analyze verify: %v: %s", err, out)
	}
}

// checkUnit reads a unit file: sections, keys and values, and nothing else.
func checkUnit(text string, known map[string]string) error {
	section := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		key, _, isPair := strings.Cut(line, "=")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			section = strings.Trim(line, "[]")
			if known[section] == "" {
				return errors.New("unknown section " + line)
			}
		case !isPair || !slices.Contains(strings.Fields(known[section]), key):
			return errors.New("unknown in " + section + ": " + line)
		}
	}
	return nil
}

// TestCrontab: five fields that cron knows, and commands that are understood.
func TestCrontab(t *testing.T) {
	field := `(\*(/[0-9]+)?|[0-9]+(-[0-9]+)?)`
	entry := regexp.MustCompile(`^(` + field + ` ){5}/usr/local/bin/ftpx (mirror .*)$`)
	n := 0
	for line := range strings.Lines(deployed(t, "crontab")) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' || strings.HasPrefix(line, "MAILTO=") {
			continue
		}
		m := entry.FindStringSubmatch(line)
		if m == nil || strings.Contains(line, "%") { // which cron takes for a line break
			t.Errorf("not an entry: %s", line)
			continue
		}
		checkArgs(t, strings.Fields(m[len(m)-1]), "/etc/go-ftpx/jobs.toml", filepath.Join(deploy, "jobs.toml"))
		n++
	}
	if n == 0 {
		t.Error("no entries")
	}
}

// decodeManifest reads both documents strictly.
func decodeManifest(text string) (c kubeConfigMap, j kubeCronJob, err error) {
	err = decodeKube(text, &c, &j)
	return c, j, err
}

// TestCronJob: the manifest holds nothing that the API does not know, its parts fit
// together, and the command understands its arguments and its configuration.
func TestCronJob(t *testing.T) {
	text := deployed(t, "cronjob.yaml")
	c, j, err := decodeManifest(text)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := decodeManifest(strings.Replace(text, "concurrencyPolicy", "concurencyPolicy", 1)); err == nil {
		t.Error("a misspelt field is not found")
	}
	if c.APIVersion != "v1" || c.Kind != "ConfigMap" || j.APIVersion != "batch/v1" || j.Kind != "CronJob" {
		t.Errorf("%s %s, %s %s", c.APIVersion, c.Kind, j.APIVersion, j.Kind)
	}
	spec, job := j.Spec, j.Spec.JobTemplate.Spec
	pod := job.Template.Spec
	if spec.ConcurrencyPolicy != "Forbid" || len(strings.Fields(spec.Schedule)) != 5 {
		t.Errorf("concurrencyPolicy %q, schedule %q", spec.ConcurrencyPolicy, spec.Schedule)
	}
	// podFailurePolicy is taken with this restart policy alone.
	if pod.RestartPolicy != "Never" || len(pod.Containers) != 1 {
		t.Fatalf("restartPolicy %q, %d containers", pod.RestartPolicy, len(pod.Containers))
	}
	box := pod.Containers[0]
	for _, r := range job.PodFailurePolicy.Rules {
		if !slices.Contains([]string{"FailJob", "Ignore", "Count"}, r.Action) || r.OnExitCodes.ContainerName != box.Name || !slices.Contains([]string{"In", "NotIn"}, r.OnExitCodes.Operator) ||
			!slices.Equal(r.OnExitCodes.Values, []int{cli.ExitUsage, cli.ExitLogin, cli.ExitIdentity}) {
			t.Errorf("%+v", r)
		}
	}
	mounts := map[string]string{}
	for _, m := range box.VolumeMounts {
		mounts[m.Name] = m.MountPath
	}
	for _, v := range pod.Volumes {
		if mounts[v.Name] == "" {
			t.Errorf("the volume %s is not mounted", v.Name)
		}
		if v.ConfigMap != nil && v.ConfigMap.Name != c.Metadata.Name {
			t.Errorf("the ConfigMap is called %s, and mounted as %s", c.Metadata.Name, v.ConfigMap.Name)
		}
		delete(mounts, v.Name)
	}
	if len(mounts) > 0 {
		t.Errorf("mounts without a volume: %v", mounts)
	}
	here := filepath.Join(t.TempDir(), "jobs.toml")
	if err := os.WriteFile(here, []byte(c.Data["jobs.toml"]), 0o666); err != nil {
		t.Fatal(err)
	}
	s := checkArgs(t, box.Args, "/etc/go-ftpx/jobs.toml", here)
	for _, e := range box.Env {
		if !strings.Contains(s.Out, `password_env = "`+e.Name+`"`) {
			t.Errorf("no job uses %s: %s", e.Name, s.Out)
		}
	}
	for _, part := range regexp.MustCompile(`"/[^"]+"`).FindAllString(s.Out, -1) {
		within := func(m string) bool { return strings.HasPrefix(strings.Trim(part, `"`), m) }
		if !within("/etc/go-ftpx") && !within("/srv/reports") && !within("/var/lib/go-ftpx") {
			t.Errorf("%s is on no volume", part)
		}
	}
}

// TestDeploymentIsChecked: the checks above find what they are for.
func TestDeploymentIsChecked(t *testing.T) {
	var out, errs bytes.Buffer
	env := cli.Env{Stdout: &out, Stderr: &errs, Getenv: func(string) string { return "" }}
	bad := filepath.Join(t.TempDir(), "jobs.toml")
	if err := os.WriteFile(bad, []byte(strings.Replace(deployed(t, "jobs.toml"), "older_than", "olderthan", 1)), 0o666); err != nil {
		t.Fatal(err)
	}
	if code := run(context.Background(), []string{"mirror", "--check", "--config", bad}, env); code != cli.ExitUsage || !strings.Contains(errs.String(), `did you mean "older_than"?`) {
		t.Errorf("exit code %d, %s", code, errs.String())
	}
}
