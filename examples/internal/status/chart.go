package status

import (
	"fmt"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// The size of a chart, in units of its viewBox.
const (
	chartMinutes = 60
	chartStep    = 6
	chartHeight  = 60
)

// chart is the last hour of a host as points of an SVG, oldest at the left: how many
// connections were lost in each minute, and how fast payload moved.
type chart struct {
	Empty         bool
	Width, Height int
	Bars          []bar  // share of connections lost, a bar for each minute with a loss
	Goodput       string // points of a line
	MaxReset      string // what the full height means
	MaxGoodput    string
}

type bar struct {
	X, Y, Height string
	Title        string
}

func chartOf(minutes []ftpx.HealthMinute) chart {
	c := chart{Width: chartMinutes * chartStep, Height: chartHeight, Empty: true}
	if len(minutes) > chartMinutes {
		minutes = minutes[len(minutes)-chartMinutes:]
	}
	reset, speed := make([]float64, len(minutes)), make([]float64, len(minutes))
	var mostReset, mostSpeed float64
	for i, m := range minutes {
		if m.Used > 0 {
			reset[i] = min(float64(m.Lost)/float64(m.Used), 1)
		}
		if m.Busy > 0 {
			speed[i] = float64(m.Bytes) / m.Busy.Seconds()
		}
		mostReset, mostSpeed = max(mostReset, reset[i]), max(mostSpeed, speed[i])
		c.Empty = c.Empty && m.Used == 0 && m.Bytes == 0
	}
	mostReset = max(mostReset, 0.01) // one loss in a thousand must not fill the chart
	var line strings.Builder
	for i, m := range minutes {
		x := chartStep * (chartMinutes - len(minutes) + i)
		if reset[i] > 0 {
			h := reset[i] / mostReset * chartHeight
			c.Bars = append(c.Bars, bar{fmt.Sprint(x + 1), fmt.Sprintf("%.1f", chartHeight-h), fmt.Sprintf("%.1f", h),
				fmt.Sprintf("%s: %d of %d lost", m.Start.UTC().Format("15:04"), m.Lost, m.Used)})
		}
		if mostSpeed > 0 {
			fmt.Fprintf(&line, "%d,%.1f ", x+chartStep/2, chartHeight-1-speed[i]/mostSpeed*(chartHeight-2))
		}
	}
	c.Goodput = strings.TrimSpace(line.String())
	c.MaxReset, c.MaxGoodput = fmt.Sprintf("%.1f %%", 100*mostReset), size(int64(mostSpeed))+"/s"
	return c
}
