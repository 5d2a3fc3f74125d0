/*
 * Anonymous write faults per second of the machine's own kernel, on small pages (MADV_NOHUGEPAGE): `fault THREADS MIB ROUNDS`.
 * Each thread writes a byte to every page of its own, table-aligned part of one mapping. Prints two numbers a round: faults a second
 * of elapsed time, all threads together, and faults a second of the threads' CPU time. The mapping is discarded (MADV_DONTNEED)
 * between rounds, outside the measured time.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#define PAGE 4096UL
#define TABLE (512 * PAGE)

static pthread_barrier_t barrier;
static char *area;
static size_t part;
static int rounds;
static double started[64], ended[64], used[64];

static double now(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static void *writer(void *arg)
{
	size_t me = (size_t)(uintptr_t)arg;
	char *begin = area + me * part;
	for (int round = 0; round < rounds; round++) {
		pthread_barrier_wait(&barrier);
		started[me] = now(CLOCK_MONOTONIC);
		used[me] = now(CLOCK_THREAD_CPUTIME_ID);
		for (char *p = begin; p < begin + part; p += PAGE)
			*(volatile char *)p = 1;
		used[me] = now(CLOCK_THREAD_CPUTIME_ID) - used[me];
		ended[me] = now(CLOCK_MONOTONIC);
		pthread_barrier_wait(&barrier);
		madvise(begin, part, MADV_DONTNEED);
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	int threads = argc > 1 ? atoi(argv[1]) : 1;
	size_t mib = argc > 2 ? (size_t)atoi(argv[2]) : 64;
	pthread_t ids[64];

	rounds = argc > 3 ? atoi(argv[3]) : 1;
	if (threads < 1 || threads > 64 || mib < 2 || rounds < 1) {
		fprintf(stderr, "usage: fault THREADS MIB ROUNDS\n");
		return 2;
	}
	part = mib << 20;
	area = mmap(NULL, part * threads + TABLE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	area = (char *)(((uintptr_t)area + TABLE - 1) & ~(TABLE - 1));
	madvise(area, part * threads, MADV_NOHUGEPAGE);
	pthread_barrier_init(&barrier, NULL, threads + 1);
	for (int i = 0; i < threads; i++)
		pthread_create(&ids[i], NULL, writer, (void *)(uintptr_t)i);
	for (int round = 0; round < rounds; round++) {
		double first = 0, last = 0, cpu = 0;
		pthread_barrier_wait(&barrier);
		pthread_barrier_wait(&barrier);
		for (int i = 0; i < threads; i++) {
			if (i == 0 || started[i] < first)
				first = started[i];
			if (i == 0 || ended[i] > last)
				last = ended[i];
			cpu += used[i];
		}
		printf("%.0f %.0f\n", threads * (part / PAGE) / (last - first), threads * (part / PAGE) / cpu);
		pthread_barrier_wait(&barrier);
	}
	for (int i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	return 0;
}
