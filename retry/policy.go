package retry

import (
	"time"

	"github.com/cenkalti/backoff/v4"
)

// Defaults of a [Policy].
const (
	// DefaultMaxAttempts is how many attempts without progress are made.
	DefaultMaxAttempts = 10
	// DefaultInitialDelay is the delay after the first attempt that moved nothing.
	DefaultInitialDelay = 200 * time.Millisecond
	// DefaultMaxDelay is the longest delay, jitter included.
	DefaultMaxDelay = 30 * time.Second
	// DefaultMultiplier is how much longer each delay is than the one before.
	DefaultMultiplier = 2.0
	// DefaultJitter is the share of a delay by which it varies up and down.
	DefaultJitter = 0.3
	// DefaultBusyDelay is the delay after the first answer of a full server.
	DefaultBusyDelay = time.Second

	// MaxRetryAfter is the longest wait that a server can ask for, because its
	// replies are hostile input.
	MaxRetryAfter = 5 * time.Minute

	// progressDelay follows an attempt that got further. It is there so that
	// a thousand clients whose connections were reset together do not return
	// in the same millisecond.
	progressDelay = 20 * time.Millisecond
)

// Policy says how long to retry, and with which delays. The zero value means the
// defaults. A Policy is not changed by use, and may be used by many goroutines
// at once.
//
// With the defaults, a line that moves nothing is given up after ten attempts,
// in about a minute and a half. A server that is full is given up after ten
// attempts, in about two and a half minutes.
type Policy struct {
	// MaxAttempts is how many attempts without progress are made before
	// giving up. 0 means [DefaultMaxAttempts], or no bound if MaxElapsed is
	// set. Negative means no bound by count.
	MaxAttempts int
	// MaxElapsed is how long to retry without progress; 0 means no limit by
	// time. The clock starts with the first attempt, and restarts when an
	// attempt fails that got further. MaxElapsed does not interrupt an
	// attempt: the last one starts before the time has run out. Without a
	// limit by count and by time, only the context ends the loop.
	MaxElapsed time.Duration

	// InitialDelay is the delay after the first attempt that moved nothing;
	// 0 or less means [DefaultInitialDelay].
	InitialDelay time.Duration
	// MaxDelay is the longest delay, jitter included; 0 or less means
	// [DefaultMaxDelay]. A server that asks for more gets it, up to [MaxRetryAfter].
	MaxDelay time.Duration
	// Multiplier is how much longer each delay is than the one before; below
	// 1 it means [DefaultMultiplier].
	Multiplier float64
	// Jitter is the share, 0 to 1, of a delay by which it varies at random up
	// and down. 0 means [DefaultJitter], negative none.
	Jitter float64
	// BusyDelay is the delay after the first [Busy] attempt; 0 or less means
	// [DefaultBusyDelay]. Later ones grow by Multiplier up to MaxDelay.
	BusyDelay time.Duration

	// Classify, if not nil, is called first. If it returns 0, [Classify] decides.
	Classify func(error) Class
}

// normal returns p with the defaults filled in and every value in its range.
func (p Policy) normal() Policy {
	if p.MaxAttempts == 0 && p.MaxElapsed <= 0 {
		p.MaxAttempts = DefaultMaxAttempts
	}
	p.InitialDelay = orDefault(p.InitialDelay, DefaultInitialDelay)
	p.MaxDelay = orDefault(p.MaxDelay, DefaultMaxDelay)
	p.BusyDelay = orDefault(p.BusyDelay, DefaultBusyDelay)
	if !(p.Multiplier >= 1) { // NaN too
		p.Multiplier = DefaultMultiplier
	}
	switch {
	case p.Jitter == 0 || p.Jitter != p.Jitter:
		p.Jitter = DefaultJitter
	case p.Jitter < 0:
		p.Jitter = 0
	}
	p.Jitter = min(p.Jitter, 1)
	if p.Classify == nil {
		p.Classify = Classify
	}
	return p
}

func orDefault(d, def time.Duration) time.Duration {
	if d <= 0 {
		return def
	}
	return d
}

// sequence returns the generator of the delays that begin with first. backoff
// caps the delay before it varies it, so the cap is set lower by the jitter:
// no delay is longer than MaxDelay, and long ones vary like the others.
func (p Policy) sequence(first time.Duration) *backoff.ExponentialBackOff {
	top := time.Duration(float64(p.MaxDelay) / (1 + p.Jitter))
	return backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(min(first, top)),
		backoff.WithMaxInterval(top),
		backoff.WithMultiplier(p.Multiplier),
		backoff.WithRandomizationFactor(p.Jitter),
		backoff.WithMaxElapsedTime(0), // the budget is kept in the loop
	)
}
