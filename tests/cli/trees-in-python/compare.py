"""XGBoost in Python predicts with flow's models what flow does."""
import numpy, xgboost

x = numpy.load("x.npy")
rows = xgboost.DMatrix(x, feature_types=["q", "q", "q", "c"], enable_categorical=True)
for name in "many", "two":
    model = xgboost.Booster(model_file=f"{name}.ubj")
    ours = numpy.load(f"{name}.npy")
    off = abs(model.predict(rows) - (ours if name == "many" else ours[:, 1])).max()
    print(name, model.attr("flow.loss"), model.attr("flow.categories"), "same" if off < 1e-6 else off)
off = numpy.load("z.npy") - xgboost.Booster(model_file="number.ubj").predict(xgboost.DMatrix(x))
print("number", "learned" if abs(off).mean() < 0.3 else off)
