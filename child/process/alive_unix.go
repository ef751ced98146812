//go:build unix

package process

import (
	"context"
	"syscall"
	"time"
)

// signalAlive signals those in scope, unless the leader has been waited for:
// then its number may be another's.
func (h *Handle) signalAlive(to Scope, sig syscall.Signal) error {
	h.alive.Lock()
	defer h.alive.Unlock()
	if h.buried {
		return ErrEnded
	}
	return h.proc.signal(to, sig)
}

// bury is called before the leader is waited for.
func (h *Handle) bury() {
	h.alive.Lock()
	defer h.alive.Unlock()
	h.buried = true
}

// reload climbs the ladder of a reload.
func (p *proc) reload(ctx context.Context) error {
	for _, rung := range p.rules.reloads() {
		if rung.Signal != 0 {
			if err := p.handle.signalAlive(rung.To, rung.Signal); err != nil {
				return err
			}
		} else {
			p.ask(context.WithoutCancel(ctx), rung) // whoever asks may not wait for what it does
		}
		if err := p.pause(ctx, rung.Wait); err != nil {
			return err
		}
	}
	return nil
}

func (p *proc) pause(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-p.handle.exited():
		return ErrEnded
	case <-ctx.Done():
		return ctx.Err()
	}
}
