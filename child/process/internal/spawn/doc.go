// Package spawn starts a process in one step, in which everything is set that
// the process is to have.
//
// On Linux on amd64 and arm64 it forks and executes by itself. The child
// shares the memory of our program until it executes (vfork), and our table of
// descriptors until its first step, so that a start costs the same however much
// memory and however many descriptors we have. It runs no Go code but one loop
// over system calls that were planned before.
//
// It uses four things of Go that are not part of its API but that its authors
// keep for others (go.dev/issue/67401), or that its own package syscall relies
// on in the same place: runtime.entersyscall and runtime.exitsyscall, that
// functions marked nosplit neither grow the stack nor allocate, and that a
// stack does not move during a system call.
//
// It needs a system that keeps to the letter of vfork. Emulators that make a
// fork of it (QEMU's user mode) are told by [Start] as fork: function not
// implemented or invalid argument; a program for those is built with the tag
// below.
//
// Elsewhere, and under the build tag coppice_forkexec, it is syscall.ForkExec.
// What that cannot do is refused by [Supports], and it has these limits: the
// program's blocked and ignored signals and the descriptors that it was itself
// given without close-on-exec are passed on, a start costs more the more
// descriptors are open, a failure does not tell its step, and an exec that
// hangs holds up a garbage collection, and so the whole program.
//
// # Guarantees
//
// Each of these sentences is the name of a test.
//
//   - The child is what was asked.
//   - Its root is what was asked.
//   - The child enters its cgroup.
//   - The child has its descriptors and no others.
//   - A child may have no descriptors.
//   - A child may have more descriptors than one message carries.
//   - A child copies nothing of what we have open.
//   - The child has every signal by default and none blocked.
//   - The signals of the program stay as they are.
//   - The child has the limit of open files that we were started with.
//   - A failed step is named and leaves nothing.
//   - A child without a descriptor of its own starts.
//   - A fork instead of a vfork is refused.
//   - A child whose parent is gone does not execute.
//   - The child dies with us and not with a thread.
//   - An exec that hangs holds up nobody.
//   - An exec that hangs holds no descriptor of ours.
//   - A thousand start at once.
package spawn
