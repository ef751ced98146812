package child

import "encoding/json"

// data is what of e can be shown: the text that was taken, never Err itself,
// which is the user's and may be in use.
func (e Exit) data() Data {
	var d Data
	d.Add("kind", e.Kind.String(), true)
	d.Add("reason", e.Reason.String(), e.Reason != NotTold)
	d.Add("core", true, e.Core)
	d.Add("temporary", true, e.Temporary)
	d.Add("code", e.Code, e.Kind == ExitCode)
	d.Add("signal", int(e.Signal), e.Signal != 0)
	d.Add("text", e.text, e.text != "")
	return d
}

// GoString shows the data of e and the text of Err, so that %#v does not look
// into Err.
func (e Exit) GoString() string { return "child.Exit" + e.data().String() }

// MarshalJSON shows the data of e as an object: its kind, what else is not
// zero, and the text of Err. Err itself is not looked into.
func (e Exit) MarshalJSON() ([]byte, error) { return e.data().MarshalJSON() }

// GoString shows the text of e, so that %#v does not look into Value.
func (e *PanicError) GoString() string { return "child.PanicError{" + e.text + "}" }

// MarshalJSON shows the text of e as a string. Value is not looked into.
func (e *PanicError) MarshalJSON() ([]byte, error) { return json.Marshal(e.text) }
