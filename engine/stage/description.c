#include "stage/description.h"

#include <jansson.h>
#include <string.h>

#include "base/child.h"
#include "base/err.h"

#define BEGIN   "{\"abi\":"        /* as a description does */
#define SPEAKER "flow-worker: " /* before what the worker itself has to say */

/* The last of what looks like one: a plugin may print what it likes before. NULL: there is none. */
static const char *find(const char *said)
{
	const char *begin = NULL, *next = said;
	json_t *root;

	while ((next = strstr(next, BEGIN)) != NULL)
		begin = next++;
	root = begin != NULL ? description_read(begin) : NULL;
	json_decref(root);
	return root != NULL ? begin : NULL;
}

static int refuse(const char *said, const char *file, struct err *e)
{
	if (strncmp(said, SPEAKER, strlen(SPEAKER)) == 0)
		said += strlen(SPEAKER);
	if (said[0] == '\0')
		err_set(e, ERR_INPUT, "`%s` does not describe itself", file);
	else
		err_set(e, ERR_INPUT, "%.*s", (int)strcspn(said, "\n"), said);
	return err_id(e, strstr(said, "ABI") != NULL ? "E0702" : "E0701");
}

int description_ask(const char **text, struct arena *a, const char *worker, const char *file, struct err *e)
{
	const char *argv[] = { worker, "--describe", file, NULL }, *found;
	struct child_answer answer;

	if (child_ask(&answer, a, argv, NULL, 0, CHILD_LIMIT_MS, e) < 0)
		return e->code;
	found = answer.status == 0 ? find(answer.text) : NULL;
	if (found == NULL)
		return refuse(answer.text, file, e);
	*text = found;
	return 0;
}

json_t *description_read(const char *text)
{
	return json_loads(text, JSON_DISABLE_EOF_CHECK, NULL);
}
