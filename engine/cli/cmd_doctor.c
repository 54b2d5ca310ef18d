#include "base/json.h"
#include "cli/cmd.h"
#include "cli/commands.h"
#include "cli/probe.h"

static probe *const probes[] = { probe_worker, probe_stages, probe_git, probe_folder, probe_journal,
	probe_disk, probe_machine };

#define PROBES (sizeof probes / sizeof *probes)

static const char *const state_names[] = { "ok", "warn", "FAIL" };

static void put_text(struct cli *c, const struct finding *f)
{
	static const enum paint paints[] = { PAINT_GREEN, PAINT_YELLOW, PAINT_RED };
	struct screen *o = &c->out;

	screen_paint(o, paints[f->state], state_names[f->state]);
	screen_printf(o, "%*s%-9s", f->state == FINDING_OK ? 4 : 2, "", f->what);
	screen_foreign(o, f->text);
	if (f->help[0] != '\0') {
		screen_printf(o, "\n%15s", "");
		screen_foreign(o, f->help);
	}
	screen_str(o, "\n");
}

static void put_json(struct json *j, const struct finding *f)
{
	json_open_object(j);
	json_key_string(j, "what", f->what);
	json_key_string(j, "state", f->state == FINDING_FAIL ? "fail" : state_names[f->state]);
	json_key_string(j, "text", f->text);
	json_key_string(j, "help", f->help);
	json_end(j);
}

static int doctor_main(struct cli *c)
{
	struct finding f;
	bool failed = false;
	struct json j;
	size_t i;

	json_init(&j, &c->out.text);
	if (c->json) {
		json_open_object(&j);
		json_key_int(&j, "v", 1);
		json_key_string(&j, "flow", FLOW_VERSION);
		json_key(&j, "findings");
		json_open_array(&j);
	} else {
		screen_printf(&c->out, "flow %s\n", FLOW_VERSION);
	}
	for (i = 0; i < PROBES; i++) {
		probes[i](&f, &c->arena);
		failed = failed || f.state == FINDING_FAIL;
		if (c->json)
			put_json(&j, &f);
		else
			put_text(c, &f);
	}
	if (c->json) {
		json_end(&j);
		json_end(&j);
		screen_str(&c->out, "\n");
	}
	return failed ? EXIT_MACHINE : EXIT_DONE;
}

const struct command cmd_doctor = { .name = "doctor",
	.group = GROUP_START,
	.args = "",
	.summary = "check that flow has all it needs, on this machine and in this folder",
	.about = "Each line is ok, warn or FAIL; the exit status is 5 when one is FAIL.\n"
		 "Nothing is changed.\n",
	.examples = "",
	.shows = true,
	.run = doctor_main };
