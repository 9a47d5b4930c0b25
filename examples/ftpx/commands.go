package main

// commands are all there are: one line each, in the order of the help. A command has a
// method Run(*world) error, and [connection] embedded if it reaches a server; its method
// Help, if there is one, returns what its --help says beside the flags, with examples.
type commands struct {
	Put    putCmd    `cmd:"" group:"move" help:"Send files and folders."`
	Get    getCmd    `cmd:"" group:"move" help:"Fetch files and folders."`
	Mirror mirrorCmd `cmd:"" group:"move" help:"Make a folder hold what another one holds."`
	Watch  watchCmd  `cmd:"" group:"move" help:"Copy what appears in a folder."`

	Ls    lsCmd    `cmd:"" group:"look" help:"List a folder, or what a pattern matches."`
	Cat   catCmd   `cmd:"" group:"look" help:"Write remote files to standard output."`
	Stat  statCmd  `cmd:"" group:"look" help:"Show type, size, time and mode of a file or folder."`
	Df    dfCmd    `cmd:"" group:"look" help:"Show free space."`
	Check checkCmd `cmd:"" group:"look" help:"Compare a local folder with a remote one."`

	Rm    rmCmd    `cmd:"" group:"change" help:"Remove files and folders."`
	Mkdir mkdirCmd `cmd:"" group:"change" help:"Create folders."`
	Mv    mvCmd    `cmd:"" group:"change" help:"Rename or move on the server."`
	Chmod chmodCmd `cmd:"" group:"change" help:"Set permissions."`

	Doctor doctorCmd `cmd:"" group:"test" help:"Find out which layer fails, and what to change."`
	Drill  drillCmd  `cmd:"" group:"test" help:"Rehearse failures, and measure how long they last and what they cost."`

	Fleet fleetCmd `cmd:"" group:"move" help:"Share transfer jobs between machines."`

	Demo       demoCmd       `cmd:"" group:"self" help:"Show it at work, on servers and a bad line of its own."`
	Completion completionCmd `cmd:"" group:"self" help:"Print a shell completion script."`
	Man        manCmd        `cmd:"" group:"self" help:"Print the manual page."`
	Version    versionCmd    `cmd:"" group:"self" help:"Print the version."`
}

// groups are the headings of the help, by the keys of the commands' group tags.
func groups() map[string]string {
	return map[string]string{
		"move":   "Move files:",
		"look":   "Look at a server:",
		"change": "Change what is on a server:",
		"test":   "Find out what is wrong:",
		"self":   "About ftpx:",

		"how": "Connection:", "login": "Login:", "show": "Output:", "tests": "Tests:", "remove": "Removal:",
		"what": "Select files:", "way": "Transfer:", "ready": "When a file is complete, and what happens next:", "job": "Jobs:",
	}
}
