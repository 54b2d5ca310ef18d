/*
 * How near the training step of a dense network comes to what the processor can multiply and add.
 *
 *     cmake --build build --target bench_step && build/tests/bench_step [threads [rounds]]
 *
 * mlp 784-512-256-10, batches of 256 byte images, AdamW: bytes to floats, both passes, the loss, the
 * update. By turns with a loop of fused multiply-adds that touches no memory, on as many threads. A
 * round's rates are its operations by the CPU time of the process, so that other work on the machine
 * takes caches and clock from both, but no time from either. Medians of the rounds. With more threads
 * than one a thread that waits asleep costs no CPU time: the share of the best rounds by the clock on
 * the wall says what that leaves out, on a machine that has nothing else to do.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/fault.h"
#include "common/text.h"
#include "nn/net.h"

#define ROWS       60000
#define COLUMNS    784
#define BATCH      256
#define STEPS      8 /* of a round */
#define TURNS      250000
#define CHAINS     24
#define THREADS    16
#define ROUNDS_MAX 1001

struct training {
	struct net net;
	uint8_t *pixels;
	int64_t *rows;
	float *scale, *shift, *target, *first, *second;
	double *loss;
	float step;
};

struct rates {
	double cpu[ROUNDS_MAX], wall[ROUNDS_MAX];
};

static double clock_of(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

#if defined(__x86_64__)
#define CHAIN(n)  "vfmadd231ps %%" WIDTH "14, %%" WIDTH "15, %%" WIDTH #n "\n"
#define TWELVE    CHAIN(0) CHAIN(1) CHAIN(2) CHAIN(3) CHAIN(4) CHAIN(5) CHAIN(6) CHAIN(7) CHAIN(8) CHAIN(9) \
	CHAIN(10) CHAIN(11)
#define CLOBBERED "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", \
	"xmm10", "xmm11", "xmm14", "xmm15"

/* Twelve chains of additions, two times a turn: more than any processor of today needs to be busy. */
static void *multiply_and_add(void *floats)
{
	long turns = TURNS;

	if (*(unsigned *)floats == 16) {
#define WIDTH "zmm"
		__asm__ volatile("1:\n" TWELVE TWELVE "dec %0\njnz 1b\n" : "+r"(turns)::CLOBBERED);
#undef WIDTH
	} else {
#define WIDTH "ymm"
		__asm__ volatile("1:\n" TWELVE TWELVE "dec %0\njnz 1b\n" : "+r"(turns)::CLOBBERED);
#undef WIDTH
	}
	return NULL;
}

static unsigned floats_of_vector(void)
{
	return __builtin_cpu_supports("avx512f") ? 16 : __builtin_cpu_supports("fma") ? 8 : 0;
}
#else
static void *multiply_and_add(void *floats)
{
	return floats;
}

static unsigned floats_of_vector(void)
{
	return 0;
}
#endif

/* Operations of one thread. */
static double peak(unsigned threads, unsigned floats)
{
	pthread_t thread[THREADS];
	unsigned count = 0;

	while (count + 1 < threads &&
		pthread_create(&thread[count], NULL, multiply_and_add, &floats) == 0)
		count++;
	(void)multiply_and_add(&floats);
	for (unsigned i = 0; i < count; i++)
		(void)pthread_join(thread[i], NULL);
	return (double)(count + 1) * TURNS * CHAINS * floats * 2;
}

static int make(struct training *t, unsigned threads)
{
	const struct net_design design = { .kind = NET_MLP,
		.height = 1,
		.width = 1,
		.channels = COLUMNS,
		.outputs = 10,
		.hidden = { 512, 256 },
		.hidden_count = 2,
		.activation = NN_RELU };
	struct fault fault;
	uint32_t state = 1;

	if (net_init(&t->net, &design, &nn_cpu, threads, &fault) < 0 ||
		net_reserve(&t->net, BATCH, 1, &fault) < 0)
		return -1;
	net_draw(&t->net, 1);
	t->pixels = array_new(ROWS, COLUMNS);
	t->rows = array_new(BATCH, sizeof *t->rows);
	t->scale = array_new(COLUMNS, sizeof(float));
	t->shift = array_new(COLUMNS, sizeof(float));
	t->target = array_new(BATCH, sizeof(float));
	t->first = array_new(t->net.weight_count, sizeof(float));
	t->second = array_new(t->net.weight_count, sizeof(float));
	t->loss = array_new(1, sizeof(double));
	for (size_t i = 0; i < (size_t)ROWS * COLUMNS; i++)
		t->pixels[i] = (uint8_t)((state = state * 1664525u + 1013904223u) >> 24);
	for (size_t j = 0; j < COLUMNS; j++) {
		t->scale[j] = 0.013f;
		t->shift[j] = -1.7f;
	}
	for (size_t i = 0; i < BATCH; i++)
		t->target[i] = (float)(i % 10);
	return 0;
}

static void update(struct training *t)
{
	t->step++;
	t->net.ops->adamw(t->net.device, &(struct nn_update){ .weight = t->net.weight,
						 .first = t->first,
						 .second = t->second,
						 .gradient = t->net.gradient,
						 .count = t->net.weight_count,
						 .rate = 1e-3f,
						 .decay = 0.01f,
						 .momentum = 0.9f,
						 .beta = 0.999f,
						 .epsilon = 1e-8f,
						 .correction = 1 / (1 - 0.9f / t->step),
						 .root_correction = 1 });
}

static void step(struct training *t)
{
	const struct net_mode mode = { .is_training = 1 };

	for (size_t i = 0; i < BATCH; i++)
		t->rows[i] = (int64_t)(((size_t)t->step * BATCH + i) * 7919 % ROWS);
	t->net.ops->gather(t->net.device, &(struct nn_gather){ .to = t->net.input,
						  .data = t->pixels,
						  .is_bytes = 1,
						  .rows = t->rows,
						  .count = BATCH,
						  .columns = COLUMNS,
						  .scale = t->scale,
						  .shift = t->shift });
	t->net.ops->loss(t->net.device, &(struct nn_loss){ .kind = NN_SOFTMAX,
						.rows = BATCH,
						.columns = 10,
						.score = net_forward(&t->net, BATCH, &mode),
						.target = t->target,
						.denominator = BATCH,
						.sum = t->loss });
	net_backward(&t->net, BATCH, &mode);
	update(t);
}

/* Multiplications and additions of the products of a step: nothing else is counted. */
static double operations(void)
{
	const double weights[] = { 784 * 512, 512 * 256, 256 * 10 };

	return 2.0 * BATCH * (2 * weights[0] + 3 * weights[1] + 3 * weights[2]);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void round_of(
	struct rates *r, int round, struct training *t, unsigned threads, unsigned floats)
{
	double cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID), wall = clock_of(CLOCK_MONOTONIC), done = 0;

	if (t == NULL)
		done = peak(threads, floats);
	for (int i = 0; t != NULL && i < STEPS; i++) {
		step(t);
		done += operations();
	}
	r->cpu[round] = done / (clock_of(CLOCK_PROCESS_CPUTIME_ID) - cpu);
	r->wall[round] = done / (clock_of(CLOCK_MONOTONIC) - wall);
}

int main(int argc, char **argv)
{
	static struct rates peaks, steps;
	static struct training training;
	unsigned threads = argc > 1 ? (unsigned)atoi(argv[1]) : 1, floats = floats_of_vector();
	int rounds = argc > 2 ? atoi(argv[2]) : 101, middle, last;
	double share[ROUNDS_MAX];

	if (floats == 0 || threads < 1 || threads > THREADS || rounds < 1 || rounds > ROUNDS_MAX ||
		make(&training, threads) < 0)
		return 77;
	for (int i = -1; i < rounds; i++) { /* the first one warms up */
		round_of(&peaks, i < 0 ? 0 : i, NULL, threads, floats);
		round_of(&steps, i < 0 ? 0 : i, &training, threads, floats);
		share[i < 0 ? 0 : i] = steps.cpu[i < 0 ? 0 : i] / peaks.cpu[i < 0 ? 0 : i];
	}
	middle = rounds / 2;
	last = rounds - 1;
	qsort(share, (size_t)rounds, sizeof *share, compare);
	qsort(peaks.cpu, (size_t)rounds, sizeof(double), compare);
	qsort(steps.cpu, (size_t)rounds, sizeof(double), compare);
	qsort(peaks.wall, (size_t)rounds, sizeof(double), compare);
	qsort(steps.wall, (size_t)rounds, sizeof(double), compare);
	printf("%u threads, vectors of %u floats: by CPU time peak %.1f, step %.1f GFLOP/s a thread: "
	       "%.0f %% of it (rounds %.0f to %.0f), %.0f samples per CPU-second\n",
		threads, floats, peaks.cpu[middle] / 1e9, steps.cpu[middle] / 1e9,
		100 * share[middle], 100 * share[rounds / 10], 100 * share[rounds * 9 / 10],
		steps.cpu[middle] / operations() * BATCH);
	printf("best rounds by the wall: peak %.1f, step %.1f GFLOP/s: %.0f %%\n",
		peaks.wall[last] / 1e9, steps.wall[last] / 1e9,
		100 * steps.wall[last] / peaks.wall[last]);
	return 0;
}
