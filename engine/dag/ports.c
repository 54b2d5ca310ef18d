#include <string.h>

#include "base/arena.h"
#include "base/near.h"
#include "base/path.h"
#include "dag/reader.h"
#include "dag/spec.h"

static const char *const kinds[] = { "output", "temp", "checkpoint" };

static uint32_t length_of(const struct yaml *value)
{
	if (value == NULL)
		return 0;
	return yaml_is_scalar(value) ? 1 : value->count;
}

static bool check_path(struct reader *r, const struct yaml *path, const char *key)
{
	if (!yaml_is_scalar(path) || path->type == YAML_NULL) {
		reader_type(r, path, key, "made of paths");
		return false;
	}
	return true;
}

static bool check_name(struct reader *r, const struct yaml *name)
{
	struct diag *diag;

	if (name_is_valid(name->text))
		return true;
	diag = diag_add(
		r->diags, "E0112", yaml_place(name), "`%.140s` cannot be a name", name->text);
	diag_label(
		r->diags, diag, "use up to 128 of the letters A-Z a-z, digits, `_`, `.` and `-`");
	return false;
}

static void read_kind(struct reader *r, const struct yaml *value, struct port_spec *port)
{
	struct diag *diag;
	const char *near;
	uint32_t i;

	if (value == NULL)
		return;
	for (i = 0; i < 3; i++) {
		if (strcmp(value->text, kinds[i]) == 0) {
			port->kind = i;
			return;
		}
	}
	near = near_find(value->text, kinds, 3);
	diag = diag_add(r->diags, "E0110", yaml_place(value),
		"`kind` is output, temp or checkpoint, not `%.60s`", value->text);
	if (near != NULL)
		diag_label(r->diags, diag, "did you mean `%s`?", near);
}

/* {path, kind, optional} */
static bool read_entry(struct reader *r, const struct yaml *map, struct port_spec *port)
{
	const struct yaml *values[KEY_COUNT];
	bool optional = false;

	reader_map(r, map, KEY_OUT, "an entry of `outs`", values);
	read_kind(r, values[KEY_OUT_kind], port);
	reader_bool(r, values[KEY_OUT_optional], "optional", &optional);
	if (optional)
		port->flags |= OUT_OPTIONAL;
	port->path = values[KEY_OUT_path];
	if (port->path == NULL)
		diag_add(r->diags, "E0108", yaml_place(map), "this entry of `outs` has no `path`");
	return port->path != NULL;
}

static void read_ports(struct reader *r, const struct yaml *value, const char *key, uint32_t flags,
	bool may_be_entry, struct ports *out)
{
	uint32_t i, count = length_of(value);
	bool is_map = value != NULL && value->type == YAML_MAP;

	for (i = 0; i < count; i++) {
		struct port_spec port = { .flags = flags };
		const struct yaml *item = value;

		if (!yaml_is_scalar(value))
			item = is_map ? yaml_value(value, i) : yaml_item(value, i);
		port.path = item;
		if (is_map)
			port.name = yaml_key(value, i)->text;
		if (is_map && !check_name(r, yaml_key(value, i)))
			continue;
		if (may_be_entry && item->type == YAML_MAP) {
			if (!read_entry(r, item, &port))
				continue;
		} else if (!check_path(r, item, key)) {
			continue;
		}
		out->items[out->count++] = port;
	}
}

void ports_deps(struct reader *r, const struct yaml *value, struct ports *out)
{
	out->count = 0;
	out->items = arena_alloc(r->arena, length_of(value) * sizeof *out->items);
	read_ports(r, value, "deps", 0, false, out);
}

void ports_outs(struct reader *r, const struct yaml *outs, const struct yaml *metrics,
	const struct yaml *plots, struct ports *out)
{
	size_t most = (size_t)length_of(outs) + length_of(metrics) + length_of(plots);

	out->count = 0;
	out->items = arena_alloc(r->arena, most * sizeof *out->items);
	read_ports(r, outs, "outs", 0, true, out);
	read_ports(r, metrics, "metrics", OUT_METRICS, false, out);
	read_ports(r, plots, "plots", OUT_PLOTS, false, out);
}
