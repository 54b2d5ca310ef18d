#include "common/softmax.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

float softmax_exp(float x)
{
	/* The coefficients are those of Cephes' expf (S. Moshier), for |r| <= log(2) / 2. */
	static const float poly[] = { 1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f,
		4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f };
	int32_t power;
	uint32_t bits;
	float r, sum, scale;

	if (!(x > -87.0f))
		return x <= -87.0f ? 0.0f : x; /* NaN stays NaN */
	power = (int32_t)(x * 1.44269504f - 0.5f);
	r = x - (float)power * 0.693359375f;
	r -= (float)power * -2.12194440e-4f;
	sum = poly[0];
	for (size_t i = 1; i < sizeof poly / sizeof poly[0]; i++)
		sum = sum * r + poly[i];
	sum = sum * r * r + r + 1.0f;
	bits = (uint32_t)(power + 127) << 23;
	memcpy(&scale, &bits, sizeof scale);
	return sum * scale;
}

double softmax_row(float *row, size_t classes, size_t label)
{
	float highest = row[0], sum = 0.0f;
	double score;

	for (size_t i = 1; i < classes; i++)
		if (row[i] > highest)
			highest = row[i];
	score = (double)row[label] - (double)highest;
	for (size_t i = 0; i < classes; i++) {
		row[i] = softmax_exp(row[i] - highest);
		sum += row[i];
	}
	for (size_t i = 0; i < classes; i++)
		row[i] /= sum;
	return log((double)sum) - score;
}

size_t softmax_best(const float *row, size_t classes)
{
	size_t best = 0;

	for (size_t i = 1; i < classes; i++)
		if (row[i] > row[best])
			best = i;
	return best;
}
