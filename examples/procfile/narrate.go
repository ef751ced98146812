package main

import (
	"context"
	"fmt"
	"path"
	"time"

	"github.com/coppice-go/coppice/child"
	"github.com/coppice-go/coppice/supervisor"
)

// narrate says what happens in the tree, until it has ended.
func (c *crew) narrate() {
	out := c.writer(system)
	for event := range c.sup.Events(context.Background(), 0) {
		if event.Path == c.sup.String() {
			continue
		}
		if text := c.tell(event); text != "" {
			out.say("%s", text)
		}
	}
}

func (c *crew) tell(e supervisor.Event) string {
	name := path.Base(e.Path)
	switch e.Kind {
	case supervisor.ChildStarted:
		status, err := c.sup.Find(e.Path).Status()
		if err == nil && status.Incarnation == e.Incarnation && status.Facts.PID != 0 {
			return fmt.Sprintf("%s started with pid %d", name, status.Facts.PID)
		}
		return name + " started"
	case supervisor.ChildExited:
		text := fmt.Sprintf("%s ended: %s", name, e.Exit)
		if e.Reason != child.NotTold && !e.Exit.Abnormal() {
			text = name + " stopped"
		}
		if e.Next == supervisor.Restarts {
			text += "; starts again"
		}
		if e.Wait > 0 {
			text += " in " + e.Wait.Round(time.Millisecond).String()
		}
		return text
	case supervisor.ChildKilled:
		return name + " has not ended in time and is killed"
	case supervisor.SupervisorGaveUp:
		return fmt.Sprintf("%s ends all: %s", name, e.Exit)
	case supervisor.Missed:
		return fmt.Sprintf("%d events are missing here", e.Missed)
	}
	return ""
}
