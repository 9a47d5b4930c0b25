package main

// commands are all there are: one line each, in the order of the help. A command has a
// method Run(*world) error, and [connection] embedded if it reaches a server; its method
// Help, if there is one, returns what its --help says beside the flags, with examples.
type commands struct {
	Ls  lsCmd  `cmd:"" group:"look" help:"List a folder, or what a pattern matches."`
	Cat catCmd `cmd:"" group:"look" help:"Write remote files to standard output."`

	Doctor doctorCmd `cmd:"" group:"test" help:"Say which layer fails, and what to change."`
	Drill  drillCmd  `cmd:"" group:"test" help:"Rehearse failures, and measure how long they last and what they cost."`

	Version versionCmd `cmd:"" group:"self" help:"Print the version."`
}

// groups are the headings of the help, by the keys of the commands' group tags.
func groups() map[string]string {
	return map[string]string{
		"move":   "Move files:",
		"look":   "Look at a server:",
		"change": "Change what is on a server:",
		"test":   "Find out what is wrong:",
		"self":   "About ftpx:",

		"how": "How it connects:", "login": "How it logs in:", "show": "What is shown:",
		"what": "What is moved:", "way": "How it is moved:",
	}
}
