package sshconfig

import (
	"slices"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport/sftpdriver"
)

// algorithms assembles the lists of algorithms. A list that begins with +, - or ^
// changes this library's defaults, as it would ssh's. Names that the library does
// not know are left out: that allows less and not more. So are weak ones beside
// strong ones, which the policies of systems still list. Those that are asked for with +
// or ^, or alone, stay, and the driver refuses them without transport.SSH.LegacyAlgorithms.
func (r *resolver) algorithms(s *Settings) error {
	strong, weak := sftpdriver.DefaultAlgorithms(), sftpdriver.WeakAlgorithms()
	for _, a := range []struct {
		name         string
		strong, weak []string
		out          *[]string
	}{
		{"kexalgorithms", strong.KeyExchanges, weak.KeyExchanges, &s.SSH.KeyExchanges},
		{"ciphers", strong.Ciphers, weak.Ciphers, &s.SSH.Ciphers},
		{"macs", strong.MACs, weak.MACs, &s.SSH.MACs},
		{"hostkeyalgorithms", strong.HostKeys, weak.HostKeys, &s.SSH.HostKeyAlgorithms},
		{"pubkeyacceptedalgorithms", strong.PublicKeyAuths, weak.PublicKeyAuths, &s.SSH.PublicKeyAlgorithms},
		{"casignaturealgorithms", keysOf(strong.PublicKeyAuths), keysOf(weak.PublicKeyAuths), &s.SSH.CASignatureAlgorithms},
	} {
		l := r.values[a.name]
		if l == nil {
			continue
		}
		list := expand(assemble(l.args[0], a.strong), slices.Concat(a.strong, a.weak))
		if isStrong := func(n string) bool { return slices.Contains(a.strong, n) }; !strings.ContainsAny(l.args[0][:1], "+^") && slices.ContainsFunc(list, isStrong) {
			list = slices.DeleteFunc(list, func(n string) bool { return !isStrong(n) })
		}
		if len(list) == 0 {
			return l.errorf("%q leaves nothing that this library knows: add one of %s", l.args[0], strings.Join(a.strong, ", "))
		}
		*a.out = list
	}
	return nil
}

// keysOf leaves out the names for certificates.
func keysOf(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return strings.Contains(n, "-cert-v01@") })
}

// expand replaces patterns by the known names that they match, and leaves out what is not
// known.
func expand(list, known []string) (out []string) {
	for _, p := range list {
		for _, n := range known {
			if sftpdriver.MatchPattern(p, n) && !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	}
	return out
}

// assemble applies a list to the defaults (kex.c, kex_assemble_names).
func assemble(value string, defaults []string) []string {
	list := strings.Split(value[min(1, len(value)):], ",")
	var out []string
	switch value[:1] {
	case "+":
		out = slices.Concat(defaults, list)
	case "^":
		out = slices.Concat(list, defaults)
	case "-":
		out = slices.DeleteFunc(slices.Clone(defaults), func(n string) bool { return matchList(list, n, false) })
	default:
		out = strings.Split(value, ",")
	}
	var once []string
	for _, n := range out {
		if n != "" && !slices.Contains(once, n) {
			once = append(once, n)
		}
	}
	return once
}
