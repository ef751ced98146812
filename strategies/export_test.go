package strategies

// Room returns how many entries the window has memory for.
func (w *Window) Room() int { return len(w.ring) }
