/*
 * Does to its address space what it is told and says what came of it, for the validation of the model against the
 * machine's kernel. Reads lines `PROCESS CALL A B C D E F` of numbers, page numbers counted from a base that nothing
 * else is near; prints one line each:
 *
 *   `= RESULT FAULT SIGNAL VALUE`   what the call returned (a negative errno, or for mmap and mremap a page), whether a
 *                                   load or store faulted (by the minor-fault counter), its signal, what a load found
 *   `: PROCESS START END RSS ANON FLAGS…`  in the end, for each mapping near the base, what /proc/PID/smaps says (kB)
 *
 * A process is a process of the machine, forked by the one that is told to; one acts at a time.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096L
/* The middle of a PTE table's range, so that two tables are in reach. */
#define BASE 0x2000001e0000L
#define NEAR 512
#define PROCESSES 5
#define OBJECTS 2
#define OBJECT_PAGES 24

enum { READ, WRITE, MMAP, MUNMAP, MPROTECT, MREMAP, MADVISE, FORK, EXIT, DUMP };

/* Shared by all processes, so that talking makes no copies on write. */
struct talk {
	long command[8];
	long result, fault, signal, value;
	struct rusage before, after;
	char text[1 << 18];
};

static struct talk *talk;
static int wake[PROCESSES][2], done[2], object[OBJECTS];
static sigjmp_buf back;

static void on_signal(int number)
{
	talk->signal = number;
	siglongjmp(back, 1);
}

static volatile int *word(long page)
{
	return (volatile int *)(BASE + page * PAGE);
}

/* One access. The processes' own pages are warm after a first call with a word of `talk`. */
static __attribute__((noinline)) void access_word(volatile int *at, int write, int value)
{
	talk->signal = 0;
	talk->value = 0;
	if (sigsetjmp(back, 1) == 0) {
		getrusage(RUSAGE_SELF, &talk->before);
		if (write)
			*at = value;
		else
			talk->value = *at;
		getrusage(RUSAGE_SELF, &talk->after);
	}
	talk->fault = talk->signal ? 0 : talk->after.ru_minflt - talk->before.ru_minflt;
}

static long page_or_errno(void *at)
{
	return at == MAP_FAILED ? -errno : ((long)at - BASE) / PAGE;
}

static void worker(int self);

/* What smaps says of the mappings near the base. */
static void dump(int self)
{
	static char line[4096];
	FILE *file = fopen("/proc/self/smaps", "r");
	int near = 0;
	char *out = talk->text;

	while (file && fgets(line, sizeof line, file)) {
		unsigned long start, end;
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2 && strchr(line, '-') < line + 17) {
			near = (long)start > BASE - NEAR * PAGE && (long)end < BASE + NEAR * PAGE;
			if (near)
				out += sprintf(out, ": %d %ld %ld", self, ((long)start - BASE) / PAGE, ((long)end - BASE) / PAGE);
		} else if (near && (strncmp(line, "Rss:", 4) == 0 || strncmp(line, "Anonymous:", 10) == 0)) {
			out += sprintf(out, " %ld", atol(strchr(line, ':') + 1));
		} else if (near && strncmp(line, "VmFlags:", 8) == 0) {
			out += sprintf(out, "%s", line + 8);
		}
	}
	if (file)
		fclose(file);
	*out = 0;
}

static void obey(int self)
{
	long *c = talk->command;
	int child = c[2];
	pid_t pid;

	talk->result = talk->fault = talk->signal = talk->value = 0;
	switch (c[1]) {
	case READ:
	case WRITE:
		access_word((volatile int *)&talk->text[0], c[1] == WRITE, 0);
		access_word(word(c[2]), c[1] == WRITE, c[3]);
		break;
	case MMAP:
		talk->result = page_or_errno(mmap((void *)word(c[2]), c[3] * PAGE, c[4], c[5],
						  c[6] < 0 ? -1 : object[c[6]], c[6] < 0 ? 0 : c[7] * PAGE));
		break;
	case MUNMAP:
		talk->result = munmap((void *)word(c[2]), c[3] * PAGE) ? -errno : 0;
		break;
	case MPROTECT:
		talk->result = mprotect((void *)word(c[2]), c[3] * PAGE, c[4]) ? -errno : 0;
		break;
	case MREMAP:
		talk->result = page_or_errno(
			mremap((void *)word(c[2]), c[3] * PAGE, c[4] * PAGE, c[5], (void *)word(c[6])));
		break;
	case MADVISE:
		talk->result = madvise((void *)word(c[2]), c[3] * PAGE, c[4]) ? -errno : 0;
		break;
	case FORK:
		pid = fork();
		if (pid == 0)
			worker(child);
		talk->result = pid < 0 ? -errno : 0;
		break;
	case DUMP:
		dump(self);
		break;
	}
}

static void worker(int self)
{
	char byte;

	while (read(wake[self][0], &byte, 1) == 1) {
		int last = talk->command[1] == EXIT;
		if (!last)
			obey(self);
		else
			munmap((void *)word(-NEAR), 2 * NEAR * PAGE);
		if (write(done[1], "", 1) != 1 || last)
			break;
	}
	_exit(0);
}

static void tell(long process)
{
	char byte;

	if (write(wake[process][1], "", 1) != 1 || read(done[0], &byte, 1) != 1)
		exit(1);
}

int main(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_NODEFER };
	int alive[PROCESSES] = { 1 };
	static char line[256];

	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	signal(SIGCHLD, SIG_IGN);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	talk = mmap(NULL, sizeof *talk, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	for (int i = 0; i < OBJECTS; i++) {
		object[i] = memfd_create("object", 0);
		if (object[i] < 0 || ftruncate(object[i], OBJECT_PAGES * PAGE))
			return 1;
	}
	if (talk == MAP_FAILED || pipe(done))
		return 1;
	for (int i = 0; i < PROCESSES; i++)
		if (pipe(wake[i]))
			return 1;
	if (fork() == 0) {
		/* A process whose controller is gone ends with it. */
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		worker(0);
	}
	while (fgets(line, sizeof line, stdin)) {
		long *c = talk->command;
		memset(c, 0, sizeof talk->command);
		sscanf(line, "%ld %ld %ld %ld %ld %ld %ld %ld", c, c + 1, c + 2, c + 3, c + 4, c + 5, c + 6, c + 7);
		if (c[1] == FORK)
			alive[c[2]] = 1;
		if (c[1] == EXIT)
			alive[c[0]] = 0;
		talk->result = talk->fault = talk->signal = talk->value = 0;
		tell(c[0]);
		printf("= %ld %ld %ld %ld\n", talk->result, talk->fault, talk->signal, talk->value);
	}
	for (int i = 0; i < PROCESSES; i++) {
		if (!alive[i])
			continue;
		talk->command[1] = DUMP;
		tell(i);
		fputs(talk->text, stdout);
	}
	for (int i = 0; i < PROCESSES; i++) {
		talk->command[1] = EXIT;
		if (alive[i])
			tell(i);
	}
	return 0;
}
