// With "child" it prints its number and the time at which it began, and waits.
// With "parent", the same after starting a process that waits. With "loop" and
// further arguments it runs these again and again: the floor that a supervisor
// is measured against.
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (argc > 2 && strcmp(argv[1], "loop") == 0) {
		for (;;) {
			pid_t pid;
			if (posix_spawn(&pid, argv[2], NULL, NULL, argv + 2, environ) != 0) {
				return 1;
			}
			waitpid(pid, NULL, 0);
		}
	}
	if (argc > 1 && strcmp(argv[1], "parent") == 0 && fork() == 0) {
		pause();
		return 0;
	}
	char line[64];
	int n = snprintf(line, sizeof line, "%d %lld\n", (int)getpid(), now.tv_sec * 1000000000LL + now.tv_nsec);
	if (write(1, line, n) != n) {
		return 1;
	}
	for (;;) {
		pause();
	}
}
