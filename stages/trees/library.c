#include "trees/library.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"

#define LIBRARY_NAME(name) #name,

static const char *const names[] = { LIBRARY_FUNCTIONS(LIBRARY_NAME) };

/* POSIX promises that dlsym()'s pointer may be a function's; C wants it copied for that. */
static int find(struct library *lib, void *handle, struct fault *fault)
{
	char *to = (char *)lib;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		void *found = dlsym(handle, names[i]);

		if (found == NULL)
			return fault_set(
				fault, "libxgboost has no %s: version 1.7 is wanted", names[i]);
		memcpy(to + i * sizeof found, &found, sizeof found);
	}
	return 0;
}

const struct library *library_get(struct fault *fault)
{
	static struct library lib;
	static const char *const files[] = { "libxgboost.so.0", "libxgboost.so" };
	void *handle = NULL;

	_Static_assert(sizeof lib == sizeof names / sizeof names[0] * sizeof(void *),
		"a library is its functions, in the order of their names");
	if (lib.XGBoosterSetAttr != NULL)
		return &lib;
	/* Its threads sleep when they wait for each other: on a core that others want, too, they would
	 * spin for several times as long as they work. */
	(void)setenv("OMP_WAIT_POLICY", "passive", 0);
	for (size_t i = 0; i < sizeof files / sizeof files[0] && handle == NULL; i++)
		handle = dlopen(files[i], RTLD_NOW | RTLD_LOCAL);
	if (handle == NULL) {
		(void)fault_set(fault, "trees need libxgboost, of Debian's package libxgboost0: %s",
			dlerror());
		return NULL;
	}
	if (find(&lib, handle, fault) < 0) {
		lib = (struct library){ 0 };
		return NULL;
	}
	(void)lib.XGBSetGlobalConfig("{\"verbosity\": 0}");
	return &lib;
}

/* Its first line is "[time] file:line: what"; more of them are a trace of its own functions. */
int library_check(const struct library *lib, int rc, struct fault *fault)
{
	const char *text, *end, *after;

	if (rc == 0)
		return 0;
	text = lib->XGBGetLastError();
	end = text + strcspn(text, "\n");
	for (after = text; after + 2 < end; after++)
		if (after[0] == ':' && after[1] == ' ') {
			text = after + 2;
			break;
		}
	if (end - text < 2 && *end == '\n') { /* the line was its place only */
		text = end + 1;
		end = text + strcspn(text, "\n");
	}
	return fault_set(
		fault, "libxgboost: %.*s", (int)(end - text < 300 ? end - text : 300), text);
}
