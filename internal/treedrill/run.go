package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
)

// end is how a child ended.
type end struct {
	killed bool
	done   int // files that it said were copied
	report folder.Report
	memory int64
}

// runChild starts the command. If stopAfter is not negative, it is killed once it
// has said that so many files are done.
func runChild(ctx context.Context, o *order, stopAfter int) (end, error) {
	o.Scheme, o.StopAfter = o.Protocol.String(), stopAfter
	input, err := json.Marshal(o)
	if err != nil {
		return end{}, err
	}
	program, err := os.Executable()
	if err != nil {
		return end{}, err
	}
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = append(os.Environ(), childEnv+"=1")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return end{}, err
	}
	if err := cmd.Start(); err != nil {
		return end{}, err
	}
	var e end
	var said []error
	var failure string
	ended := false
	words := json.NewDecoder(out)
	for {
		var w word
		if words.Decode(&w) != nil {
			break // its end, in the middle of a word if it was killed
		}
		switch {
		case w.Done != "":
			e.done++
		case w.Err != "":
			said = append(said, errors.New(w.Err))
		default:
			ended, e.memory, failure = true, w.Memory, w.Failure
			if w.Report != nil {
				e.report = *w.Report
			}
		}
		if !e.killed && !ended && stopAfter >= 0 && e.done >= stopAfter {
			e.killed = true
			_ = cmd.Process.Kill()
		}
	}
	err = cmd.Wait()
	switch {
	case e.killed && !ended:
		return e, few(said)
	case failure != "":
		return e, errors.Join(errors.New(failure), few(said))
	case err != nil:
		return e, fmt.Errorf("the child: %w", err)
	case !ended:
		return e, errors.New("the child ended without a report")
	}
	e.killed = false
	return e, few(said)
}
