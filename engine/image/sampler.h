/* A sampler from within, for those that do its work elsewhere. */
#pragma once

#include "image/axis.h"
#include "image/format.h"
#include "image/rows.h"

/* Axes are numbered by frame direction and by the grid's shift. */
enum { SL_SAMPLER_X, SL_SAMPLER_X_CHROMA, SL_SAMPLER_Y, SL_SAMPLER_Y_CHROMA, SL_SAMPLER_N_AXES };

/* The samples of one plane that are read: elements begin … begin + n - 1 of each row. */
typedef struct SlPlaneRows {
  unsigned y_axis;
  size_t begin, n;
} SlPlaneRows;

struct SlImageSampler {
  uint32_t number; /* no other sampler's of this process */
  const SlRowLoops *loops;
  const SlFormatLayout *layout;
  SlColorTransform transform;
  SlAxis axes[SL_SAMPLER_N_AXES];
  SlPlaneRows planes[3];

  SlPlacement view[2]; /* by viewed direction: where the picture lies in the input */
  bool transposed;     /* the frame's rows are columns of the view */
  double matrix[6];    /* input to frame pixels */
  uint32_t width, height, n_channels;
  float gain[3], bias[3], pad[3]; /* by output channel; pad after normalisation */
  unsigned order[3];              /* output channel to R, G, B */

  unsigned max_threads;
  size_t strip_columns; /* of a thread's scratch */
  size_t max_taps, kept_rows, kept_row_bytes;
  size_t scratch_bytes; /* of one thread */
  char *scratch;
};

static inline unsigned
sl_sampler_x_axis (const SlComponentLayout *component)
{
  return component->shift_x ? SL_SAMPLER_X_CHROMA : SL_SAMPLER_X;
}

static inline unsigned
sl_sampler_y_axis (const SlComponentLayout *component)
{
  return component->shift_y ? SL_SAMPLER_Y_CHROMA : SL_SAMPLER_Y;
}

/* Where what a sampler reads of a frame lies when it is gathered in one block. */
typedef struct SlGather {
  struct {
    uint32_t first_row, n_rows;
    size_t begin;                /* bytes of each row that are left out at its start */
    size_t at, row_bytes, pitch; /* bytes from the start of the block; of a row; to the next row */
  } planes[3];
  size_t bytes;
} SlGather;

/* The rows of plane i are pitches[i] bytes apart, so that they go there in one piece where the
 * frame's are, or, with NULL, follow each other closely. FALSE: the frame's rows come unpacked from
 * a callback, or overlap. */
bool sl_gather_init (SlGather *gather, const SlImageSampler *sampler, const ptrdiff_t *pitches);

/* Where in a frame plane `i` of the block begins, and bytes from there to its last one. */
const void *sl_gather_find (const SlGather *gather, size_t i, const SlImage *image);
size_t sl_gather_get_span (const SlGather *gather, size_t i);

/* Copies them out of a frame; `ret` has gather->bytes. */
void sl_gather (const SlGather *gather, const SlImage *image, void *ret);

/* The block as a frame, for a sampler of the same geometry. */
void sl_gather_describe (const SlGather *gather, const void *block, SlImage *ret_image);
