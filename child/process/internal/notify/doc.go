// Package notify is the supervisor's side of systemd's notify protocol, the one
// of sd_notify(3): a process says that it is ready, alive, reloading, stopping,
// or busy with something, in datagrams to a socket that it finds by the variable
// NOTIFY_SOCKET.
//
// Each process has a [Socket] of its own, in a directory of its own, so that one
// that floods its socket takes nothing from a sibling and a late datagram is
// never taken for a successor's. [Parse] is the pure part.
//
// # Who may speak
//
// The directory is ours and only we enter it. If the process has another user,
// its directory can be passed through but not listed or changed, and the socket
// belongs to that user and to nobody else. The kernel tells who sent a datagram:
// it is taken if its user is the process's or ours, and if its sender is of the
// child (which the caller decides) or has ended already. The latter is common:
// programs such as systemd-notify send one datagram and are gone.
//
// # Guarantees
//
// Each of these sentences is the name of a test.
//
//   - Every field of the list is delivered in the order of sending.
//   - A status is one line of printable text and at most a kilobyte.
//   - A stranger is refused and counted.
//   - Another user is refused and counted.
//   - A process of another user reaches its own socket and no other.
//   - A sender that has ended already is heard.
//   - A main process is taken only while it lives and is a member and it is pinned.
//   - A barrier falls when everything before it was delivered.
//   - No descriptor that is sent stays open.
//   - A datagram that is too long or not understood harms nothing.
//   - At most a hundred datagrams are read in any second.
//   - Four that flood cost a sibling nothing.
//   - Close delivers what was sent before and leaves nothing behind.
//   - A place that is too long or out of reach is an error that says so.
//   - Systemd notify is understood.
//
// Only Linux tells who sent a datagram; elsewhere Listen says that it cannot.
package notify
