package job

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
)

func (l *leg) manifestFile() string { return filepath.Join(l.t.Local, folder.ManifestName) }

// writeManifest writes the manifest of the source into it, unless the one that is there
// says the same: its time tells whether it was sent. A dry run writes none.
func (l *leg) writeManifest(ctx context.Context) error {
	f, err := os.CreateTemp("", folder.ManifestName)
	if err != nil {
		return fmt.Errorf("the manifest: %w", err)
	}
	defer os.Remove(f.Name())
	err = errors.Join(folder.WriteManifest(ctx, l.t.Local, f), f.Close())
	if err != nil {
		return fmt.Errorf("the manifest: %w", err)
	}
	data, err := os.ReadFile(f.Name())
	if err != nil {
		return fmt.Errorf("the manifest: %w", err)
	}
	if old, err := os.ReadFile(l.manifestFile()); err == nil && bytes.Equal(old, data) {
		return nil
	}
	if l.f.DryRun {
		l.planned = true
		rec := l.record(l.t, &Part{Local: l.t.Local}, folder.Item{Action: folder.Send, Path: folder.ManifestName, Size: int64(len(data)), Reason: "it would be written anew"}, true)
		l.tell(&rec)
		return nil
	}
	// In one piece: whoever copies the folder at the same moment finds the old or the new.
	tmp := filepath.Join(l.t.Local, "."+folder.ManifestName+".part")
	if err := os.WriteFile(tmp, data, 0o666); err != nil {
		return fmt.Errorf("the manifest: %w", err)
	}
	if err := os.Rename(tmp, l.manifestFile()); err != nil {
		return fmt.Errorf("the manifest: %w", err)
	}
	return nil
}

// sendManifest sends it, if it is not there.
func (l *leg) sendManifest(ctx context.Context, client ftpx.Client, base string) error {
	if l.planned {
		return nil
	}
	o := l.Options
	o.Delete, o.MaxDelete = false, 0
	o.Include, o.Exclude = nil, nil
	rep, err := l.copy(ctx, client, &Part{Local: l.t.Local, Remote: base, Names: []string{folder.ManifestName}}, o)
	l.sum.Unchanged += rep.Unchanged
	return err
}

// checkManifest compares what is here with the manifest that came along.
func (l *leg) checkManifest(ctx context.Context) {
	if l.f.DryRun {
		return
	}
	verify := func(rel string, err error) {
		rec := l.verified(filepath.Join(l.t.Local, filepath.FromSlash(rel)), rel, rel, err)
		l.tell(&rec)
	}
	f, err := os.Open(l.manifestFile())
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("the folder came without a manifest: have its sender write one, or do not ask for it: %w", err)
	}
	if err != nil {
		verify(folder.ManifestName, err)
		return
	}
	defer f.Close()
	for rel, err := range folder.CheckManifest(ctx, l.t.Local, f) {
		if err != nil && ctx.Err() != nil {
			return
		}
		verify(rel, err)
	}
}
