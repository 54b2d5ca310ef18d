/*
 * trees/library.h - libxgboost, loaded by whoever works with trees and by nobody else.
 *
 *     const struct library *lib = library_get(fault);                      NULL: it is not installed
 *     if (library_check(lib, lib->XGBoosterCreate(NULL, 0, &booster), fault) < 0) ...
 *
 * Linking with it would cost every training of a network the 6 ms that loading it takes; so the
 * first call loads it, and the functions have the names and types of <xgboost/c_api.h>. They return
 * 0, or -1 with a text that library_check() puts into the fault. What they print is off.
 */
#ifndef FLOW_STAGES_TREES_LIBRARY_H
#define FLOW_STAGES_TREES_LIBRARY_H

#include <stdbool.h>
#include <xgboost/c_api.h>

struct fault;

#define LIBRARY_FUNCTIONS(X)                   \
	X(XGBGetLastError)                     \
	X(XGBSetGlobalConfig)                  \
	X(XGDMatrixCreateFromDense)            \
	X(XGDMatrixFree)                       \
	X(XGDMatrixSetFloatInfo)               \
	X(XGDMatrixSetStrFeatureInfo)          \
	X(XGProxyDMatrixCreate)                \
	X(XGProxyDMatrixSetDataDense)          \
	X(XGQuantileDMatrixCreateFromCallback) \
	X(XGBoosterCreate)                     \
	X(XGBoosterFree)                       \
	X(XGBoosterSlice)                      \
	X(XGBoosterSetParam)                   \
	X(XGBoosterBoostOneIter)               \
	X(XGBoosterFeatureScore)               \
	X(XGBoosterPredictFromDMatrix)         \
	X(XGBoosterPredictFromDense)           \
	X(XGBoosterLoadModelFromBuffer)        \
	X(XGBoosterSaveModelToBuffer)          \
	X(XGBoosterGetAttr)                    \
	X(XGBoosterSetAttr)

#define LIBRARY_MEMBER(name) __typeof__(name) *name;

struct library {
	LIBRARY_FUNCTIONS(LIBRARY_MEMBER)
};

/* Loaded at the first call, for as long as the process lives. NULL and *fault: it cannot be. */
const struct library *library_get(struct fault *fault);

/* rc, with the library's own words in the fault when it is not 0. */
int library_check(const struct library *lib, int rc, struct fault *fault);

#endif
