#include "base/program.h"

#include <stddef.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/path.h"

const char *program_path(struct arena *a, const char *name)
{
	static const char *const places[] = { ".", "..", "../libexec/flow" };
	char self[4096] = "";
	const char *folder, *path;
	size_t i;

	(void)!readlink("/proc/self/exe", self, sizeof self - 1);
	folder = path_folder(a, self);
	for (i = 0; i < sizeof places / sizeof *places; i++) {
		path = path_join(a, folder, arena_printf(a, "%s/%s", places[i], name));
		if (access(path, X_OK) == 0)
			return path;
	}
	return path_join(a, folder, name);
}
