package main

import (
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
	"github.com/seed01fc2e40/go-ftpx/ftpx/doctor"
)

// kit is where the files are that people copy.
const kit = "../operations"

func kitFile(t *testing.T, name string) string { return fileOf(t, kit, name) }

// understood has the command read the arguments of a file, as far as it can without a server:
// the jobs are those of here, and the one that is asked for does not exist.
func understood(t *testing.T, args []string, jobs string) {
	t.Helper()
	here := filepath.Join(t.TempDir(), "jobs.toml")
	clitest.Write(t, filepath.Dir(here), map[string]string{"jobs.toml": jobs})
	i := slices.Index(args, "/etc/go-ftpx/jobs.toml")
	if i < 0 {
		t.Fatalf("%q names no configuration", args)
	}
	args = slices.Clone(args)
	args[i] = here
	c := clitest.Command{Main: run}
	s := c.Run(t.Context(), t, append(slices.DeleteFunc(args, func(a string) bool { return a == "nightly" }), "no-such-job")...)
	if s.Code != cli.ExitUsage || !strings.Contains(s.Err, `there is no job "no-such-job": the file has nightly`) {
		t.Errorf("%q: exit code %d, %s", args, s.Code, s.Err)
	}
}

// The parts of the Kubernetes API that these manifests alone use.
type (
	k8sDeployment struct {
		APIVersion string   `yaml:"apiVersion"`
		Kind       string   `yaml:"kind"`
		Metadata   kubeMeta `yaml:"metadata"`
		Spec       struct {
			Replicas int32        `yaml:"replicas"`
			Selector kubeSelector `yaml:"selector"`
			Template kubePod      `yaml:"template"`
		} `yaml:"spec"`
	}
	k8sService struct {
		APIVersion string   `yaml:"apiVersion"`
		Kind       string   `yaml:"kind"`
		Metadata   kubeMeta `yaml:"metadata"`
		Spec       struct {
			Selector map[string]string `yaml:"selector"`
			Ports    []kubePort        `yaml:"ports"`
		} `yaml:"spec"`
	}
)

// manifests are the documents of kubernetes/doctor.yaml.
type manifests struct {
	config     kubeConfigMap
	cron       kubeCronJob
	deployment k8sDeployment
	service    k8sService
}

func readManifests(text string) (m manifests, err error) {
	err = decodeKube(text, &m.config, &m.cron, &m.deployment, &m.service)
	return m, err
}

// TestManifests: the API knows all that is in them, their parts fit together, no probe opens
// a bare connection, and the command understands its arguments.
func TestManifests(t *testing.T) {
	text := kitFile(t, "kubernetes/doctor.yaml")
	m, err := readManifests(text)
	if err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{"concurrencyPolicy": "concurencyPolicy", "livenessProbe": "livelinessProbe",
		"httpGet:\n              path: /healthz": "tcpSocket:\n              host: files.example.com"} {
		if spoilt := strings.Replace(text, from, to, 1); spoilt == text {
			t.Errorf("%q is not in it", from)
		} else if _, err := readManifests(spoilt); err == nil {
			t.Errorf("%q is taken", to)
		}
	}
	for want, got := range map[string]string{"v1 ConfigMap": m.config.APIVersion + " " + m.config.Kind, "batch/v1 CronJob": m.cron.APIVersion + " " + m.cron.Kind,
		"apps/v1 Deployment": m.deployment.APIVersion + " " + m.deployment.Kind, "v1 Service": m.service.APIVersion + " " + m.service.Kind} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	spec := m.cron.Spec.JobTemplate.Spec
	if m.cron.Spec.ConcurrencyPolicy != "Forbid" || len(strings.Fields(m.cron.Spec.Schedule)) != 5 || spec.Template.Spec.RestartPolicy != "Never" || spec.BackoffLimit == nil || *spec.BackoffLimit != 0 {
		t.Errorf("%+v", m.cron.Spec)
	}
	exporter := m.deployment.Spec.Template
	for key, value := range m.deployment.Spec.Selector.MatchLabels {
		if exporter.Metadata.Labels[key] != value || m.service.Spec.Selector[key] != value {
			t.Errorf("the label %s=%s selects no pod", key, value)
		}
	}
	for _, pod := range []kubePod{spec.Template, exporter} {
		if len(pod.Spec.Containers) != 1 {
			t.Fatalf("%d containers", len(pod.Spec.Containers))
		}
		box := pod.Spec.Containers[0]
		understood(t, box.Args, m.config.Data["jobs.toml"])
		if box.Image != "registry.example.com/go-ftpx/ftpx:1" || !box.SecurityContext.ReadOnlyRootFilesystem || !pod.Spec.SecurityContext.RunAsNonRoot {
			t.Errorf("%+v", box)
		}
		if len(pod.Spec.Volumes) != 1 || pod.Spec.Volumes[0].ConfigMap == nil || pod.Spec.Volumes[0].ConfigMap.Name != m.config.Metadata.Name || box.VolumeMounts[0].Name != pod.Spec.Volumes[0].Name {
			t.Errorf("%+v, %+v", pod.Spec.Volumes, box.VolumeMounts)
		}
		for _, e := range box.Env {
			if !strings.Contains(m.config.Data["jobs.toml"], `password_env = "`+e.Name+`"`) {
				t.Errorf("no job uses %s", e.Name)
			}
		}
	}
	box := exporter.Spec.Containers[0]
	if box.LivenessProbe == nil || box.LivenessProbe.HTTPGet == nil || box.LivenessProbe.HTTPGet.Path != "/healthz" || box.StartupProbe == nil || box.StartupProbe.Exec == nil {
		t.Fatalf("%+v, %+v", box.LivenessProbe, box.StartupProbe)
	}
	command := box.StartupProbe.Exec.Command
	if command[0] != "/ftpx" || box.StartupProbe.PeriodSeconds < 60 {
		t.Errorf("%q every %d s", command, box.StartupProbe.PeriodSeconds)
	}
	understood(t, command[1:], m.config.Data["jobs.toml"])
}

// TestUnits: the units hold what systemd knows, and start what the command understands.
func TestOperationsUnits(t *testing.T) {
	known := map[string]string{
		"Unit":    "Description Documentation Wants After",
		"Service": "Type User ExecStart EnvironmentFile Restart RestartSec RestartPreventExitStatus ProtectSystem ProtectHome PrivateTmp PrivateDevices NoNewPrivileges RestrictAddressFamilies",
		"Timer":   "OnCalendar RandomizedDelaySec Persistent",
		"Install": "WantedBy",
	}
	check := func(text string) error {
		section := ""
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			key, _, pair := strings.Cut(line, "=")
			switch {
			case line == "" || line[0] == '#':
			case line[0] == '[':
				if section = strings.Trim(line, "[]"); known[section] == "" {
					return errors.New("unknown section " + line)
				}
			case !pair || !slices.Contains(strings.Fields(known[section]), key):
				return errors.New("unknown in " + section + ": " + line)
			}
		}
		return nil
	}
	jobs := kitFile(t, "systemd/jobs.toml")
	files, err := filepath.Glob(filepath.Join(kit, "systemd", "*.[st]*"))
	if err != nil {
		t.Fatal(err)
	}
	started := 0
	for _, file := range files {
		name := filepath.Join("systemd", filepath.Base(file))
		if strings.HasSuffix(name, ".toml") {
			continue
		}
		text := kitFile(t, name)
		if err := check(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if check(text+"\nBogus=1\n") == nil {
			t.Errorf("%s: an unknown key is taken", name)
		}
		if m := regexp.MustCompile(`(?m)^ExecStart=/usr/local/bin/ftpx (.*)$`).FindStringSubmatch(text); m != nil {
			understood(t, strings.Fields(m[1]), jobs)
			started++
		}
	}
	if started != 2 {
		t.Errorf("%d units start something", started)
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("no systemd-analyze here: the units were compared with a list of keys alone")
		return
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var units []string
	for _, file := range files {
		if strings.HasSuffix(file, ".toml") {
			continue
		}
		unit := filepath.Join(dir, filepath.Base(file))
		clitest.Write(t, dir, map[string]string{filepath.Base(file): strings.ReplaceAll(kitFile(t, filepath.Join("systemd", filepath.Base(file))), "/usr/local/bin/ftpx", exe)})
		units = append(units, unit)
	}
	out, err := exec.CommandContext(t.Context(), analyze, append([]string{"verify", "--man=no"}, units...)...).CombinedOutput()
	if err != nil && strings.Contains(string(out), "ftpx-doctor") {
		t.Errorf("systemd-analyze verify: %v: %s", err, out)
	}
}

// TestRunbook: each code that the runbook names exists, and each that has a remedy of its own
// to be told is in it.
func TestRunbook(t *testing.T) {
	data, err := os.ReadFile("../../docs/runbook.md")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, m := range regexp.MustCompile("`([a-z]+[a-z0-9-]*)`").FindAllStringSubmatch(string(data), -1) {
		named[m[1]] = true
	}
	for _, m := range regexp.MustCompile(`(?m)^  (?:fail|warn|note) +([a-z0-9-]+) `).FindAllStringSubmatch(string(data), -1) {
		if _, err := doctor.Explain(m[1]); err != nil {
			t.Error(err)
		}
		named[m[1]] = true
	}
	for _, c := range doctor.Checks() {
		if !named[c.Code] {
			t.Errorf("%s is not in docs/runbook.md", c.Code)
		}
	}
}
