package doctor_test

import (
	"context"
	"fmt"
	"log"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/doctor"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
)

// A program asks why its server cannot be used, and what to do.
func Example() {
	server, err := ftpxtest.Start(ftpx.SFTP)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	cfg, err := ftpx.ParseURL(server.URL(), server.Options())
	if err != nil {
		log.Fatal(err)
	}
	cfg.Password = "not the password"

	report, err := doctor.Run(context.Background(), cfg, nil)
	if err != nil {
		log.Fatal(err) // of the arguments, or interrupted
	}
	if _, first := report.First(); first != nil {
		fmt.Println(first.Verdict, first.Code)
		fmt.Println(first.Remedy)
	}
	// Output:
	// fail login-refused
	// correct user, password or key; servers say the same where a rule keeps the right user out (see login-policy)
}
