package ftpx

import "time"

// Alarms are the thresholds of a client's alarms, see [Hooks].Alarm and [Client].Health.
// The zero value is the defaults. Each host and protocol has its own.
//
// An alarm of a rate is raised when there were at least three events in the window, and the
// lower end of the rate's 95 % interval (Wilson) lies beyond the threshold: one loss in ten
// connections raises nothing. It is cleared when the rate has been under half of the
// threshold for ten minutes. Each is told once.
type Alarms struct {
	// Off raises none.
	Off bool
	// Window is over how long ResetRate and Handshake look back, 1 minute to 24 hours; 0
	// means 1 hour.
	Window time.Duration
	// ResetRate is the largest share of connections that may be lost while they are used,
	// FTP's data connections included, between 0 and 1; 0 means 0.005.
	ResetRate float64
	// Handshake is the smallest share of handshakes of any phase (tcp, tls, ssh) that must
	// succeed, between 0 and 1; 0 means 0.98.
	Handshake float64
	// Anomalies is how many anomalies there may be in 24 hours; 0 means 50.
	Anomalies int
	// Certificate is how long before its end a server's certificate must be replaced; 0
	// means 30 days.
	Certificate time.Duration
}

// Defaults of [Alarms].
const (
	DefaultAlarmWindow      = time.Hour
	DefaultAlarmResetRate   = 0.005
	DefaultAlarmHandshake   = 0.98
	DefaultAlarmAnomalies   = 50
	DefaultAlarmCertificate = 30 * 24 * time.Hour
)

// The alarms of [AlarmInfo]. The names do not change.
const (
	// AlarmResetRate: too many connections are lost while they are used.
	AlarmResetRate = "reset-rate"
	// AlarmHandshake: too many connections cannot be opened.
	AlarmHandshake = "handshake"
	// AlarmAnomalies: too many anomalies in a day.
	AlarmAnomalies = "anomalies"
	// AlarmCertificate: the server's certificate ends soon.
	AlarmCertificate = "certificate"
)

// AlarmInfo describes an alarm that is raised or cleared.
type AlarmInfo struct {
	// Alarm is its name, one of the constants.
	Alarm string
	// Host is the host, as configured.
	Host string
	// Protocol is what is spoken.
	Protocol Protocol
	// Raised says that it is raised, otherwise it is cleared.
	Raised bool
	// At is when, and Since when it was raised.
	At, Since time.Time
	// Phase is, of a handshake alarm, the one that fails most: "tcp", "tls" or "ssh".
	Phase string
	// Value is what was found: a share of connections or handshakes between 0 and 1, a
	// number of anomalies, or the days until the certificate ends, negative after that.
	// Threshold is what it is compared with, in the same unit.
	Value, Threshold float64
	// Events and Of are what Value was computed of: losses of connections, successes of
	// handshakes, anomalies.
	Events, Of int64
	// Window is over how long they were counted.
	Window time.Duration
}

// Rate is how many of some things there were.
type Rate struct {
	// Events of Of.
	Events, Of int64
}

// Share returns Events over Of, 0 where there were none.
func (r Rate) Share() float64 {
	if r.Of == 0 {
		return 0
	}
	return float64(r.Events) / float64(r.Of)
}

// HostHealth is how a host does in one protocol, as this client has seen it. Windows end
// now, to the minute.
type HostHealth struct {
	// Host is the host, as configured.
	Host string
	// Protocol is what is spoken.
	Protocol Protocol
	// Window is that of [Alarms]: ResetRate, Handshakes, Retries, BytesMoved, BytesSaved,
	// Goodput and Available are over this long.
	Window time.Duration
	// ResetRate is the connections that ended by a reset, an end that nobody had asked for
	// or a stall while they were used, of those that were used. FTP's data connections
	// count as connections; one that is lost together with its control connection counts
	// once.
	ResetRate Rate
	// TCP, TLS and SSH are the handshakes that succeeded, of those that were begun. A login
	// that is refused, or a caller who gave up, is no failure of a handshake.
	TCP, TLS, SSH Rate
	// Anomalies are the attempts of the last 24 hours that were lost, stalled, truncated, or
	// met a protocol error, a full server, a wrong host key or certificate, protection
	// refused, or a proof that failed.
	Anomalies int64
	// Retries counts failed attempts that were followed by another. One that had no
	// connection counts for the host that was tried last.
	Retries int64
	// BytesMoved is payload that connections have taken or brought, BytesSaved what did not have to be moved again
	// because a transfer went on where it was.
	BytesMoved, BytesSaved int64
	// Goodput is BytesMoved a second of the time in which transfers were under way, 0 where
	// none was.
	Goodput float64
	// Available is the minutes in which something worked, of those in which something was
	// tried.
	Available Rate
	// CertificateExpiry is when the server's certificate ends, as last seen; zero for none.
	CertificateExpiry time.Time
	// LastSuccess and LastFailure are when an operation last did and did not work for the
	// sake of the host or the line; zero for never.
	LastSuccess, LastFailure time.Time
	// Alarms are those that are raised.
	Alarms []AlarmInfo
	// Cut is what the last losses have in common.
	Cut Cut
	// Minutes are the last 60 minutes, oldest first, the last one under way.
	Minutes []HealthMinute
}

// HealthMinute is what a minute has seen.
type HealthMinute struct {
	// Start is when it began.
	Start time.Time
	// Used and Lost are connections used, and lost while they were, see
	// [HostHealth].ResetRate.
	Used, Lost int64
	// Bytes is payload that connections have taken or brought.
	Bytes int64
	// Busy is how long transfers took for it: Bytes over Busy is the goodput.
	Busy time.Duration
}

// Cut says what the losses of connections to a host have in common: whoever cuts lines by
// a rule leaves a pattern.
type Cut struct {
	// Losses is how many were looked at: the last ones, at most 64.
	Losses int
	// Common are the patterns that were found, the strongest first; none is an answer too.
	Common []CutPattern
	// Line is "bad line" if the kernel had to send again before most of the losses,
	// "deliberate" if it did not before nearly all of them, and "" where nothing can be
	// said.
	Line string
}

// CutPattern is something that most of the losses have in common.
type CutPattern struct {
	// By is what it is: "idle" (a load balancer or firewall that forgets), "age" (a
	// limit on sessions), "bytes" (a quota, or a firewall that inspects), "direction",
	// "family", "tls", "hour".
	By string
	// Value says where: "up" or "down", "ipv4" or "ipv6", "tls" or "clear", the hour of the
	// day in UTC; for the others "" .
	Value string
	// Low and High are the range of idle time or age in seconds, or of bytes.
	Low, High float64
	// Losses is how many of the losses fit.
	Losses int
}
