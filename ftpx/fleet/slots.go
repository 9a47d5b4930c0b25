package fleet

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// maxConnections is the most that one target may have.
const maxConnections = 256

// register makes what a target needs in the engine: its slots, its consumers and its entry in
// the state bucket. It may be repeated, by any worker.
func (f *Fleet) register(ctx context.Context, target string, connections int) error {
	if _, err := f.slots.CreateOrUpdateConsumer(ctx, f.slotConsumer(target, connections)); err != nil {
		return fmt.Errorf("target %s: its slots: %w", target, err)
	}
	for n := range connections {
		if _, err := f.js.Publish(ctx, slotSubject(target, n), []byte(target)); err != nil && !isThere(err) {
			return fmt.Errorf("target %s: its slots: %w", target, err)
		}
	}
	if err := f.removeSlots(ctx, target, connections); err != nil {
		return fmt.Errorf("target %s: its slots: %w", target, err)
	}
	shard, st := f.jobsOf(target)
	for _, c := range classes() {
		cfg := jetstream.ConsumerConfig{Durable: jobConsumer(c, target), FilterSubject: jobSubject(shard, c, target),
			AckPolicy: jetstream.AckExplicitPolicy, AckWait: f.time.ackWait, MaxDeliver: -1, MaxAckPending: connections * atOnce}
		if old, err := st.Consumer(ctx, cfg.Durable); err == nil {
			cfg.PauseUntil = old.CachedInfo().Config.PauseUntil // or it would be resumed
		}
		if _, err := st.CreateOrUpdateConsumer(ctx, cfg); err != nil {
			return fmt.Errorf("target %s: its consumer %s: %w", target, cfg.Durable, err)
		}
	}
	_, err := f.state.Put(ctx, targetKey(target), fmt.Appendf(nil, `{"connections":%d}`, connections))
	return err
}

// isThere reports whether a message was refused because its subject has one: that it is there
// is what was wanted.
func isThere(err error) bool {
	const storeFailed = 10077 // the server's code for whatever keeps a message from being stored
	var api *jetstream.APIError
	return errors.As(err, &api) && api.ErrorCode == storeFailed && strings.Contains(api.Description, "per subject")
}

func slotConsumerName(target string) string { return target }

func (f *Fleet) slotConsumer(target string, connections int) jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{Durable: slotConsumerName(target), FilterSubject: "ftpx.slot." + target + ".*",
		AckPolicy: jetstream.AckExplicitPolicy, AckWait: f.time.ackWait, MaxDeliver: -1, MaxAckPending: connections}
}

// removeSlots takes away those beyond a limit that has become lower. One that is held goes
// when its holder gives it back.
func (f *Fleet) removeSlots(ctx context.Context, target string, connections int) error {
	info, err := f.slots.Info(ctx, jetstream.WithSubjectFilter("ftpx.slot."+target+".*"))
	if err != nil {
		return err
	}
	for n := connections; n < maxConnections; n++ {
		subject := slotSubject(target, n)
		if info.State.Subjects[subject] == 0 {
			continue
		}
		if err := f.slots.Purge(ctx, jetstream.WithPurgeSubject(subject)); err != nil {
			return err
		}
	}
	return nil
}
