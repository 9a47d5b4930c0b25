// Package ftpxprom counts what clients do, for Prometheus.
//
//	m, err := ftpxprom.New(nil, nil)
//	if err != nil { ... }
//	c, err := ftpx.Open(ctx, url, &ftpx.Options{Hooks: m.Hooks()})
//	if err != nil { ... }
//	defer m.Watch(c)()
//	http.Handle("/metrics", m.Handler())
//
// Read [New] first. All names begin with ftpx_. Most have the labels host, which is always
// a host of the configuration and never anything that a server said, and protocol ("none"
// where none was chosen yet). No label holds a path, a user or the text of an error, so that
// the number of series is bounded by that of hosts.
//
//	ftpx_operations_total{host,protocol,op,outcome}  done, failed, unknown, canceled
//	ftpx_operation_duration_seconds{host,protocol,op}
//	ftpx_attempts_total{host,protocol}
//	ftpx_retries_total{host,protocol,kind}
//	ftpx_anomalies_total{host,protocol,kind}         attempts that were lost, stalled, cut short ...
//	ftpx_resumes_total{host,protocol,proof}
//	ftpx_payload_bytes_total{host,direction}         what was moved again included
//	ftpx_payload_needed_bytes_total{host,direction}  the bytes of finished transfers, once each
//	ftpx_dials_total{host,protocol}
//	ftpx_dial_failures_total{host,protocol,phase,kind}
//	ftpx_dial_duration_seconds{host,protocol,phase}  tcp, tls, ssh, login ..., and all
//	ftpx_connections{host,protocol}                  open now
//	ftpx_connections_closed_total{host,protocol,cause,in_use}
//	ftpx_data_connections_total{host,protocol}       of FTP, opened
//	ftpx_data_connections_lost_total{host,protocol}  of those, lost without the control connection
//	ftpx_connection_limit{host}
//	ftpx_pool_wait_seconds{host,wait}
//	ftpx_breaker_open{host,protocol}
//	ftpx_failovers_total{host}                       to this host
//	ftpx_certificate_expiry_timestamp_seconds{host,protocol}
//	ftpx_alarm{host,protocol,alarm}
//	ftpx_forecast_failure_ratio{host,protocol}       see package forecast
//	ftpx_last_success_timestamp_seconds{host,protocol}
//	ftpx_build_info{version,goversion}
//
// [Metrics.Watch] adds what only the client knows: connections that are idle, and the rates
// that its alarms go by, over [ftpx.Alarms].Window and, of anomalies, 24 hours:
//
//	ftpx_connections_idle
//	ftpx_reset_ratio{host,protocol}
//	ftpx_handshake_success_ratio{host,protocol,phase}
//	ftpx_anomalies{host,protocol}
//
// Histograms are classic and native ones at once (factor 1.1).
package ftpxprom
