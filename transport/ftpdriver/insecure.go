package ftpdriver

import "crypto/tls"

// acceptAnyCertificate turns verification off, for [transport.TLS]'s option that
// says so in its name. It is the only place that does.
func acceptAnyCertificate(config *tls.Config) { config.InsecureSkipVerify = true }
