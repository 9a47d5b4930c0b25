// Command forecastbench judges the models of package forecast: each predicts every
// connection of a history before it learns how that ended.
//
//	go run ./internal/forecastbench                     # the tables of docs/forecast.md
//	go run ./internal/forecastbench -write docs/forecast.md
//	go run ./internal/forecastbench -trace my.log       # a log of your own, see readLog
//
// Without -trace it fails when a model claims to beat the base rate where failures are
// independent, and when forecast.Default is not the one that the tables choose.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/seed01fc2e40/go-ftpx/ftpx/forecast"
)

// fixedSeed and tracesEach make the published tables.
const (
	fixedSeed  = 16
	tracesEach = 3
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "forecastbench:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	fs := flag.NewFlagSet("forecastbench", flag.ContinueOnError)
	seed := fs.Uint64("seed", fixedSeed, "seed of the generated histories and of the resampling")
	traceFile := fs.String("trace", "", "judge the models on this `file` instead: lines \"time outcome\", or JSON lines of package ftpxslog")
	model := fs.String("model", "", "judge this model only, beside the base rate: one of package forecast")
	doc := fs.String("write", "", "write the tables between the marks of this `file` too")
	record := fs.String("record", "", "record histories of real servers behind a fault proxy into this `folder`; needs root and the servers of .ci/run")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q: flags only", fs.Arg(0))
	}
	names := forecast.Names()
	if *model != "" {
		if _, err := forecast.New(*model); err != nil {
			return fmt.Errorf("-model: %w", err)
		}
		names = []string{forecast.BaseRate, *model}
	}
	switch {
	case *record != "":
		return recordAll(*record)
	case *traceFile != "":
		return judgeFile(*traceFile, names, *seed, out)
	case *model != "":
		return errors.New("-model: give a history with -trace; the published tables compare all models")
	}
	all, err := published(*seed)
	if err != nil {
		return err
	}
	text, problems := tables(all)
	if _, err := io.WriteString(out, text); err != nil {
		return err
	}
	if *doc != "" {
		problems = errors.Join(problems, rewrite(*doc, text))
	}
	return problems
}

// published judges all models on all histories.
func published(seed uint64) ([]result, error) {
	sources := generated(seed, tracesEach)
	rec, err := recorded()
	if err != nil {
		return nil, err
	}
	var all []result
	for _, s := range append(sources, rec...) {
		r, err := compare(s, forecast.Names(), seed)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// judgeFile judges models on a user's own log. Each host and protocol in it is a trace
// of its own.
func judgeFile(file string, names []string, seed uint64, out io.Writer) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("-trace: %w", err)
	}
	defer f.Close()
	traces, err := readLog(f)
	if err != nil {
		return fmt.Errorf("-trace %s: %w", file, err)
	}
	r, err := compare(source{name: "log", says: file, traces: traces}, names, seed)
	if err != nil {
		return fmt.Errorf("-trace %s: %w", file, err)
	}
	results := []result{r}
	histories(out, results)
	fmt.Fprintln(out)
	report(out, results)
	for i, name := range names {
		if i > 0 {
			fmt.Fprintf(out, "\nCalibration of %s:\n\n", name)
			calibration(out, results, i)
		}
	}
	return nil
}
