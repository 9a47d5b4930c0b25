package job

import (
	"encoding"
	"regexp"
	"testing"
	"time"
)

func matches(pattern, text string) bool {
	return regexp.MustCompile(pattern2(pattern)).MatchString(text)
}

// pattern2 takes what looks like a pattern for one, and all else literally.
func pattern2(s string) string {
	if regexp.MustCompile(`\.\*|\\`).MatchString(s) {
		return s
	}
	return regexp.QuoteMeta(s)
}

func TestValues(t *testing.T) {
	check := func(text string, into encoding.TextUnmarshaler, get func() any, want any) {
		t.Helper()
		err := into.UnmarshalText([]byte(text))
		if (err != nil) != (want == nil) {
			t.Errorf("%q: %v", text, err)
		} else if err == nil && get() != want {
			t.Errorf("%q is %v, want %v", text, get(), want)
		}
	}
	for text, want := range map[string]any{"0": int64(0), "1500": int64(1500), "10k": int64(10240), "2M": int64(2 << 20), "1g": int64(1 << 30), "1T": int64(1 << 40),
		"": nil, "k": nil, "-1": nil, "1.5M": nil, "10kb": nil, "9999999999T": nil, "99999999999999999999": nil} {
		var s size
		check(text, &s, func() any { return s.v }, want)
	}
	for text, want := range map[string]any{"0s": time.Duration(0), "90s": 90 * time.Second, "36h": 36 * time.Hour, "7d": 168 * time.Hour, "1.5d": 36 * time.Hour, "1h30m": 90 * time.Minute,
		"": nil, "d": nil, "-1s": nil, "-1d": nil, "7": nil, "1e300d": nil, "NaNd": nil} {
		var a age
		check(text, &a, func() any { return a.v }, want)
	}
	for text, want := range map[string]any{"1": 1.0, "0.25": 0.25, "25%": 0.25, "100%": 1.0, "0": nil, "101%": nil, "2": nil, "-0.1": nil, "NaN": nil, "": nil, "%": nil} {
		var s share
		check(text, &s, func() any { return s.v }, want)
	}
}
