/* A picture input that comes as a frame: its planes go to the device as they are, and a shader
 * makes the picture of them, in the submission of the run. */
#pragma once

#include "dispatch/frame.h"
#include "vulkan/memory.h"
#include "vulkan/sets.h"

/* What a run has of it, made anew where frames come by another sampler. All zeros is none. */
typedef struct SlVkFrame {
  const SlValue *value; /* the input that it is for; NULL: there is none */
  uint32_t sampler;     /* its number */
  ptrdiff_t strides[3]; /* of the picture */
  bool can_sample;      /* here, and not on the CPU; FALSE, too, after memory has run out */
  bool is_there;    /* the last frame is the input, not what stands in the run's staging memory */
  bool has_pitches; /* of frames that the device copies from where they are */
  SlGather gather;
  SlImage image;            /* the last frame */
  const SlVkBuffer *source; /* where its planes lie: `staging`, or memory of its maker's */
  uint64_t offset[3];       /* of each plane, in it */
  SlVkBuffer staging, bytes, table;
  SlVkSets sets;
  SlDispatch record;
  const SlVkPipeline *pipeline;
} SlVkFrame;

/* Makes room for frames of this sampler (`pitches`: as in sl_gather_init()); the picture that
 * `value` is lies `picture` bytes behind the beginning of `arena`. Nothing may be at work on it. If
 * it fails, the CPU has to sample what comes by this sampler. */
gboolean sl_vk_frame_init (SlVkFrame *frame, SlVkDevice *device, const SlValue *value,
                           const SlImageSampler *sampler, const ptrdiff_t strides[3],
                           const ptrdiff_t *pitches, const SlVkBuffer *arena, uint64_t picture,
                           GError **error);
/* Leaves the frames of its sampler to the CPU: the next one would fare no better. */
void sl_vk_frame_give_up (SlVkFrame *frame, SlVkDevice *device);
void sl_vk_frame_clear (SlVkFrame *frame, SlVkDevice *device);

/* The piece of memory that the device copies from by itself (host.h) in which all planes lie of
 * which something is to be gathered, and where they begin in it; NULL: there is none. */
const SlVkBuffer *sl_vk_frame_find (const SlVkDevice *device, const SlGather *gather,
                                    const SlImage *image, uint64_t ret_offset[3]);
/* Makes a frame the input: out of `source`, or, if that is NULL, with a copy that is made now.
 * TRUE: commands that were recorded for the one before are not good for it. */
bool sl_vk_frame_take (SlVkFrame *frame, const SlImage *image, const SlVkBuffer *source,
                       const uint64_t offset[3]);

/* The copy of the planes and, behind a barrier, the shader. */
void sl_vk_frame_record (const SlVkFrame *frame, SlVkDevice *device, VkCommandBuffer commands);
