/* Runs tables of cases: the reference against stated values, and the lowering of each instruction
 * set against the reference, in every layout that the class declares, in place, and on wide slices.
 */
#pragma once

#include "op_case.h"

/* Adds "/ops/<family>/<case>" for each row; the table ends with a row without a name. */
void op_add_cases (const char *family, const OpCase *cases);
