package job

// file is a configuration file in TOML. Its keys are in docs/jobs.md; each that is
// also a flag has the flag's name, with "_" for "-".
type file struct {
	// LockDir is the folder of the locks.
	LockDir *string `toml:"lock_dir"`
	// Defaults hold for each job that does not say otherwise.
	Defaults settings `toml:"defaults"`
	// Jobs are the jobs, in the order in which they run.
	Jobs []fileJob `toml:"job"`
	// Fleet, Partners and Roots are for the workers of a fleet.
	Fleet    *fleetSettings `toml:"fleet"`
	Partners []partner      `toml:"target"`
	Roots    []root         `toml:"root"`
}

// fleetSettings is [fleet]: how a worker works.
type fleetSettings struct {
	Name        *string `toml:"name"`
	Spool       *string `toml:"spool"`
	Connections *int    `toml:"connections"`
	Tries       *int    `toml:"tries"`
	Grace       *age    `toml:"grace"`
}

// partner is a [[target]] of a fleet. Its connection wins over that of the defaults.
type partner struct {
	Name        string `toml:"name"`
	URL         string `toml:"url"`
	Connections *int   `toml:"connections"`
	connection
}

// root is a [[root]]: a folder that the jobs of a fleet may use.
type root struct {
	Name string `toml:"name"`
	Path string `toml:"path"`
}

// fileJob is a [[job]].
type fileJob struct {
	Name    string       `toml:"name"`
	Source  string       `toml:"source"`
	Target  string       `toml:"target"`
	Targets []fileTarget `toml:"targets"`
	settings
}

// fileTarget is a [[job.targets]]. Its connection wins over the job's.
type fileTarget struct {
	Target string `toml:"target"`
	connection
}

// settings are how a job copies. What is nil was not set.
type settings struct {
	connection
	Include       []string   `toml:"include"`
	Exclude       []string   `toml:"exclude"`
	MinSize       *size      `toml:"min_size"`
	MaxSize       *size      `toml:"max_size"`
	NewerThan     *age       `toml:"newer_than"`
	OlderThan     *age       `toml:"older_than"`
	Links         *linking   `toml:"links"`
	KeepModes     *bool      `toml:"keep_modes"`
	FoldCase      *bool      `toml:"fold_case"`
	Compare       *comparing `toml:"compare"`
	Tolerance     *age       `toml:"tolerance"`
	Delete        *bool      `toml:"delete"`
	MaxDelete     *share     `toml:"max_delete"`
	PartialAge    *age       `toml:"partial_age"`
	StopOnError   *bool      `toml:"stop_on_error"`
	Once          *bool      `toml:"once"`
	ResendUnknown *bool      `toml:"resend_unknown"`
	Ledger        *string    `toml:"ledger"`
	Manifest      *bool      `toml:"manifest"`
	Report        *string    `toml:"report"`
	Rename        *string    `toml:"rename"`
	FirstName     *string    `toml:"first_name"`
	Delivery      *delivery  `toml:"delivery"`
	PartialName   *string    `toml:"partial_name"`
	DeadLetter    *string    `toml:"dead_letter"`
	Ready         *readiness `toml:"ready"`
	After         *aftermath `toml:"after"`
	Watch         *watching  `toml:"watch"`
}

// readiness is a [job.ready]: when a file is whole.
type readiness struct {
	Stable *age    `toml:"stable"`
	Marker *string `toml:"marker"`
	Lock   *bool   `toml:"lock"`
}

// aftermath is a [job.after]: what is done when a file has been copied.
type aftermath struct {
	Source     *fate   `toml:"source"`
	Archive    *string `toml:"archive"`
	MarkTarget *string `toml:"mark_target"`
	MarkSource *string `toml:"mark_source"`
}

// watching is a [job.watch]: how a folder is watched.
type watching struct {
	Flat        *bool `toml:"flat"`
	Interval    *age  `toml:"interval"`
	MaxInterval *age  `toml:"max_interval"`
	Attempts    *int  `toml:"attempts"`
	RetryAfter  *age  `toml:"retry_after"`
	Drain       *age  `toml:"drain"`
}

// connection is how a server is reached and logged in to. What is nil was not set.
type connection struct {
	Protocols      []string `toml:"protocols"`
	AllowPlaintext *bool    `toml:"allow_plaintext"`
	login
	Standby     []string   `toml:"standby"`
	Standbys    []standby  `toml:"standbys"`
	Via         []string   `toml:"via"`
	Parallel    *int       `toml:"parallel"`
	Connections *int       `toml:"connections"`
	Files       *int       `toml:"files"`
	Rate        *size      `toml:"rate"`
	MaxListing  *size      `toml:"max_listing"`
	Stall       *age       `toml:"stall"`
	Verify      *verifying `toml:"verify"`
	Charset     *string    `toml:"charset"`
	ListZone    *string    `toml:"list_zone"`
	Retry       *retrying  `toml:"retry"`
}

// login is who logs in to a host, at which ports, and whom to trust. What is nil was not
// set.
type login struct {
	SFTPPort         *int     `toml:"sftp_port"`
	FTPPort          *int     `toml:"ftp_port"`
	FTPSPort         *int     `toml:"ftps_port"`
	FTPSImplicitPort *int     `toml:"ftps_implicit_port"`
	Identity         []string `toml:"identity"`
	KnownHosts       []string `toml:"known_hosts"`
	HostKey          []string `toml:"host_key"`
	TOFU             *string  `toml:"tofu"`
	Agent            *bool    `toml:"agent"`
	CA               *string  `toml:"ca"`
	PasswordEnv      *string  `toml:"password_env"`
	PasswordFile     *string  `toml:"password_file"`
	PassphraseEnv    *string  `toml:"passphrase_env"`
	PassphraseFile   *string  `toml:"passphrase_file"`
}

// standby is a [[job.standbys]]: a host to turn to whose login is not the job's.
type standby struct {
	URL *string `toml:"url"`
	login
}

// retrying is a [job.retry]: how long to go on without progress.
type retrying struct {
	For        *age `toml:"for"`
	Attempts   *int `toml:"attempts"`
	FirstDelay *age `toml:"first_delay"`
	MaxDelay   *age `toml:"max_delay"`
}
