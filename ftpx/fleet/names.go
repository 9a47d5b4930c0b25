package fleet

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
)

// The names in the engine. What stands here is an interface: programs in other languages
// may submit by it, see docs/fleet.md.
const (
	controlStream = "FTPX_CONTROL" // deadlines
	slotStream    = "FTPX_SLOTS"   // one message for each connection that a target allows
	deadStream    = "FTPX_DEAD"    // the last record of each dead job

	recordBucket = "FTPX_RECORDS" // what became of each job: several, with numbers
	stateBucket  = "FTPX_STATE"   // what all workers know of targets
	ledgerBucket = "FTPX_LEDGER"  // what mirrors have copied

	headerTry = "Ftpx-Try" // how often the job has been scheduled again

	expiredSubject = "ftpx.expired"
	wakePrefix     = "ftpx.new."
	wantPrefix     = "ftpx.want."
	eventPrefix    = "ftpx.event."
	cancelPrefix   = "ftpx.cancel."
	drainSubject   = "ftpx.drain"
)

const (
	// recordBuckets is how many buckets hold the records. Each write is synced, those of one
	// bucket one after the other or several as one; a disk syncs several files at once.
	recordBuckets = 1
	// oldRecordBuckets is how many there are where the layout does not say.
	oldRecordBuckets = 8
)

// shardOf is the stream that a target's jobs are in, or the bucket of a record.
func shardOf(target string, shards int) int {
	if shards <= 1 {
		return 0
	}
	h := fnv.New32a()
	h.Write([]byte(target))
	return int(h.Sum32() % uint32(shards))
}

func shardSuffix(shard int) string {
	if shard == 0 {
		return ""
	}
	return strconv.Itoa(shard)
}

func jobStream(shard int) string { return "FTPX_JOBS" + shardSuffix(shard) }

// jobSubject is where a job waits to be done, laterSubject where it waits for its time.
func jobSubject(shard int, c Class, target string) string {
	return fmt.Sprintf("ftpx.job%s.%s.%s", shardSuffix(shard), c, target)
}

func laterSubject(shard int, c Class, target, id string) string {
	return fmt.Sprintf("ftpx.later%s.%s.%s.%s", shardSuffix(shard), c, target, id)
}

func deadSubject(c Class, target, id string) string {
	return fmt.Sprintf("ftpx.dead.%s.%s.%s", c, target, id)
}

func slotSubject(target string, n int) string { return fmt.Sprintf("ftpx.slot.%s.%d", target, n) }

func deadlineSubject(id string) string { return "ftpx.deadline." + id }

func jobConsumer(c Class, target string) string { return target + "_" + string(c) }

// ofSubject takes class and target out of a subject that ends in them.
func ofSubject(subject string) (c Class, target string) {
	parts := strings.Split(subject, ".")
	if len(parts) < 2 {
		return "", ""
	}
	return Class(parts[len(parts)-2]), parts[len(parts)-1]
}
