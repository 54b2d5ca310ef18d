/*
 * nn/ops.h - what a device must be able to do for a network to be trained on it: one table.
 *
 *     const struct nn_ops *ops = &nn_cpu;                    or &nn_ref, or a plugin's
 *     struct nn_device *d = ops->open(threads);
 *     float *x = ops->alloc(d, bytes);  ops->upload(d, x, host, bytes);
 *     ops->product(d, &(struct nn_product){ ... });
 *     ops->download(d, host, x, bytes);  ops->release(d, x);  ops->close(d);
 *
 * Memory of a device has addresses that only its own operations may follow: alloc() gives them,
 * arithmetic on them is allowed, upload() and download() are the only ways in and out. That they
 * can be read directly on the CPU is nobody's business above this table. Operations run in the
 * order they are called and may return before they are done; download() and sync() wait. Nothing
 * in a step needs the host to look: rates and counters go in by value, losses and norms add up in
 * numbers of the device.
 *
 * Matrices are [rows][columns], rows contiguous; images are [row][height][width][channel], so that
 * a convolution's output is a matrix of channels. Weights of products are [in][out]. Every
 * operation gives the same bits for any number of threads: sums are cut into parts by the shape
 * alone and added up in order. Operands may not overlap unless said so. No operation can fail;
 * shapes are the caller's to check, and memory that is not there ends the attempt (text.h).
 */
#ifndef FLOW_STAGES_NN_OPS_H
#define FLOW_STAGES_NN_OPS_H

#include <stddef.h>
#include <stdint.h>

#define NN_ABI 1u

struct nn_device;

/* The part of an image that is stretched over all of it, in pixels; what lies beyond its border is 0. */
struct nn_view {
	float top, left, height, width;
	int is_mirrored; /* left and right */
};

/* to[i] = data[rows[i]] * scale + shift, column by column. data: of the host, as place() gave it. */
struct nn_gather {
	float *to;
	const void *data; /* bytes or floats, by is_bytes */
	int is_bytes;
	const int64_t *rows; /* of the host */
	size_t count, columns;
	const float *scale, *shift; /* [columns] */
	/* [count], of the host: each row is an image of that size, seen so, between four pixels by
	 * their weights. NULL: as it lies. */
	const struct nn_view *view;
	size_t height, width, channels;
};

/* One category of a row and what stands for it: a table of numbers, a row for each code. Column
 * `column` of x is the code, a whole number from 0; what is no code of the table takes its last row. */
struct nn_table {
	size_t column, rows, width;
	size_t weight; /* where the table begins in nn_embed.weight */
	int is_frozen;
};

/* y = the plain columns of x, then the rows of the tables. Lists are of the host. Backward only the
 * tables get a slope, their last rows excepted: these stay what they are. */
struct nn_embed {
	size_t rows, columns; /* of x */
	const size_t *plain;
	size_t plain_count;
	const struct nn_table *table;
	size_t table_count;
	size_t outputs; /* columns of y */
	const float *x, *weight;
	float *y;
	const float *dy;
	float *dweight; /* as weight; tables that are frozen are left alone */
};

/* Rows that are short lists: to[i] = bias + the sum of share[k] * from[index[k]] over the entries k of
 * the row, from begin[i] to begin[i + 1]. The lists are of the host. Forward `from` is the weight and
 * an index a cell; backward `from` is the slope and an index a row. */
struct nn_bag {
	size_t rows, columns;
	const size_t *begin;
	const uint32_t *index;
	const float *share;
	const float *from;
	const float *bias; /* [columns]; NULL: none */
	float *to;
};

/* c = a b, and what can be done to c while it is at hand. */
struct nn_product {
	size_t rows, columns, depth;
	const float *a, *b;
	int a_turned; /* a lies as [depth][rows] */
	int b_turned; /* b lies as [columns][depth] */
	float *c;
	const float *bias; /* [columns], added; NULL: none */
	int relu;          /* then max(c, 0) */
	const float
		*gate; /* as c; c is 0 where gate is not above 0: the slope of a ReLU. NULL: none */
};

/* A square window over images; the convolution's weight is [size][size][channels][outputs]. */
struct nn_conv {
	size_t count, height, width, channels, outputs;
	size_t size, pad; /* stride 1 */
	const float *x, *weight, *bias;
	float *y;        /* conv */
	int relu;        /* conv: max(y, 0) */
	const float *dy; /* both backward ones */
	float *dweight;  /* conv_back_weight */
	float *dx;       /* conv_back_input */
};

/* Non-overlapping windows of `size`; what does not fill a window is left out. size 0: the mean over
 * the whole image. */
struct nn_pool {
	size_t count, height, width, channels, size;
	const float *x, *dy;
	float *y, *dx;
};

enum nn_activation { NN_RELU, NN_GELU };

/* One value from one or two others. */
struct nn_map {
	float *to; /* may be `a` */
	const float *a, *b;
	size_t count;
	enum nn_activation kind; /* activate, activate_back */
	float share;             /* blend */
	float keep;              /* dropout: chance to stay */
	uint64_t seed;           /* dropout: the numbers are a function of seed, stream and index */
	uint32_t stream[2];
};

/* Both norms: y = (x - mean) / sqrt(variance + 1e-5) * gain + shift; over a row (layer norm) or over
 * a column (batch norm). */
struct nn_norm {
	size_t rows, columns;
	const float *x, *gain, *shift;
	float *y;
	int relu;     /* y = max(y, 0) */
	float *stats; /* layer: [rows][2] mean, 1/deviation; batch: [3][columns] with the unbiased
			  variance last */
	const float *mean, *variance; /* batch_norm_apply: what was kept of training */
	const float *dy;
	float *dx, *dgain, *dshift;
};

enum nn_loss_kind { NN_SOFTMAX, NN_SIGMOID, NN_SQUARED, NN_HUBER, NN_QUANTILE };

/* Scores become d(loss / denominator)/d(score), in place; every row's loss is added to *sum. */
struct nn_loss {
	enum nn_loss_kind kind;
	size_t rows, columns;
	float *score;
	const float *target; /* softmax: [rows] the class; else as score */
	const float *weight; /* [columns] of the class (softmax, sigmoid's positives); NULL: 1 */
	float smoothing;     /* softmax: what is taken from the truth and spread over all */
	float delta;         /* Huber's border, or the quantile */
	float denominator;
	double *sum;
};

struct nn_sum {
	double *to; /* added to, unless is_first */
	const float *x;
	size_t count;
	int is_first;
};

/* One step of the optimiser; the gradient is multiplied by min(1, clip / sqrt(*norm)). */
struct nn_update {
	float *weight, *first, *second; /* SGD has no second */
	const float *gradient;
	size_t count;
	float rate, decay;
	float shrink;   /* L1: how much nearer to 0 every weight is brought after the step, not across it */
	float momentum; /* SGD's, AdamW's first beta */
	float beta;     /* AdamW's second */
	float epsilon;
	float correction, root_correction; /* 1 / (1 - beta1^t), 1 / sqrt(1 - beta2^t) */
	int nesterov;
	float clip; /* 0: never */
	const double *norm;
	/* Of some rows only: gradient row i is weight row row[i]; count is theirs. NULL: of all. */
	const uint32_t *row; /* of the host, each once */
	size_t columns;
};

struct nn_ops {
	unsigned abi, size;
	const char *name;
	struct nn_device *(*open)(unsigned threads);
	void (*close)(struct nn_device *d);
	void *(*alloc)(struct nn_device *d, size_t bytes);  /* zeroed */
	void (*release)(struct nn_device *d, void *memory); /* NULL: nothing */
	void (*upload)(struct nn_device *d, void *to, const void *from, size_t bytes);
	void (*download)(struct nn_device *d, void *to, const void *from, size_t bytes);
	void (*copy)(struct nn_device *d, void *to, const void *from, size_t bytes);
	void (*sync)(struct nn_device *d);

	void (*gather)(struct nn_device *d, const struct nn_gather *g);
	void (*product)(struct nn_device *d, const struct nn_product *p);
	void (*column_sum)(
		struct nn_device *d, float *to, const float *x, size_t rows, size_t columns);
	void (*conv)(struct nn_device *d, const struct nn_conv *c);
	void (*conv_back_weight)(struct nn_device *d, const struct nn_conv *c);
	void (*conv_back_input)(struct nn_device *d, const struct nn_conv *c);
	void (*pool)(struct nn_device *d, const struct nn_pool *p);
	void (*pool_back)(struct nn_device *d, const struct nn_pool *p);
	void (*add)(struct nn_device *d, const struct nn_map *m);           /* a + b */
	void (*activate)(struct nn_device *d, const struct nn_map *m);      /* f(a) */
	void (*activate_back)(struct nn_device *d, const struct nn_map *m); /* a f'(b) */
	void (*dropout)(struct nn_device *d, const struct nn_map *m);       /* a / keep or 0 */
	void (*blend)(struct nn_device *d, const struct nn_map *m); /* to += share (a - to) */
	void (*layer_norm)(struct nn_device *d, const struct nn_norm *n);
	void (*layer_norm_back)(struct nn_device *d, const struct nn_norm *n);
	void (*batch_norm)(struct nn_device *d, const struct nn_norm *n);
	void (*batch_norm_apply)(struct nn_device *d, const struct nn_norm *n);
	void (*batch_norm_back)(struct nn_device *d, const struct nn_norm *n);
	void (*loss)(struct nn_device *d, const struct nn_loss *l);
	void (*sum_squares)(struct nn_device *d, const struct nn_sum *s);
	void (*adamw)(struct nn_device *d, const struct nn_update *u);
	void (*sgd)(struct nn_device *d, const struct nn_update *u);
	void (*embed)(struct nn_device *d, const struct nn_embed *e);
	void (*embed_back)(struct nn_device *d, const struct nn_embed *e);
	void (*bag)(struct nn_device *d, const struct nn_bag *b);
};

#define NN_NORM_EPSILON 1e-5f

/* Plain loops, double accumulators, one thread: what the others are checked against. */
extern const struct nn_ops nn_ref;
/* The product: our own kernels for each width of vector, our own threads. */
extern const struct nn_ops nn_cpu;

#endif
