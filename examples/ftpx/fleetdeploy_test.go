package main

import (
	"crypto/tls"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	nats "github.com/nats-io/nats-server/v2/server"
	"go.yaml.in/yaml/v3"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
	"github.com/seed01fc2e40/go-ftpx/internal/pki"
)

func fleetFile(t *testing.T, name string) string { return fileOf(t, "../../docs/deploy/fleet", name) }

// checked has the command itself read its arguments and its configuration.
func checked(t *testing.T, args []string) {
	t.Helper()
	c := clitest.Command{Main: run}
	args = slices.Clone(args)
	i := slices.Index(args, "/etc/ftpx/fleet.toml")
	if i < 0 {
		t.Fatalf("%q names no configuration", args)
	}
	args[i] = filepath.Join("../../docs/deploy/fleet", "fleet.toml")
	if s := c.Run(t.Context(), t, append(args, "--check")...).Want(t, cli.ExitDone); !strings.Contains(s.Out, "2 targets, 2 roots") {
		t.Error(s.Out)
	}
}

// The parts of the Kubernetes API that this manifest alone uses.
type (
	kubeFrom struct {
		From []struct {
			PodSelector kubeSelector `yaml:"podSelector"`
		} `yaml:"from"`
		Ports []kubePort `yaml:"ports"`
	}
	kubeSpec struct {
		ClusterIP                string       `yaml:"clusterIP"`
		PublishNotReadyAddresses bool         `yaml:"publishNotReadyAddresses"`
		Selector                 yaml.Node    `yaml:"selector"`
		Ports                    []kubePort   `yaml:"ports"`
		MaxUnavailable           int          `yaml:"maxUnavailable"`
		ServiceName              string       `yaml:"serviceName"`
		Replicas                 int          `yaml:"replicas"`
		PodManagementPolicy      string       `yaml:"podManagementPolicy"`
		Template                 kubePod      `yaml:"template"`
		PodSelector              kubeSelector `yaml:"podSelector"`
		PolicyTypes              []string     `yaml:"policyTypes"`
		Ingress                  []kubeFrom   `yaml:"ingress"`
		Strategy                 struct {
			Type          string `yaml:"type"`
			RollingUpdate struct {
				MaxUnavailable int `yaml:"maxUnavailable"`
				MaxSurge       int `yaml:"maxSurge"`
			} `yaml:"rollingUpdate"`
		} `yaml:"strategy"`
		VolumeClaimTemplates []struct {
			Metadata kubeMeta `yaml:"metadata"`
			Spec     struct {
				AccessModes []string `yaml:"accessModes"`
				Resources   struct {
					Requests map[string]string `yaml:"requests"`
				} `yaml:"resources"`
			} `yaml:"spec"`
		} `yaml:"volumeClaimTemplates"`
	}
	kubeObject struct {
		APIVersion string   `yaml:"apiVersion"`
		Kind       string   `yaml:"kind"`
		Metadata   kubeMeta `yaml:"metadata"`
		Spec       kubeSpec `yaml:"spec"`
	}
)

func decodeFleet(text string) (map[string]kubeObject, error) {
	all := map[string]kubeObject{}
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	for {
		var o kubeObject
		err := d.Decode(&o)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all[o.Kind+" "+o.Metadata.Name] = o
	}
}

// TestFleetKubernetes: the manifest holds nothing that is not known, its parts fit together,
// and the command takes its arguments.
func TestFleetKubernetes(t *testing.T) {
	text := fleetFile(t, "kubernetes.yaml")
	all, err := decodeFleet(text)
	if err != nil || len(all) != 5 {
		t.Fatalf("%d objects, %v", len(all), err)
	}
	if _, err := decodeFleet(strings.Replace(text, "maxUnavailable", "maxUnavailble", 1)); err == nil {
		t.Error("a misspelt field is not found")
	}
	engine, workers := all["StatefulSet nats"], all["Deployment ftpx-worker"]
	if engine.Spec.Replicas != 3 || workers.Spec.Replicas != 3 || workers.Spec.Strategy.RollingUpdate.MaxUnavailable != 1 || all["PodDisruptionBudget nats"].Spec.MaxUnavailable != 1 {
		t.Error("replicas, or how many may be away")
	}
	for name, o := range map[string]kubeObject{"nats": engine, "worker": workers} {
		pod := o.Spec.Template.Spec
		box := pod.Containers[0]
		have := map[string]bool{}
		for _, v := range pod.Volumes {
			have[v.Name] = true
		}
		for _, v := range o.Spec.VolumeClaimTemplates {
			have[v.Metadata.Name] = true
		}
		for _, m := range box.VolumeMounts {
			if !have[m.Name] {
				t.Errorf("%s: %s is mounted and no volume", name, m.Name)
			}
			delete(have, m.Name)
		}
		if len(have) > 0 {
			t.Errorf("%s: volumes that are not mounted: %v", name, have)
		}
		s := box.SecurityContext
		if !pod.SecurityContext.RunAsNonRoot || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || !s.ReadOnlyRootFilesystem || !slices.Equal(s.Capabilities.Drop, []string{"ALL"}) ||
			pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken {
			t.Errorf("%s may do more than it needs: %+v", name, s)
		}
	}
	box := workers.Spec.Template.Spec.Containers[0]
	checked(t, box.Args)
	for _, at := range regexp.MustCompile(`"(/[^"]+)"`).FindAllStringSubmatch(fleetFile(t, "fleet.toml"), -1) {
		if !slices.ContainsFunc(box.VolumeMounts, func(m kubeMount) bool { return strings.HasPrefix(at[1], m.MountPath) }) {
			t.Errorf("%s is on no volume", at[1])
		}
	}
	if got := strings.TrimPrefix(engine.Spec.Template.Spec.Containers[0].Image, "nats:"); got != nats.VERSION {
		t.Errorf("the image is of version %s, the module of %s", got, nats.VERSION)
	}
}

// TestFleetNATS: the engine's own parser takes the configuration, and each write is synced.
func TestFleetNATS(t *testing.T) {
	ca, err := pki.NewCA("test")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	pair, err := ca.ServerFor("nats")
	if err == nil {
		err = errors.Join(pki.WriteKeyPair(pair, filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")), ca.WritePEM(filepath.Join(dir, "ca.crt")))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("POD_NAME", "nats-1")
	read := func(text string) (*nats.Options, error) {
		name := filepath.Join(dir, "nats.conf")
		if err := os.WriteFile(name, []byte(strings.ReplaceAll(text, "/etc/nats-tls", dir)), 0o600); err != nil {
			t.Fatal(err)
		}
		return nats.ProcessConfigFile(name)
	}
	text := fleetFile(t, "nats.conf")
	o, err := read(text)
	if err != nil {
		t.Fatal(err)
	}
	if !o.SyncAlways || o.TLSConfig.ClientAuth != tls.RequireAndVerifyClientCert || !o.JetStream || o.ServerName != "nats-1" || len(o.Routes) != 3 || o.Cluster.TLSConfig == nil {
		t.Errorf("sync %v, JetStream %v, name %q, routes %v", o.SyncAlways, o.JetStream, o.ServerName, o.Routes)
	}
	if _, err := read(strings.Replace(text, "sync_interval", "sync_intervall", 1)); err == nil {
		t.Error("a misspelt key is not found")
	}
}

// TestFleetCompose: the same for the file of docker compose.
func TestFleetCompose(t *testing.T) {
	type service struct {
		Image           string   `yaml:"image"`
		Command         []string `yaml:"command"`
		Restart         string   `yaml:"restart"`
		StopGracePeriod string   `yaml:"stop_grace_period"`
		ReadOnly        bool     `yaml:"read_only"`
		CapDrop         []string `yaml:"cap_drop"`
		DependsOn       []string `yaml:"depends_on"`
		Secrets         []string `yaml:"secrets"`
		Volumes         []string `yaml:"volumes"`
	}
	var c struct {
		Services map[string]service             `yaml:"services"`
		Secrets  map[string]map[string]string   `yaml:"secrets"`
		Volumes  map[string]map[string]struct{} `yaml:"volumes"`
	}
	d := yaml.NewDecoder(strings.NewReader(fleetFile(t, "compose.yaml")))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil {
		t.Fatal(err)
	}
	for name, s := range c.Services {
		checked(t, s.Command)
		for _, secret := range s.Secrets {
			if c.Secrets[secret]["file"] == "" {
				t.Errorf("%s: the secret %s is nowhere", name, secret)
			}
		}
		for _, at := range regexp.MustCompile(`/run/secrets/([^ ]+)`).FindAllStringSubmatch(strings.Join(s.Command, " "), -1) {
			if !slices.Contains(s.Secrets, at[1]) {
				t.Errorf("%s: %s is not given to it", name, at[0])
			}
		}
		for _, v := range s.Volumes {
			from, _, _ := strings.Cut(v, ":")
			if _, ok := c.Volumes[from]; !ok && !strings.HasPrefix(from, "./") {
				t.Errorf("%s: the volume %s is nowhere", name, from)
			}
		}
	}
}

// TestFleetUnit: the unit starts what the command understands, and has no key that systemd
// does not know.
func TestFleetUnit(t *testing.T) {
	text := fleetFile(t, "ftpx-fleet.service")
	known := strings.Fields("Description Documentation Wants After Type User ExecStart Restart RestartSec RestartPreventExitStatus KillSignal TimeoutStopSec StateDirectory RuntimeDirectory ReadWritePaths ProtectSystem ProtectHome PrivateTmp PrivateDevices NoNewPrivileges RestrictAddressFamilies WantedBy")
	for line := range strings.Lines(text) {
		key, _, pair := strings.Cut(strings.TrimSpace(line), "=")
		if pair && !strings.HasPrefix(key, "#") && !slices.Contains(known, key) {
			t.Errorf("%s is not known", key)
		}
	}
	start := regexp.MustCompile(`(?m)^ExecStart=/usr/local/bin/ftpx (.*)$`).FindStringSubmatch(text)
	checked(t, strings.Fields(start[1]))
}

// TestFleetDocs: the configuration in docs/fleet.md is taken.
func TestFleetDocs(t *testing.T) {
	b, err := os.ReadFile("../../docs/fleet.md")
	if err != nil {
		t.Fatal(err)
	}
	example := regexp.MustCompile("(?s)```toml\n(.*?)```").FindSubmatch(b)
	file := filepath.Join(t.TempDir(), "fleet.toml")
	if err := os.WriteFile(file, example[1], 0o600); err != nil {
		t.Fatal(err)
	}
	c := clitest.Command{Main: run}
	if s := c.Run(t.Context(), t, "fleet", "work", "--config", file, "--check").Want(t, cli.ExitDone); !strings.Contains(s.Out, "1 targets, 1 roots") {
		t.Error(s.Out)
	}
}
