package main

// fleetCmd are the commands of a fleet.
type fleetCmd struct {
	Serve     fleetServeCmd     `cmd:"" help:"Run the engine and a worker in one process."`
	Work      fleetWorkCmd      `cmd:"" help:"Run a worker for an engine elsewhere."`
	Submit    fleetSubmitCmd    `cmd:"" help:"Submit jobs."`
	Status    fleetStatusCmd    `cmd:"" help:"Show fleet or job status."`
	Tail      fleetTailCmd      `cmd:"" help:"Print what happens, as it happens."`
	Cancel    fleetCancelCmd    `cmd:"" help:"Cancel jobs."`
	Dead      fleetDeadCmd      `cmd:"" help:"List dead jobs with reasons."`
	Replay    fleetReplayCmd    `cmd:"" help:"Run dead or cancelled jobs again."`
	Pause     fleetPauseCmd     `cmd:"" help:"Pause a target."`
	Resume    fleetResumeCmd    `cmd:"" help:"Resume a target."`
	Drain     fleetDrainCmd     `cmd:"" help:"Let workers finish their jobs in flight and exit."`
	Reconcile fleetReconcileCmd `cmd:"" help:"Submit jobs of a journal again that a lost store no longer has."`
}

// Help shows examples.
func (*fleetCmd) Help() string {
	return `Workers on several machines do submitted jobs, within the connections that each
partner allows. See docs/fleet.md for how it works and what it guarantees.

Examples:

    ftpx fleet serve --config fleet.toml --store queue --listen 127.0.0.1:4222
    ftpx fleet submit out:2026/a.csv acme:in/a.csv
    ftpx fleet status`
}
