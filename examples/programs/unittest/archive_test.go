package unittest

import (
	"errors"
	"io/fs"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
)

func TestArchive(t *testing.T) {
	c := ftpxtest.NewClient()
	defer c.Close()
	c.WriteFile("in/a.csv", []byte("a"), time.Now())

	c.FailNext("mkdir", fs.ErrPermission)
	if err := Archive(t.Context(), c, "in/a.csv"); ftpx.KindOf(err) != ftpx.KindPermission || c.Calls("rename") != 0 {
		t.Errorf("%v, %d renames", err, c.Calls("rename"))
	}
	c.FailNext("rename", ftpxtest.Fault(ftpx.KindBusy))
	if err := Archive(t.Context(), c, "in/a.csv"); ftpx.KindOf(err) != ftpx.KindBusy {
		t.Error(err)
	}
	for range 2 {
		if err := Archive(t.Context(), c, "in/a.csv"); err != nil {
			t.Error(err)
		}
	}
	if _, ok := c.ReadFile("in/archive/a.csv"); !ok {
		t.Error("it is not in the archive")
	}
}

// A server that is away for ten minutes costs no time in a test.
func TestArchiveWaitsForTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := ftpxtest.NewClient(ftpxtest.WithOptions(ftpx.Options{Retry: ftpx.RetryPolicy{MaxElapsed: time.Hour, MaxAttempts: 1000, InitialDelay: time.Second}}))
		defer c.Close()
		c.WriteFile("a.csv", []byte("a"), time.Now())
		c.Down()
		time.AfterFunc(10*time.Minute, c.Up)
		if err := Archive(t.Context(), c, "a.csv"); err != nil {
			t.Error(errors.Unwrap(err))
		}
	})
}
