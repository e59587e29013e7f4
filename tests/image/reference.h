/* Frames of random samples and what sampling them should give, in double and straight from the
 * contract of sightline/image.h: nothing is shared with the code under test. */
#pragma once

#include <sightline/image.h>

/* A frame of random samples: tightly packed planes of 16-bit values, which the reference reads, and
 * the same in the memory form of the format. */
typedef struct Frame {
  SlImageInfo info;
  uint32_t width[3], height[3]; /* of each component's grid */
  uint16_t *samples[3];         /* R, G, B or Y, Cb, Cr */
  SlImage image;
  uint8_t *memory[4];
  uint32_t bytes_per_row[4], rows[4];
  guint unpack_limit; /* rows from here on fail */
} Frame;

gboolean is_subsampled (SlPixelFormat format, gboolean vertical);

/* `padding` bytes lie between rows; below zero the frame is upside down in memory, rows as far
 * apart. Memory is exactly as large as the contract says, so that the address sanitizer sees
 * whoever reads more. */
Frame *frame_new (const SlImageInfo *info, int padding);
void frame_free (Frame *frame);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Frame, frame_free)

/* The value that the contract gives for pixel x, y of the input, as R, G, B in 0 … 255. */
void reference_pixel (const Frame *frame, const SlPreprocess *rules, uint32_t x, uint32_t y,
                      double ret_rgb[3]);
