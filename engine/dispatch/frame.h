/* Frame to tensor on a GPU: what sl_image_sample() does, by a shader that finds the geometry in a
 * table. It belongs to no step: its geometry comes with the frames. */
#pragma once

#include "dispatch/dispatch.h"
#include "image/sampler.h"

/* The record that fills one picture, whose channels, rows and pixels lie `strides` elements apart,
 * none below 0; `pitches`: as in sl_gather_init(). Its bindings are 0 what `gather` describes, 1
 * the table, both at byte 0 of a buffer, 2 the picture, with the bytes that it spans; no operands
 * are bound. Words are appended to `ret_table`. FALSE: the CPU has to sample these frames (their
 * rows come from a callback, or are more than the device binds). */
bool sl_dispatch_frame (const SlGpu *gpu, const SlImageSampler *sampler, const ptrdiff_t strides[3],
                        const ptrdiff_t *pitches, SlGather *ret_gather, SlDispatch *ret_record,
                        GArray *ret_table);
