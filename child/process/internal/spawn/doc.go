// Package spawn starts a process in one step.
package spawn
