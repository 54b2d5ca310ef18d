#include "base/path.h"

#include <string.h>

#include "base/arena.h"

bool path_is_absolute(const char *path)
{
	return path[0] == '/';
}

/* Take the last component off, unless there is none or it is "..". */
static bool drop_last(char *out, size_t *len, size_t root)
{
	size_t at = *len;

	if (at <= root)
		return false;
	while (at > root && out[at - 1] != '/')
		at--;
	if (strncmp(out + at, "..", *len - at) == 0 && *len - at == 2)
		return false;
	*len = at > root ? at - 1 : at;
	return true;
}

char *path_clean(struct arena *a, const char *path)
{
	size_t root = path[0] == '/' ? 1 : 0, len = root;
	char *out = arena_alloc(a, strlen(path) + 2);
	const char *p = path;

	if (root != 0)
		out[0] = '/';
	while (*p != '\0') {
		size_t n;

		while (*p == '/')
			p++;
		n = strcspn(p, "/");
		if (n == 0)
			break;
		if (n == 2 && p[0] == '.' && p[1] == '.') {
			if (drop_last(out, &len, root) || root != 0) {
				p += n;
				continue;
			}
		}
		if (!(n == 1 && p[0] == '.')) {
			if (len > root)
				out[len++] = '/';
			memcpy(out + len, p, n);
			len += n;
		}
		p += n;
	}
	if (len == 0)
		out[len++] = '.';
	out[len] = '\0';
	return out;
}

char *path_join(struct arena *a, const char *folder, const char *path)
{
	if (path_is_absolute(path) || folder[0] == '\0')
		return path_clean(a, path);
	return path_clean(a, arena_printf(a, "%s/%s", folder, path));
}

char *path_below(struct arena *a, const char *folder, const char *path)
{
	size_t len = strcmp(folder, ".") == 0 ? 0 : strlen(folder), rest = strlen(path) + 1;
	size_t slash = len > 0 && folder[len - 1] != '/';
	char *whole = arena_alloc(a, len + slash + rest);

	memcpy(whole, folder, len);
	if (slash)
		whole[len] = '/';
	memcpy(whole + len + slash, path, rest);
	return whole;
}

bool path_leaves(const char *clean)
{
	return clean[0] == '/' ||
	       (clean[0] == '.' && clean[1] == '.' && (clean[2] == '/' || clean[2] == '\0'));
}

bool path_is_inside(const char *clean, const char *folder)
{
	size_t n = strlen(folder);

	if (strcmp(folder, ".") == 0)
		return !path_leaves(clean);
	return strncmp(clean, folder, n) == 0 && (clean[n] == '\0' || clean[n] == '/');
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

char *path_folder(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return arena_strdup(a, ".");
	if (slash == path)
		return arena_strdup(a, "/");
	return arena_strndup(a, path, (size_t)(slash - path));
}

size_t name_span(const char *s, const char *also)
{
	size_t n = 0;

	while ((s[n] >= 'a' && s[n] <= 'z') || (s[n] >= 'A' && s[n] <= 'Z') || (s[n] >= '0' && s[n] <= '9') ||
		(s[n] != '\0' && strchr(also, s[n]) != NULL))
		n++;
	return n;
}

bool name_is_valid(const char *name)
{
	size_t n = name_span(name, "_.-");

	return n >= 1 && n <= 128 && name[n] == '\0' && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0;
}
