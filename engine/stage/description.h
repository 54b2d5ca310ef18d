/*
 * stage/description.h - what a plugin says of itself: its stages, their deps and outs, the keys of `with:` they take.
 *
 *     rc = description_ask(&text, &arena, worker, "count.so", e)   in a process of its own: its constructors run there
 *     root = description_read(text)                                json_decref() it; NULL: that is no description
 *
 * One that cannot be loaded (E0701), or is of another ABI (E0702), is ERR_INPUT with the worker's words for it; a worker that
 * cannot be started, or does not answer in time, is another error. The text is what describes and nothing else: what the plugin
 * prints while it is loaded is left out.
 */
#ifndef FLOW_STAGE_DESCRIPTION_H
#define FLOW_STAGE_DESCRIPTION_H

struct arena;
struct err;
struct json_t; /* jansson */

/* worker: path of flow-worker; file: path of the plugin. */
int description_ask(const char **text, struct arena *a, const char *worker, const char *file, struct err *e);
struct json_t *description_read(const char *text);

#endif
