/*
 * common/number.h - numbers and times from text, exactly as strtod() reads them, several times faster.
 *
 *     double d;  if (number_float(&d, text, length)) ...
 *
 * Decimal only: [+-] digits [. digits] [e [+-] digits], with blanks around; inf and infinity too,
 * but not nan, which is a way to write that something is missing. All return 1 and set the value, or
 * 0 when the whole text is not one; the text needs no NUL.
 *
 * Up to 19 digits and common exponents by the method of D. Lemire, "Number parsing at a gigabyte per
 * second" (2021), after W. Clinger; the rest goes to strtod().
 */
#ifndef FLOW_STAGES_COMMON_NUMBER_H
#define FLOW_STAGES_COMMON_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#define NUMBER_LENGTH_MAX 1000 /* longer text is not a number */

int number_float(double *value, const char *text, size_t length);
int number_integer(int64_t *value, const char *text, size_t length);
/* true, false, in the usual three spellings. */
int number_boolean(uint8_t *value, const char *text, size_t length);
/* YYYY-MM-DD, then [T or blank]HH:MM[:SS[.ffffff]], then [Z or +HH:MM]: microseconds since 1970, UTC. */
int number_time(int64_t *value, const char *text, size_t length);

#endif
