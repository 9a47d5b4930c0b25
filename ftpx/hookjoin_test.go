package ftpx_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

type nameKey struct{}

// named are hooks that note what they are told, and what contexts they are given.
func named(name string, told *[]string) *ftpx.Hooks {
	return &ftpx.Hooks{
		Operation: func(ctx context.Context, i ftpx.OperationInfo) (context.Context, func(ftpx.OperationEnd)) {
			*told = append(*told, fmt.Sprint(name, " begins ", i.Op, " in ", ctx.Value(nameKey{})))
			return context.WithValue(ctx, nameKey{}, name), func(e ftpx.OperationEnd) { *told = append(*told, fmt.Sprint(name, " ends ", e.Err)) }
		},
		Retry: func(context.Context, ftpx.RetryInfo) { *told = append(*told, name+" retry") },
		Conn:  func(ftpx.ConnInfo) { *told = append(*told, name+" conn") },
	}
}

// TestJoinHooks: starts in order, with the context of those before, and ends in reverse.
func TestJoinHooks(t *testing.T) {
	var told []string
	if ftpx.JoinHooks() != nil || ftpx.JoinHooks(nil, nil) != nil {
		t.Error("hooks out of nothing")
	}
	one := named("a", &told)
	if ftpx.JoinHooks(nil, one) != one {
		t.Error("one by itself is another")
	}
	silent := &ftpx.Hooks{Operation: func(context.Context, ftpx.OperationInfo) (context.Context, func(ftpx.OperationEnd)) { return nil, nil }}
	h := ftpx.JoinHooks(one, nil, silent, named("b", &told))
	if h.Attempt != nil || h.Alarm != nil || h.Progress != nil {
		t.Error("a hook that none of them has")
	}
	ctx, end := h.Operation(t.Context(), ftpx.OperationInfo{Op: "stat"})
	if ctx.Value(nameKey{}) != "b" {
		t.Error("the context is that of", ctx.Value(nameKey{}))
	}
	h.Retry(ctx, ftpx.RetryInfo{})
	h.Conn(ftpx.ConnInfo{})
	end(ftpx.OperationEnd{})
	want := []string{"a begins stat in <nil>", "b begins stat in a", "a retry", "b retry", "a conn", "b conn", "b ends <nil>", "a ends <nil>"}
	if !slices.Equal(told, want) {
		t.Errorf("%q", told)
	}
}

// TestJoinedHooksPanic: where one panics, those that have begun are ended.
func TestJoinedHooksPanic(t *testing.T) {
	var told []string
	panics := &ftpx.Hooks{Operation: func(context.Context, ftpx.OperationInfo) (context.Context, func(ftpx.OperationEnd)) { panic("begins") }}
	late := &ftpx.Hooks{Operation: func(context.Context, ftpx.OperationInfo) (context.Context, func(ftpx.OperationEnd)) {
		return nil, func(ftpx.OperationEnd) { panic("ends") }
	}}
	try := func(h *ftpx.Hooks) (panicked any) {
		defer func() { panicked = recover() }()
		_, end := h.Operation(t.Context(), ftpx.OperationInfo{})
		end(ftpx.OperationEnd{})
		return nil
	}
	if p := try(ftpx.JoinHooks(named("a", &told), panics)); p != "begins" || told[1] != "a ends "+ftpx.ErrNoReturn.Error() {
		t.Errorf("%v: %q", p, told)
	}
	told = nil
	if p := try(ftpx.JoinHooks(named("a", &told), late)); p != "ends" || len(told) != 2 || told[1] != "a ends <nil>" {
		t.Errorf("%v: %q", p, told)
	}
}
