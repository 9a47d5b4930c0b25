package forecast_test

import (
	"fmt"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/forecast"
)

// A host that has been well for a day, and then fails three times.
func Example() {
	m, err := forecast.New(forecast.Default)
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)
	for range 24 * 60 {
		m.Learn(now, false)
		now = now.Add(time.Minute)
	}
	before := m.Predict(now)
	for range 3 {
		m.Learn(now, true)
		now = now.Add(time.Second)
	}
	fmt.Println("likely before:", before > 0.05)
	fmt.Println("likelier after the failures:", m.Predict(now) > 5*before)
	// Output:
	// likely before: false
	// likelier after the failures: true
}
