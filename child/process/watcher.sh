# Its input never says anything: its end is that of the program. What the
# program then leaves behind is in the table, which is the descriptor 3: the
# numbers of groups, one a line. They are killed, and their descendants.
trap '' HUP INT QUIT TERM PIPE
cd /
read -r _
while read -r n; do
	[ -z "$n" ] || eval "g_$n=1"
done <&3

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
