"""Rows with missing values and a column of categories, in three classes and in two: x.npy, many.y.npy, two.y.npy, and numbers to learn: z.npy."""
import numpy

draw = numpy.random.default_rng(3)
x = draw.standard_normal((600, 4)).astype("f4")
x[:, 3] = draw.integers(0, 9, 600)
y = (x[:, 0] > 0) * 1 + numpy.isin(x[:, 3], [1, 4, 8])
x[draw.random((600, 4)) < 0.05] = numpy.nan
numpy.save("x.npy", x)
numpy.save("many.y.npy", y.astype("i8"))
numpy.save("two.y.npy", (y > 0).astype("i8"))
numpy.save("z.npy", (100 + 3 * numpy.nan_to_num(x[:, 0])).astype("f4"))
