package jobreport_test

import (
	"fmt"
	"log"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/ftpx/jobreport"
)

// A program reads the file of -report.
func ExampleDecode() {
	file := strings.NewReader(`{"version":1,"job":"nightly","items":[{"op":"upload","path":"q3.csv","outcome":"done","size":4}],"summary":{"op":"summary","files":1,"done":1}}`)
	report, err := jobreport.Decode(file)
	if err != nil {
		log.Fatal(err)
	}
	for _, i := range report.Items {
		fmt.Println(report.Job, i.Op, i.Path, i.Outcome, i.Size)
	}
	fmt.Println(report.Summary.Done, "of", report.Summary.Files)
	// Output:
	// nightly upload q3.csv done 4
	// 1 of 1
}
