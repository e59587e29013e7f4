/* Networks to hold rules against, for the targets that read rules. */
#pragma once

#include "fuzz.h"

#include <sightline/sightline.h>

/* x (N, channels, size, size; -1: open), global average, `last`, y: as many classes as channels.
 * `metadata`: lines KEY=VALUE for metadata_props, may be NULL. */
SlModel *fuzz_network (int channels, int size, const char *last, const char *metadata);

/* Rules are whole and in their ranges, and a picture can be sampled by them. Takes them over. */
void fuzz_check_rules (SlModelRules *rules, GError *error);
