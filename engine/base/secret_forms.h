/*
 * base/secret_forms.h - the forms in which a secret may turn up.
 *
 *     secret_forms(&redactor, value, len)     before redactor_ready()
 *
 * As it is; in base64 and its variant for URLs, wherever in the encoded text it stands, and broken once between two lines; as part
 * of a URL; as a JSON string, plain or in ASCII alone; between single quotes of the shell. Of a value of several lines each long
 * line too: a key file is often printed with an indent. A byte that is no letter stands behind the value: its NUL.
 */
#ifndef FLOW_BASE_SECRET_FORMS_H
#define FLOW_BASE_SECRET_FORMS_H

#include <stddef.h>

#define SECRET_LEAST 6u        /* bytes; a shorter one would be found everywhere */
#define SECRET_MOST  (16u << 10)

struct redactor;

void secret_forms(struct redactor *r, const char *value, size_t len);

#endif
