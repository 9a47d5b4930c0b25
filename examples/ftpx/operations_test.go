package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
	"github.com/seed01fc2e40/go-ftpx/ftpx/doctor"
)

// kit is where the files are that people copy.
const kit = "../operations"

func kitFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(kit, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

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

// The parts of the Kubernetes API that the manifests use, with the API's names: what is not
// here is an error, as it would be to the API server.
type (
	k8sMeta struct {
		Name   string            `yaml:"name"`
		Labels map[string]string `yaml:"labels"`
	}
	k8sConfigMap struct {
		APIVersion string            `yaml:"apiVersion"`
		Kind       string            `yaml:"kind"`
		Metadata   k8sMeta           `yaml:"metadata"`
		Data       map[string]string `yaml:"data"`
	}
	k8sCronJob struct {
		APIVersion string  `yaml:"apiVersion"`
		Kind       string  `yaml:"kind"`
		Metadata   k8sMeta `yaml:"metadata"`
		Spec       struct {
			Schedule                   string `yaml:"schedule"`
			TimeZone                   string `yaml:"timeZone"`
			ConcurrencyPolicy          string `yaml:"concurrencyPolicy"`
			StartingDeadlineSeconds    int64  `yaml:"startingDeadlineSeconds"`
			SuccessfulJobsHistoryLimit int32  `yaml:"successfulJobsHistoryLimit"`
			FailedJobsHistoryLimit     int32  `yaml:"failedJobsHistoryLimit"`
			JobTemplate                struct {
				Spec struct {
					BackoffLimit          *int32 `yaml:"backoffLimit"`
					ActiveDeadlineSeconds int64  `yaml:"activeDeadlineSeconds"`
					Template              k8sPod `yaml:"template"`
				} `yaml:"spec"`
			} `yaml:"jobTemplate"`
		} `yaml:"spec"`
	}
	k8sDeployment struct {
		APIVersion string  `yaml:"apiVersion"`
		Kind       string  `yaml:"kind"`
		Metadata   k8sMeta `yaml:"metadata"`
		Spec       struct {
			Replicas int32 `yaml:"replicas"`
			Selector struct {
				MatchLabels map[string]string `yaml:"matchLabels"`
			} `yaml:"selector"`
			Template k8sPod `yaml:"template"`
		} `yaml:"spec"`
	}
	k8sService struct {
		APIVersion string  `yaml:"apiVersion"`
		Kind       string  `yaml:"kind"`
		Metadata   k8sMeta `yaml:"metadata"`
		Spec       struct {
			Selector map[string]string `yaml:"selector"`
			Ports    []struct {
				Name       string `yaml:"name"`
				Port       int32  `yaml:"port"`
				TargetPort string `yaml:"targetPort"`
			} `yaml:"ports"`
		} `yaml:"spec"`
	}
	k8sPod struct {
		Metadata k8sMeta `yaml:"metadata"`
		Spec     struct {
			RestartPolicy                 string `yaml:"restartPolicy"`
			AutomountServiceAccountToken  *bool  `yaml:"automountServiceAccountToken"`
			TerminationGracePeriodSeconds int64  `yaml:"terminationGracePeriodSeconds"`
			SecurityContext               struct {
				RunAsNonRoot   bool              `yaml:"runAsNonRoot"`
				RunAsUser      int64             `yaml:"runAsUser"`
				FSGroup        int64             `yaml:"fsGroup"`
				SeccompProfile map[string]string `yaml:"seccompProfile"`
			} `yaml:"securityContext"`
			Containers []k8sContainer `yaml:"containers"`
			Volumes    []struct {
				Name      string `yaml:"name"`
				ConfigMap struct {
					Name string `yaml:"name"`
				} `yaml:"configMap"`
			} `yaml:"volumes"`
		} `yaml:"spec"`
	}
	k8sContainer struct {
		Name  string   `yaml:"name"`
		Image string   `yaml:"image"`
		Args  []string `yaml:"args"`
		Env   []struct {
			Name      string `yaml:"name"`
			ValueFrom struct {
				SecretKeyRef struct {
					Name string `yaml:"name"`
					Key  string `yaml:"key"`
				} `yaml:"secretKeyRef"`
			} `yaml:"valueFrom"`
		} `yaml:"env"`
		Ports []struct {
			Name          string `yaml:"name"`
			ContainerPort int32  `yaml:"containerPort"`
		} `yaml:"ports"`
		LivenessProbe *k8sProbe `yaml:"livenessProbe"`
		StartupProbe  *k8sProbe `yaml:"startupProbe"`
		Resources     struct {
			Requests map[string]string `yaml:"requests"`
			Limits   map[string]string `yaml:"limits"`
		} `yaml:"resources"`
		SecurityContext struct {
			AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
			ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
			Capabilities             struct {
				Drop []string `yaml:"drop"`
			} `yaml:"capabilities"`
		} `yaml:"securityContext"`
		VolumeMounts []struct {
			Name      string `yaml:"name"`
			MountPath string `yaml:"mountPath"`
			ReadOnly  bool   `yaml:"readOnly"`
		} `yaml:"volumeMounts"`
	}
	// k8sProbe has no tcpSocket: that is an error here, on purpose.
	k8sProbe struct {
		HTTPGet *struct {
			Path string `yaml:"path"`
			Port string `yaml:"port"`
		} `yaml:"httpGet"`
		Exec *struct {
			Command []string `yaml:"command"`
		} `yaml:"exec"`
		PeriodSeconds    int32 `yaml:"periodSeconds"`
		TimeoutSeconds   int32 `yaml:"timeoutSeconds"`
		FailureThreshold int32 `yaml:"failureThreshold"`
	}
)

// manifests are the documents of kubernetes/doctor.yaml.
type manifests struct {
	config     k8sConfigMap
	cron       k8sCronJob
	deployment k8sDeployment
	service    k8sService
}

func readManifests(text string) (m manifests, err error) {
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	if err := errors.Join(d.Decode(&m.config), d.Decode(&m.cron), d.Decode(&m.deployment), d.Decode(&m.service)); err != nil {
		return m, err
	}
	if err := d.Decode(&struct{}{}); !errors.Is(err, io.EOF) {
		return m, errors.New("there is more in it")
	}
	return m, nil
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
	for _, pod := range []k8sPod{spec.Template, exporter} {
		if len(pod.Spec.Containers) != 1 {
			t.Fatalf("%d containers", len(pod.Spec.Containers))
		}
		box := pod.Spec.Containers[0]
		understood(t, box.Args, m.config.Data["jobs.toml"])
		if box.Image != "registry.example.com/go-ftpx/ftpx:1" || !box.SecurityContext.ReadOnlyRootFilesystem || !pod.Spec.SecurityContext.RunAsNonRoot {
			t.Errorf("%+v", box)
		}
		if len(pod.Spec.Volumes) != 1 || pod.Spec.Volumes[0].ConfigMap.Name != m.config.Metadata.Name || box.VolumeMounts[0].Name != pod.Spec.Volumes[0].Name {
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
