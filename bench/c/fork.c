/*
 * Nanoseconds that fork() takes for each mapped page on the machine's own kernel: `fork MIB ROUNDS`. Every page is written before each
 * fork, so that the copy finds it writable; the child exits at once. Prints one number a round: the parent's CPU time in fork() by pages.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096UL

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
	size_t mib = argc > 1 ? (size_t)atoi(argv[1]) : 64;
	int rounds = argc > 2 ? atoi(argv[2]) : 1;
	size_t length = mib << 20;
	char *area = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	madvise(area, length, MADV_NOHUGEPAGE);
	for (int round = 0; round < rounds; round++) {
		for (size_t at = 0; at < length; at += PAGE)
			((volatile char *)area)[at] = 1;
		double begin = now();
		pid_t pid = fork();
		double end = now();
		if (pid == 0)
			_exit(0);
		if (pid < 0) {
			perror("fork");
			return 1;
		}
		waitpid(pid, NULL, 0);
		printf("%.3f\n", (end - begin) * 1e9 / (length / PAGE));
		fflush(stdout);
	}
	return 0;
}
