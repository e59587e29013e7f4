#include "frame.h"

#include <sightline-gst/classifier.h>

#include <string.h>

static const struct {
  GstVideoFormat video;
  SlPixelFormat image;
} direct_formats[] = {
    {GST_VIDEO_FORMAT_I420, SL_PIXEL_I420},   {GST_VIDEO_FORMAT_YV12, SL_PIXEL_YV12},
    {GST_VIDEO_FORMAT_NV12, SL_PIXEL_NV12},   {GST_VIDEO_FORMAT_NV21, SL_PIXEL_NV21},
    {GST_VIDEO_FORMAT_YUY2, SL_PIXEL_YUY2},   {GST_VIDEO_FORMAT_UYVY, SL_PIXEL_UYVY},
    {GST_VIDEO_FORMAT_RGB, SL_PIXEL_RGB},     {GST_VIDEO_FORMAT_BGR, SL_PIXEL_BGR},
    {GST_VIDEO_FORMAT_RGBx, SL_PIXEL_RGBX},   {GST_VIDEO_FORMAT_RGBA, SL_PIXEL_RGBX},
    {GST_VIDEO_FORMAT_BGRx, SL_PIXEL_BGRX},   {GST_VIDEO_FORMAT_BGRA, SL_PIXEL_BGRX},
    {GST_VIDEO_FORMAT_xRGB, SL_PIXEL_XRGB},   {GST_VIDEO_FORMAT_ARGB, SL_PIXEL_XRGB},
    {GST_VIDEO_FORMAT_xBGR, SL_PIXEL_XBGR},   {GST_VIDEO_FORMAT_ABGR, SL_PIXEL_XBGR},
    {GST_VIDEO_FORMAT_GRAY8, SL_PIXEL_GRAY8},
};

static SlPixelFormat
find_format (const GstVideoFormatInfo *finfo)
{
  const GstVideoFormatInfo *unpacked;

  for (guint i = 0; i < G_N_ELEMENTS (direct_formats); i++)
    if (direct_formats[i].video == finfo->format)
      return direct_formats[i].image;

  unpacked = gst_video_format_get_info (finfo->unpack_format);
  return GST_VIDEO_FORMAT_INFO_DEPTH (unpacked, 0) > 8 ? SL_PIXEL_UNPACKED_16 : SL_PIXEL_UNPACKED_8;
}

static SlColorMatrix
find_matrix (const GstVideoInfo *info)
{
  if (GST_VIDEO_INFO_IS_RGB (info))
    return SL_MATRIX_RGB;

  switch (info->colorimetry.matrix) {
  case GST_VIDEO_COLOR_MATRIX_BT601:
    return SL_MATRIX_BT601;
  case GST_VIDEO_COLOR_MATRIX_BT709:
    return SL_MATRIX_BT709;
  case GST_VIDEO_COLOR_MATRIX_BT2020:
    return SL_MATRIX_BT2020;
  case GST_VIDEO_COLOR_MATRIX_FCC:
    return SL_MATRIX_FCC;
  case GST_VIDEO_COLOR_MATRIX_SMPTE240M:
    return SL_MATRIX_SMPTE240M;
  default:
    /* What GStreamer takes where the caps say nothing. */
    return GST_VIDEO_INFO_HEIGHT (info) > 576 ? SL_MATRIX_BT709 : SL_MATRIX_BT601;
  }
}

static SlColorRange
find_range (const GstVideoInfo *info)
{
  if (info->colorimetry.range == GST_VIDEO_COLOR_RANGE_UNKNOWN)
    return GST_VIDEO_INFO_IS_YUV (info) ? SL_RANGE_LIMITED : SL_RANGE_FULL;
  return info->colorimetry.range == GST_VIDEO_COLOR_RANGE_16_235 ? SL_RANGE_LIMITED : SL_RANGE_FULL;
}

gboolean
sl_video_info_from_caps (GstVideoInfo *ret_info, const GstCaps *caps)
{
  GstVideoColorimetry stated;

  if (!gst_video_info_from_caps (ret_info, caps))
    return FALSE;
  const GstStructure *structure = gst_caps_get_structure (caps, 0);
  const gchar *colorimetry = gst_structure_get_string (structure, "colorimetry");
  const gchar *site = gst_structure_get_string (structure, "chroma-site");
  if (!GST_VIDEO_INFO_IS_YUV (ret_info) || !colorimetry ||
      !gst_video_colorimetry_from_string (&stated, colorimetry) ||
      stated.matrix != GST_VIDEO_COLOR_MATRIX_UNKNOWN)
    return TRUE;
  if (stated.range != GST_VIDEO_COLOR_RANGE_UNKNOWN)
    ret_info->colorimetry.range = stated.range;
  if (site)
    ret_info->chroma_site = gst_video_chroma_site_from_string (site);
  return TRUE;
}

void
sl_image_info_from_video (const GstVideoInfo *info, SlImageInfo *ret_info)
{
  unsigned siting = SL_SITING_CENTER;

  if (info->chroma_site & GST_VIDEO_CHROMA_SITE_H_COSITED)
    siting |= SL_SITING_COSITED_X;
  if (info->chroma_site & GST_VIDEO_CHROMA_SITE_V_COSITED)
    siting |= SL_SITING_COSITED_Y;

  /* Compared by memcmp: padding counts. */
  memset (ret_info, 0, sizeof *ret_info);
  ret_info->format = find_format (info->finfo);
  ret_info->width = GST_VIDEO_INFO_WIDTH (info);
  ret_info->height = GST_VIDEO_INFO_HEIGHT (info);
  ret_info->matrix = find_matrix (info);
  ret_info->range = find_range (info);
  ret_info->siting = siting;
  /* Some AVI files come as -1/1; 0 stands for square pixels. */
  ret_info->par_n = (uint32_t)MAX (GST_VIDEO_INFO_PAR_N (info), 0);
  ret_info->par_d = (uint32_t)MAX (GST_VIDEO_INFO_PAR_D (info), 0);
}

void
sl_image_info_set_crop (SlImageInfo *info, GstBuffer *buffer, guint width, guint height)
{
  const GstVideoCropMeta *crop = gst_buffer_get_video_crop_meta (buffer);

  memset (&info->crop, 0, sizeof info->crop);
  if (crop) {
    info->crop.x = crop->x;
    info->crop.y = crop->y;
    info->crop.width = crop->width;
    info->crop.height = crop->height;
  } else if (width != info->width || height != info->height) {
    info->crop.width = width;
    info->crop.height = height;
  }
}

/* SlUnpackFunc; `data` is the GstVideoFrame. */
static gboolean
unpack_row (void *data, uint32_t row, void *ret)
{
  const GstVideoFrame *frame = data;
  const GstVideoFormatInfo *finfo = frame->info.finfo;
  /* Limited range keeps its 16 … 235 times 256; full range has to reach 65535. */
  GstVideoPackFlags flags = find_range (&frame->info) == SL_RANGE_LIMITED
                                ? GST_VIDEO_PACK_FLAG_TRUNCATE_RANGE
                                : GST_VIDEO_PACK_FLAG_NONE;

  finfo->unpack_func (finfo, flags, ret, (const gpointer *)frame->data, frame->info.stride, 0, row,
                      GST_VIDEO_FRAME_WIDTH (frame));
  return TRUE;
}

/* Bytes from the first to the last that plane `plane` has, if its rows are `stride` bytes apart. */
static gsize
get_extent (const GstVideoInfo *info, guint plane, gsize stride)
{
  const GstVideoFormatInfo *finfo = info->finfo;
  gint component[GST_VIDEO_MAX_COMPONENTS];
  gsize rows, row_bytes;

  gst_video_format_info_component (finfo, plane, component);
  if (component[0] < 0)
    return 0; /* a palette */
  rows = GST_VIDEO_FORMAT_INFO_SCALE_HEIGHT (finfo, component[0], GST_VIDEO_INFO_HEIGHT (info));
  row_bytes =
      (gsize)GST_VIDEO_FORMAT_INFO_SCALE_WIDTH (finfo, component[0], GST_VIDEO_INFO_WIDTH (info)) *
      GST_VIDEO_FORMAT_INFO_PSTRIDE (finfo, component[0]);
  if (row_bytes == 0 || row_bytes > stride)
    row_bytes = stride; /* pixels in groups of bits */
  return rows ? (rows - 1) * stride + row_bytes : 0;
}

static gboolean
plane_fits (const GstVideoFrame *frame, guint plane)
{
  const GstMapInfo *map = &frame->map[plane];
  const guint8 *data = frame->data[plane];
  gint stride = frame->info.stride[plane];
  gsize extent = get_extent (&frame->info, plane, ABS (stride));
  gsize before = data - map->data;

  if (stride < 0) /* rows run backwards from `data` */
    return before + ABS (stride) <= map->size && extent <= before + ABS (stride);
  return before <= map->size && extent <= map->size - before;
}

gboolean
sl_image_from_frame (const GstVideoFrame *frame, SlImage *ret_image, GError **error)
{
  guint n_planes = GST_VIDEO_FRAME_N_PLANES (frame);

  /* Without GstVideoMeta, mapping has compared the sizes; tiled strides are no distances. */
  if (frame->meta && !GST_VIDEO_FORMAT_INFO_IS_TILED (frame->info.finfo))
    for (guint i = 0; i < n_planes; i++)
      if (!plane_fits (frame, i)) {
        g_set_error (error, SL_ERROR, SL_ERROR_SHAPE,
                     "plane %u of the %s frame goes beyond its %" G_GSIZE_FORMAT " bytes", i,
                     GST_VIDEO_INFO_NAME (&frame->info), frame->map[i].size);
        return FALSE;
      }

  *ret_image = (SlImage){.unpack = unpack_row, .unpack_data = (void *)frame};
  for (guint i = 0; i < n_planes && i < G_N_ELEMENTS (ret_image->planes); i++) {
    ret_image->planes[i] = frame->data[i];
    ret_image->strides[i] = frame->info.stride[i];
  }
  return TRUE;
}
