// Package coppice is the front page of a library for supervision trees in the
// manner of Erlang/OTP. It holds no code; the packages below it do.
//
// A supervisor starts its children in order, watches them, restarts the ones
// that fail, and stops them in reverse order. A child is a goroutine, an
// operating system process, or another supervisor, so that a program becomes
// one tree in which every failure has somebody who answers for it. When
// restarting does not help, a supervisor gives up and its parent decides: no
// failure is retried for ever in a tight loop, and none is lost.
//
// # A first tree
//
// A tree is data. It is written as nested structs and started with one call:
//
//	tree := supervisor.Spec{
//		Name: "shop",
//		Children: []child.Specer{
//			child.Spec{Name: "cache", Run: process.Command{Path: "redis-server"}},
//			supervisor.Spec{
//				Name:     "ingest",
//				Strategy: strategies.OneForAll,
//				Children: []child.Specer{
//					child.Spec{Name: "reader", Run: child.Func(read)},
//					child.Spec{Name: "writer", Run: child.Func(write)},
//				},
//			},
//		},
//	}
//	err := supervisor.Run(ctx, tree)
//
// Here read and write are functions of the form func(context.Context) error.
// Run returns when ctx has ended and the tree has stopped, or when the root
// gave up; the error then tells which child was the cause.
//
// # Where to find what
//
//   - [github.com/coppice-go/coppice/supervisor] runs a tree: start, restart,
//     stop, calls on a running tree, snapshots and events. Start reading here.
//   - [github.com/coppice-go/coppice/child] says what can be supervised: the
//     Service a child runs, its Spec, and the Exit that tells how a run ended.
//   - [github.com/coppice-go/coppice/child/process] runs an operating system
//     process as a child.
//   - [github.com/coppice-go/coppice/child/isolated] runs a Go function in a
//     process of its own, a copy of the program.
//   - [github.com/coppice-go/coppice/child/probe] asks from outside whether a
//     child is ready or alive.
//   - [github.com/coppice-go/coppice/strategies] decides: which siblings share
//     the fate of a failed child, how many restarts are too many, and how long
//     to wait before the next one.
//   - [github.com/coppice-go/coppice/supervisor/supervisortest] is for tests of
//     trees of your own, [github.com/coppice-go/coppice/child/childtest] for
//     tests of services.
//   - [github.com/coppice-go/coppice/supervisor/systemd] tells systemd about
//     the tree of a program.
//   - [github.com/coppice-go/coppice/metrics] is the place of what operators
//     look at.
//   - [github.com/coppice-go/coppice/examples] holds programs to run and to
//     copy from.
//
// # What holds everywhere
//
// The zero value of a field is a choice and its comment says which; it is never
// an accident. A service written for [github.com/thejerf/suture/v4] is a child
// as it is. The words strategy, intensity, permanent, transient and temporary
// mean what they mean in OTP.
package coppice
