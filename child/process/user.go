package process

// User says who a program runs as. The zero value is who we are. With another
// user the variables HOME, USER, LOGNAME and SHELL are that user's, unless Env
// sets them.
type User struct {
	// Name is the user's name or number. Optional; zero is us.
	Name string
	// Group is the group's name or number. Optional; zero is the user's own.
	Group string
	// Groups are the further groups, by name or number. Optional; nil are
	// those that the user belongs to.
	Groups []string
}

func (u User) isZero() bool { return u.Name == "" && u.Group == "" && u.Groups == nil }
