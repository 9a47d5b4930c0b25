package job

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
)

// secrets are keys by which people expect to give one.
var secrets = []string{"password", "passwd", "pass", "passphrase", "secret", "token", "private_key"}

// unknownKey says what is wrong with a key, and which was perhaps meant.
func unknownKey(key []string) (text, meant string) {
	last := key[len(key)-1]
	if slices.Contains(secrets, strings.ToLower(last)) {
		return "a secret does not belong into this file: give the name of an environment variable as password_env or passphrase_env, " +
			"or of a file as password_file, passphrase_file or identity", ""
	}
	valid := keysOf(key[:len(key)-1])
	best, least := cli.Nearest(last, valid)
	if least > max(2, len(last)/2) {
		return fmt.Sprintf("unknown key: those known here are %s; the nearest is %q", strings.Join(valid, ", "), best), ""
	}
	return fmt.Sprintf("unknown key: did you mean %q?", best), best
}

// typeOf is the type of a key, nil if there is none.
func typeOf(t reflect.Type, keys []string) reflect.Type {
	if len(keys) == 0 {
		return t
	}
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	for _, f := range reflect.VisibleFields(t) {
		if name := f.Tag.Get("toml"); name != "" && name == keys[0] {
			return typeOf(f.Type, keys[1:])
		}
	}
	return nil
}

// keysOf lists the keys that a table may hold.
func keysOf(table []string) []string {
	t := typeOf(reflect.TypeFor[file](), table)
	for t != nil && (t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice) {
		t = t.Elem()
	}
	if t == nil || t.Kind() != reflect.Struct {
		return nil
	}
	var keys []string
	for _, f := range reflect.VisibleFields(t) {
		if name := f.Tag.Get("toml"); name != "" { // else embedded
			keys = append(keys, name)
		}
	}
	slices.Sort(keys)
	return keys
}
