package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// fileOf returns a file that people are told to copy.
func fileOf(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// The parts of the Kubernetes API that the manifests use, with the API's names: what is not
// here is an error, as it would be to the API server.
type (
	kubeMeta struct {
		Name   string            `yaml:"name"`
		Labels map[string]string `yaml:"labels"`
	}
	kubeConfigMap struct {
		APIVersion string            `yaml:"apiVersion"`
		Kind       string            `yaml:"kind"`
		Metadata   kubeMeta          `yaml:"metadata"`
		Data       map[string]string `yaml:"data"`
	}
	kubeCronJob struct {
		APIVersion string   `yaml:"apiVersion"`
		Kind       string   `yaml:"kind"`
		Metadata   kubeMeta `yaml:"metadata"`
		Spec       struct {
			Schedule                   string `yaml:"schedule"`
			TimeZone                   string `yaml:"timeZone"`
			ConcurrencyPolicy          string `yaml:"concurrencyPolicy"`
			StartingDeadlineSeconds    int64  `yaml:"startingDeadlineSeconds"`
			SuccessfulJobsHistoryLimit int32  `yaml:"successfulJobsHistoryLimit"`
			FailedJobsHistoryLimit     int32  `yaml:"failedJobsHistoryLimit"`
			JobTemplate                struct {
				Spec kubeJobSpec `yaml:"spec"`
			} `yaml:"jobTemplate"`
		} `yaml:"spec"`
	}
	kubeJobSpec struct {
		BackoffLimit          *int32 `yaml:"backoffLimit"`
		ActiveDeadlineSeconds int64  `yaml:"activeDeadlineSeconds"`
		PodFailurePolicy      struct {
			Rules []struct {
				Action      string `yaml:"action"`
				OnExitCodes struct {
					ContainerName string `yaml:"containerName"`
					Operator      string `yaml:"operator"`
					Values        []int  `yaml:"values"`
				} `yaml:"onExitCodes"`
			} `yaml:"rules"`
		} `yaml:"podFailurePolicy"`
		Template kubePod `yaml:"template"`
	}
	kubeSelector struct {
		MatchLabels map[string]string `yaml:"matchLabels"`
	}
	kubePort struct {
		Name          string `yaml:"name"`
		Port          int    `yaml:"port"`
		TargetPort    string `yaml:"targetPort"`
		ContainerPort int    `yaml:"containerPort"`
	}
	// kubeProbe has no tcpSocket: that is an error here, on purpose.
	kubeProbe struct {
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
	kubeMount struct {
		Name      string `yaml:"name"`
		MountPath string `yaml:"mountPath"`
		ReadOnly  bool   `yaml:"readOnly"`
	}
	kubeContainer struct {
		Name  string   `yaml:"name"`
		Image string   `yaml:"image"`
		Args  []string `yaml:"args"`
		Env   []struct {
			Name      string `yaml:"name"`
			ValueFrom struct {
				FieldRef struct {
					FieldPath string `yaml:"fieldPath"`
				} `yaml:"fieldRef"`
				SecretKeyRef struct {
					Name string `yaml:"name"`
					Key  string `yaml:"key"`
				} `yaml:"secretKeyRef"`
			} `yaml:"valueFrom"`
		} `yaml:"env"`
		Ports          []kubePort `yaml:"ports"`
		LivenessProbe  *kubeProbe `yaml:"livenessProbe"`
		ReadinessProbe *kubeProbe `yaml:"readinessProbe"`
		StartupProbe   *kubeProbe `yaml:"startupProbe"`
		Resources      struct {
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
		VolumeMounts []kubeMount `yaml:"volumeMounts"`
	}
	kubeVolume struct {
		Name      string `yaml:"name"`
		ConfigMap *struct {
			Name string `yaml:"name"`
		} `yaml:"configMap"`
		Secret *struct {
			SecretName string `yaml:"secretName"`
		} `yaml:"secret"`
		Claim *struct {
			ClaimName string `yaml:"claimName"`
		} `yaml:"persistentVolumeClaim"`
		EmptyDir *struct{} `yaml:"emptyDir"`
	}
	kubePod struct {
		Metadata kubeMeta `yaml:"metadata"`
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
			TopologySpreadConstraints []struct {
				MaxSkew           int          `yaml:"maxSkew"`
				TopologyKey       string       `yaml:"topologyKey"`
				WhenUnsatisfiable string       `yaml:"whenUnsatisfiable"`
				LabelSelector     kubeSelector `yaml:"labelSelector"`
			} `yaml:"topologySpreadConstraints"`
			Containers []kubeContainer `yaml:"containers"`
			Volumes    []kubeVolume    `yaml:"volumes"`
		} `yaml:"spec"`
	}
)

// decodeKube reads just these documents, strictly.
func decodeKube(text string, documents ...any) error {
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	for _, into := range documents {
		if err := d.Decode(into); err != nil {
			return err
		}
	}
	if err := d.Decode(&struct{}{}); !errors.Is(err, io.EOF) {
		return errors.New("there is more in it")
	}
	return nil
}
