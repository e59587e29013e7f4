/* IEEE 754 binary16 and bfloat16 to and from float, round to nearest even, NaN and infinity kept.
 */
#pragma once

#include <stdint.h>

float sl_half_to_float (uint16_t half);
uint16_t sl_half_from_float (float value);
float sl_bfloat16_to_float (uint16_t bits);
uint16_t sl_bfloat16_from_float (float value);
