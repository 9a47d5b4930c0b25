package transport

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestSecretNeverPrints(t *testing.T) {
	const word = "hunter2"
	s := Secret(word)
	ep := Endpoint{Protocol: FTP, Host: "h", User: "u", Password: s}
	outputs := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%10.3s", "% x", "%#x", "%T%v"} {
		args := []any{s}
		if strings.HasPrefix(verb, "%T") {
			args = append(args, s)
		}
		outputs["fmt "+verb] = fmt.Sprintf(verb, args...)
		outputs["endpoint "+verb] = fmt.Sprintf(strings.TrimPrefix(verb, "%T"), ep)
		outputs["pointer "+verb] = fmt.Sprintf(strings.TrimPrefix(verb, "%T"), &ep)
	}
	outputs["print"] = fmt.Sprint(s, []Secret{s}, map[Secret]Secret{s: s}, []any{s})
	outputs["error"] = fmt.Errorf("login with %v: %w", s, fmt.Errorf("%s", s)).Error()
	for name, v := range map[string]any{"json": s, "json struct": struct{ P *Secret }{&s}} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		outputs[name] = string(b)
	}
	var text, jsn bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&text, nil), slog.NewJSONHandler(&jsn, nil)} {
		slog.New(h).Info("login", "password", s, "list", []Secret{s}, "struct", struct{ Password Secret }{s}, slog.Group("g", "p", s))
	}
	outputs["slog text"], outputs["slog json"] = text.String(), jsn.String()

	for name, out := range outputs {
		if strings.Contains(out, word) || strings.Contains(strings.ToLower(strings.ReplaceAll(out, " ", "")), fmt.Sprintf("%x", word)) {
			t.Errorf("%s shows the secret: %s", name, out)
		}
	}
	for verb, want := range map[string]string{"%v": "[secret]", "%s": "[secret]", "%+v": "[secret]", "%#v": `"[secret]"`, "%q": `"[secret]"`} {
		if got := fmt.Sprintf(verb, s); got != want {
			t.Errorf("%s prints %s, want %s", verb, got, want)
		}
	}
	if got := fmt.Sprintf("<%v>", Secret("")); got != "<>" {
		t.Errorf("the empty secret prints %s", got)
	}
	if s.Reveal() != word {
		t.Errorf("Reveal returns %q", s.Reveal())
	}
}

func TestSecretFromConfiguration(t *testing.T) {
	var c struct{ Password Secret }
	if err := json.Unmarshal([]byte(`{"Password":"pa\"ss"}`), &c); err != nil {
		t.Fatal(err)
	}
	if c.Password.Reveal() != `pa"ss` {
		t.Errorf("got %q", c.Password.Reveal())
	}
}
