/* Frame to tensor: video frames are sampled where they lie, straight into a network's input.
 *
 * One pass does it all: orientation, source crop, antialiased bilinear resize, the network's own
 * crop or letterbox, YUV to RGB, colour order, scale, mean and standard deviation. On RGB frames
 * the result is within 1/255 per channel of Pillow's BILINEAR resize (which rounds to whole numbers
 * between its two passes; here everything is float). Subsampled planes are resampled at their own
 * resolution, with chroma samples placed as the siting says, and converted to RGB afterwards; RGB
 * is clamped to 0 … 255 before the network's scaling. */
#pragma once

#include <sightline/error.h>

#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Most pixels in either direction of a frame, an input or a resize. */
#define SL_IMAGE_MAX_SIZE 32768

/* Frames in memory. X is a byte that is ignored, so the alpha kin (RGBA …) read the same way.
 * Planes in the order of GstVideoFrame: I420 is Y, U, V, YV12 is Y, V, U. Subsampled planes hold
 * (size + 1) / 2 samples; rows of YUY2 and UYVY hold whole groups of four bytes. */
typedef enum {
  SL_PIXEL_I420,
  SL_PIXEL_YV12,
  SL_PIXEL_NV12,
  SL_PIXEL_NV21,
  SL_PIXEL_YUY2,
  SL_PIXEL_UYVY,
  SL_PIXEL_RGB,
  SL_PIXEL_BGR,
  SL_PIXEL_RGBX,
  SL_PIXEL_BGRX,
  SL_PIXEL_XRGB,
  SL_PIXEL_XBGR,
  SL_PIXEL_GRAY8,
  SL_PIXEL_UNPACKED_8,  /* rows from a callback: four bytes a pixel, alpha and three components */
  SL_PIXEL_UNPACKED_16, /* the same with uint16_t in the machine's byte order */
  SL_PIXEL_COUNT
} SlPixelFormat;

/* How Y, Cb, Cr become RGB. Ignored for RGB and gray formats; for the unpacked ones SL_MATRIX_RGB
 * says that the components are R, G, B. */
typedef enum {
  SL_MATRIX_RGB,
  SL_MATRIX_BT601,
  SL_MATRIX_BT709,
  SL_MATRIX_BT2020,
  SL_MATRIX_FCC,
  SL_MATRIX_SMPTE240M,
  SL_MATRIX_COUNT
} SlColorMatrix;

/* FULL: 0 … 255. LIMITED: black at 16, white at 235, chroma 16 … 240 around 128. In 16 bits FULL is
 * 0 … 65535 with chroma around 32768, and LIMITED has the 8-bit values times 256 (GStreamer unpacks
 * so with GST_VIDEO_PACK_FLAG_TRUNCATE_RANGE). */
typedef enum { SL_RANGE_FULL, SL_RANGE_LIMITED } SlColorRange;

/* Where a subsampled chroma sample sits: between two luma samples, or on the first of them. Flags;
 * H.264 and MPEG-2 have COSITED_X, JPEG has none, BT.2020 usually both. */
typedef enum {
  SL_SITING_CENTER = 0,
  SL_SITING_COSITED_X = 1 << 0,
  SL_SITING_COSITED_Y = 1 << 1
} SlChromaSiting;

/* What stays the same from frame to frame. Zero-initialise and fill in what is known. */
typedef struct SlImageInfo {
  SlPixelFormat format;
  uint32_t width, height; /* of the frame in memory, 1 … SL_IMAGE_MAX_SIZE */
  SlColorMatrix matrix;
  SlColorRange range;
  unsigned siting; /* SlChromaSiting flags */
  /* Part of the frame, in its own pixels, that is the picture; pixels outside never mix in (but a
   * chroma sample that straddles the edge does). Width 0: the whole frame. */
  struct {
    uint32_t x, y, width, height;
  } crop;
  unsigned orientation;  /* EXIF's: 1 … 8; 0 means 1. 6: turn by 90 degrees clockwise to view */
  uint32_t par_n, par_d; /* pixel aspect ratio of the frame in memory; 0 means 1 */
} SlImageInfo;

/* Writes row `row` of the frame, all info.width pixels, to `ret` in the unpacked form of the
 * format. `ret` is aligned to 64 bytes (some of GStreamer's unpack functions go wrong below 8).
 * Called from several threads at once. FALSE ends the sampling. */
typedef gboolean (*SlUnpackFunc) (void *data, uint32_t row, void *ret);

/* One frame's memory, only read. Strides are bytes from a row to the next and may be negative
 * (planes then points at the first row all the same). Planes that the format lacks are not looked
 * at. */
typedef struct SlImage {
  const void *planes[4];
  ptrdiff_t strides[4];
  SlUnpackFunc unpack; /* for the unpacked formats, instead of planes */
  void *unpack_data;
} SlImage;

/* How a frame becomes the input of a network (sl_run_sample()). */
typedef enum {
  SL_FRAME_BY_CPU,  /* the CPU samples it, straight from the frame into the input */
  SL_FRAME_UPLOAD,  /* the CPU copies its planes once, the GPU samples them */
  SL_FRAME_IN_PLACE /* the GPU reads them where they are (sl_host_memory_new()) and samples them */
} SlFramePath;

/* How a picture of size W x H (as viewed: after crop, orientation and pixel aspect ratio) fills the
 * input of size w x h.
 *  STRETCH    both sides scaled on their own.
 *  CROP       torchvision's Resize and CenterCrop: the short side becomes resize_size, the long
 * side floor (resize_size * long / short), then the middle w x h is cut out, from
 *             round-half-to-even ((size - wanted) / 2) on; where the resized picture is smaller it
 * is padded. resize_size 0: as small as covers the input. LETTERBOX  as large as fits, sides
 * rounded, centred (the odd pixel to the right or bottom), padded. */
typedef enum {
  SL_RESIZE_STRETCH,
  SL_RESIZE_CROP,
  SL_RESIZE_LETTERBOX,
  SL_RESIZE_COUNT
} SlResizeRule;

typedef enum { SL_ORDER_RGB, SL_ORDER_BGR, SL_ORDER_COUNT } SlColorOrder;

/* The rules of a network's picture input. Element c of a pixel is
 * (value * scale - mean[c]) / std[c], value 0 … 255, c counted in the network's colour order. */
typedef struct SlPreprocess {
  uint32_t width, height; /* 1 … SL_IMAGE_MAX_SIZE */
  uint32_t channels;      /* 3, or 1: gray, 0.299 R + 0.587 G + 0.114 B */
  SlResizeRule resize;
  uint32_t resize_size; /* for SL_RESIZE_CROP */
  uint8_t pad[3];       /* R, G, B of padding */
  SlColorOrder order;   /* ignored with one channel */
  float scale;
  float mean[3], std[3];
} SlPreprocess;

/* Rules for a width x height input with nothing else known: stretched, RGB (gray if channels is 1),
 * values 0 … 1, black padding. */
SL_API void sl_preprocess_init (SlPreprocess *rules, uint32_t width, uint32_t height,
                                uint32_t channels);

/* FALSE, with the first wrong value named, if the rules make no sense. */
SL_API gboolean sl_preprocess_check (const SlPreprocess *rules, GError **error);

/* The picture that the network sees: an input filled by sl_image_sample() back as R, G, B bytes
 * (three equal ones for gray), width * height * 3 of them. Strides as there. */
SL_API void sl_preprocess_to_rgb (const SlPreprocess *rules, const float *input,
                                  const ptrdiff_t strides[3], uint8_t *ret_rgb);

/* Coefficients and scratch for one geometry: made once for each caps, used for each frame by one
 * thread at a time. */
typedef struct SlImageSampler SlImageSampler;

/* `max_threads`: most threads that sampling uses, the caller included; 0: all of the pool. Errors:
 * SL_ERROR_LIMIT for sizes, SL_ERROR_UNSUPPORTED for other values, SL_ERROR_MEMORY. */
SL_API SlImageSampler *sl_image_sampler_new (const SlImageInfo *info, const SlPreprocess *rules,
                                             unsigned max_threads, GError **error);
SL_API void sl_image_sampler_free (SlImageSampler *sampler);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlImageSampler, sl_image_sampler_free)

/* Where the input lies on the frame: point (u, v) of its unit square, u to the right and v down, is
 * at x = m[0] u + m[1] v + m[2], y = m[3] u + m[4] v + m[5] in pixels of the frame in memory (the
 * middle of the first pixel is at 0.5, 0.5). With letterboxing part of it lies outside. */
SL_API void sl_image_sampler_get_placement (const SlImageSampler *sampler, double ret_matrix[6]);

/* Fills one picture of an input. `strides` are the distances in elements from a channel, a row and
 * a pixel to the next: of an SlTensorView in ONNX order, &view.stride[1]. Allocates nothing; the
 * same bits for any number of threads. FALSE only if the frame's unpack said so; `ret` is then
 * undefined. */
SL_API gboolean sl_image_sample (SlImageSampler *sampler, const SlImage *image, float *ret,
                                 const ptrdiff_t strides[3]);

G_END_DECLS
