# It reads the groups of a program from its input, as "+ 123" and "- 123". At
# the end of the input the program is gone, and what is left of the groups and
# of their descendants is killed.
trap '' HUP INT QUIT TERM PIPE
cd /
while read -r op n; do
	case $op in
	+) eval "g_$n=1" ;;
	-) unset "g_$n" ;;
	esac
done

# groups kills the groups.
groups() {
	set | while IFS='=' read -r name _; do
		case $name in g_[0-9]*) kill -s KILL -- "-${name#g_}" 2>/dev/null ;; esac
	done
}

# note takes a line of /proc/PID/stat that says who is whose child.
note() {
	read -r line <"/proc/$1/stat" || return
	pid=$1
	set -- ${line##*) }
	case $1 in Z | X) return ;; esac
	all="$all $pid"
	eval "p_$pid=$2 hit=\${g_$3-}"
	[ -z "$hit" ] || { eval "m_$pid=1" && found="$found $pid"; }
}

# spread marks the children of who is marked, until there are no more.
spread() {
	more=1
	while [ -n "$more" ]; do
		more=
		for pid in $all; do
			eval "hit=\${m_$pid-} parent=\$p_$pid"
			[ -z "$hit" ] || continue
			eval "hit=\${m_$parent-}"
			[ -z "$hit" ] || { eval "m_$pid=1" && found="$found $pid" more=1; }
		done
	done
}

for round in 1 2 3; do
	all= found=
	for dir in /proc/[0-9]*; do
		note "${dir#/proc/}" 2>/dev/null
	done
	spread
	groups
	[ -n "$found" ] || break
	kill -s KILL $found 2>/dev/null
done
