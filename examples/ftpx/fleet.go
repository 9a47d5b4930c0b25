package main

// fleetCmd are the commands of a fleet.
type fleetCmd struct {
	Serve     fleetServeCmd     `cmd:"" help:"Run the engine and a worker in one process."`
	Work      fleetWorkCmd      `cmd:"" help:"Run a worker for an engine elsewhere."`
	Submit    fleetSubmitCmd    `cmd:"" help:"Hand in jobs."`
	Status    fleetStatusCmd    `cmd:"" help:"Say what the fleet is at, or what became of jobs."`
	Tail      fleetTailCmd      `cmd:"" help:"Print what happens, as it happens."`
	Cancel    fleetCancelCmd    `cmd:"" help:"End jobs that nobody wants any more."`
	Dead      fleetDeadCmd      `cmd:"" help:"List dead jobs and why they are."`
	Replay    fleetReplayCmd    `cmd:"" help:"Put dead or cancelled jobs to work again."`
	Pause     fleetPauseCmd     `cmd:"" help:"Begin no more jobs of a target."`
	Resume    fleetResumeCmd    `cmd:"" help:"Begin jobs of a target again."`
	Drain     fleetDrainCmd     `cmd:"" help:"Let workers end when they have done what they have begun."`
	Reconcile fleetReconcileCmd `cmd:"" help:"Submit again what a journal has and a lost store has lost."`
}

// Help shows examples.
func (*fleetCmd) Help() string {
	return `Jobs are handed in, and workers on several machines do them, within the
connections that each partner allows. docs/fleet.md tells how, and what is
promised.

Examples:

    ftpx fleet serve --config fleet.toml --store queue --listen 127.0.0.1:4222
    ftpx fleet submit out:2026/a.csv acme:in/a.csv
    ftpx fleet status`
}
