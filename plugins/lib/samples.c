#include <sightline-gst/samples.h>

#include "frame.h"
#include "sample-list.h"
#include "still-decoder.h"

#include <sightline-gst/classifier.h>

#include <string.h>

#define DEFAULT_MEMORY ((guint64)1 << 30)
#define DEFAULT_CLIP_RATE 2.0

/* A picture as it lies in memory. */
typedef struct Picture {
  GstBuffer *buffer;  /* NULL: decode it again */
  GstVideoInfo *info; /* shared by pictures alike; the set's */
  guint orientation;
} Picture;

/* One sample: a file's picture, or a clip's frame. */
typedef struct Item {
  guint32 file;
  guint32 frame; /* number within the clip */
  Picture picture;
} Item;

typedef struct SampleSet {
  SlSampleList *list;
  GArray *items; /* of Item */
  GMutex lock;   /* of what follows */
  GPtrArray *infos;
  GQueue idle; /* SlStillDecoder that nobody uses */
} SampleSet;

/* --- decoding --- */

static SlStillDecoder *
take_decoder (SampleSet *set)
{
  g_mutex_lock (&set->lock);
  SlStillDecoder *decoder = g_queue_pop_head (&set->idle);
  g_mutex_unlock (&set->lock);
  return decoder ? decoder : sl_still_decoder_new ();
}

static void
give_decoder (SampleSet *set, SlStillDecoder *decoder)
{
  g_mutex_lock (&set->lock);
  g_queue_push_head (&set->idle, decoder);
  g_mutex_unlock (&set->lock);
}

/* What the caps say, kept once for all pictures that are alike. */
static GstVideoInfo *
share_info (SampleSet *set, const GstCaps *caps, GError **error)
{
  GstVideoInfo info, *shared = NULL;
  if (!sl_video_info_from_caps (&info, caps)) {
    g_set_error_literal (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                         "decodes to something else than raw video (expected a picture)");
    return NULL;
  }
  g_mutex_lock (&set->lock);
  for (guint i = set->infos->len; i-- > 0 && !shared;)
    if (gst_video_info_is_equal (set->infos->pdata[i], &info))
      shared = set->infos->pdata[i];
  if (!shared) {
    shared = gst_video_info_copy (&info);
    g_ptr_array_add (set->infos, shared);
  }
  g_mutex_unlock (&set->lock);
  return shared;
}

static gboolean
take_picture (SampleSet *set, GstBuffer *buffer, const GstCaps *caps, guint orientation,
              Picture *ret, GError **error)
{
  GstVideoFrame frame;
  GstVideoInfo *info = share_info (set, caps, error);
  if (!info)
    return FALSE;
  if ((guint64)GST_VIDEO_INFO_WIDTH (info) * (guint64)GST_VIDEO_INFO_HEIGHT (info) >
          SL_SAMPLES_MAX_PIXELS ||
      GST_VIDEO_INFO_WIDTH (info) > SL_IMAGE_MAX_SIZE ||
      GST_VIDEO_INFO_HEIGHT (info) > SL_IMAGE_MAX_SIZE) {
    g_set_error (error, SL_ERROR, SL_ERROR_LIMIT,
                 "the picture is %d x %d (expected at most %d each way and %u pixels)",
                 GST_VIDEO_INFO_WIDTH (info), GST_VIDEO_INFO_HEIGHT (info), SL_IMAGE_MAX_SIZE,
                 SL_SAMPLES_MAX_PIXELS);
    return FALSE;
  }
  if (!gst_video_frame_map (&frame, info, buffer, GST_MAP_READ)) {
    g_set_error_literal (error, SL_ERROR, SL_ERROR_SHAPE,
                         "the decoded picture is smaller than its format says");
    return FALSE;
  }
  gst_video_frame_unmap (&frame);
  *ret = (Picture){gst_buffer_ref (buffer), info, orientation};
  return TRUE;
}

static gboolean
decode_file (SampleSet *set, const SlSampleFile *file, Picture *ret, GError **error)
{
  guint orientation;
  g_autoptr (GBytes) bytes = sl_sample_list_read (set->list, file, error);
  if (!bytes)
    return FALSE;
  SlStillDecoder *decoder = take_decoder (set);
  g_autoptr (GstSample) sample =
      sl_still_decoder_decode (decoder, bytes, SL_SAMPLES_MAX_PIXELS, &orientation, error);
  give_decoder (set, decoder);
  return sample && take_picture (set, gst_sample_get_buffer (sample), gst_sample_get_caps (sample),
                                 orientation, ret, error);
}

/* --- the source --- */

typedef struct Hold {
  GstVideoFrame frame;
  GstBuffer *buffer;
} Hold;

static gboolean
load (void *data, uint32_t index, SlSample *ret_sample, GError **error)
{
  SampleSet *set = data;
  const Item *item = &g_array_index (set->items, Item, index);
  const SlSampleFile *file = &g_array_index (set->list->files, SlSampleFile, item->file);
  Picture picture = item->picture;
  if (picture.buffer)
    gst_buffer_ref (picture.buffer);
  else if (!decode_file (set, file, &picture, error))
    return FALSE;

  Hold *hold = g_new (Hold, 1);
  hold->buffer = picture.buffer;
  if (!gst_video_frame_map (&hold->frame, picture.info, hold->buffer, GST_MAP_READ)) {
    g_set_error_literal (error, SL_ERROR, SL_ERROR_SHAPE, "the picture cannot be mapped");
  } else if (!sl_image_from_frame (&hold->frame, &ret_sample->image, error)) {
    gst_video_frame_unmap (&hold->frame);
  } else {
    sl_image_info_from_video (picture.info, &ret_sample->info);
    sl_image_info_set_crop (&ret_sample->info, hold->buffer, ret_sample->info.width,
                            ret_sample->info.height);
    ret_sample->info.orientation = picture.orientation;
    ret_sample->hold = hold;
    return TRUE;
  }
  gst_buffer_unref (hold->buffer);
  g_free (hold);
  return FALSE;
}

static void
release (void *data, SlSample *sample)
{
  Hold *hold = sample->hold;
  gst_video_frame_unmap (&hold->frame);
  gst_buffer_unref (hold->buffer);
  g_free (hold);
}

static char *
describe (void *data, uint32_t index)
{
  SampleSet *set = data;
  const Item *item = &g_array_index (set->items, Item, index);
  const SlSampleFile *file = &g_array_index (set->list->files, SlSampleFile, item->file);
  char *name = sl_sample_list_describe (set->list, file);
  if (!file->clip)
    return name;
  g_autofree char *clip = name;
  return g_strdup_printf ("%s[%u]", clip, item->frame);
}

/* Of each file with samples, its name and its bytes. */
static char *
get_hash (void *data, GError **error)
{
  SampleSet *set = data;
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  guint32 last = G_MAXUINT32;
  for (guint i = 0; i < set->items->len; i++) {
    const Item *item = &g_array_index (set->items, Item, i);
    const SlSampleFile *file = &g_array_index (set->list->files, SlSampleFile, item->file);
    if (item->file == last)
      continue;
    last = item->file;
    g_checksum_update (sum, (const guchar *)file->name, (gssize)strlen (file->name) + 1);
    if (!sl_sample_list_hash (set->list, file, sum, error)) {
      g_autofree char *name = sl_sample_list_describe (set->list, file);
      g_prefix_error (error, "%s: ", name);
      return NULL;
    }
  }
  return g_strdup (g_checksum_get_string (sum));
}

static void
clear_item (gpointer data)
{
  gst_clear_buffer (&((Item *)data)->picture.buffer);
}

static void
destroy (void *data)
{
  SampleSet *set = data;
  g_clear_pointer (&set->items, g_array_unref);
  g_queue_clear_full (&set->idle, (GDestroyNotify)sl_still_decoder_free);
  g_clear_pointer (&set->infos, g_ptr_array_unref);
  sl_sample_list_free (set->list);
  g_mutex_clear (&set->lock);
  g_free (set);
}

/* --- the first look at all files --- */

/* What one file gave. */
typedef struct Found {
  GArray *items; /* of Item; NULL: none */
  char *problem;
} Found;

typedef struct Scan {
  SampleSet *set;
  SlDataPart part;
  guint64 memory_limit;
  double clip_rate;
  Found *found; /* by file */
  gint next;    /* file; atomic */
  GMutex lock;
  guint64 kept_bytes; /* of pictures in memory */
  gint too_large;     /* frames of clips do not fit; atomic */
} Scan;

/* Whether a picture of so many bytes may stay in memory; counts it if so. */
static gboolean
reserve (Scan *scan, guint64 bytes)
{
  g_mutex_lock (&scan->lock);
  gboolean fits = scan->kept_bytes + bytes <= scan->memory_limit;
  scan->kept_bytes += fits ? bytes : 0;
  g_mutex_unlock (&scan->lock);
  return fits;
}

static void
add_item (Found *found, const Item *item)
{
  if (!found->items) {
    found->items = g_array_new (FALSE, FALSE, sizeof (Item));
    g_array_set_clear_func (found->items, clear_item);
  }
  g_array_append_val (found->items, *item);
}

/* A copy in exactly as much memory as it takes: a decoder's own buffers may be larger, and few. */
static void
keep_picture (Scan *scan, Picture *picture)
{
  gsize bytes = gst_buffer_get_size (picture->buffer);
  g_autoptr (GstBuffer) buffer = picture->buffer;
  picture->buffer = reserve (scan, bytes) ? gst_buffer_copy_deep (buffer) : NULL;
}

static void
look_at_picture (Scan *scan, guint32 number, Found *found, GError **error)
{
  Item item = {.file = number};
  const SlSampleFile *file = &g_array_index (scan->set->list->files, SlSampleFile, number);
  if (!decode_file (scan->set, file, &item.picture, error))
    return;
  keep_picture (scan, &item.picture);
  add_item (found, &item);
}

/* Frames at the wanted rate, by their time; those of a clip without times, one in 15. */
static void
take_frames (Scan *scan, guint32 number, SlDecoder *decoder, Found *found, GError **error)
{
  SlDecodedFrame frame;
  GstClockTime next = 0, step = (GstClockTime)(GST_SECOND / scan->clip_rate);
  while (!g_atomic_int_get (&scan->too_large) && sl_decoder_next (decoder, &frame)) {
    Item item = {.file = number, .frame = (guint32)frame.number};
    gboolean timed = GST_CLOCK_TIME_IS_VALID (frame.pts);
    if (timed ? frame.pts < next : frame.number % 15)
      continue;
    next = timed ? frame.pts + step : next;
    if (!take_picture (scan->set, frame.buffer, gst_sample_get_caps (frame.sample),
                       frame.orientation, &item.picture, error))
      return;
    keep_picture (scan, &item.picture);
    if (!item.picture.buffer) {
      g_atomic_int_set (&scan->too_large, TRUE);
      return;
    }
    add_item (found, &item);
  }
}

static void
look_at_clip (Scan *scan, guint32 number, Found *found, GError **error)
{
  const SlSampleList *list = scan->set->list;
  const SlSampleFile *file = &g_array_index (list->files, SlSampleFile, number);
  if (list->archive) {
    g_set_error_literal (error, SL_ERROR, SL_ERROR_UNSUPPORTED,
                         "is a clip in an archive (expected to be unpacked)");
    return;
  }
  g_autofree char *path = g_build_filename (list->root, file->name, NULL);
  g_autoptr (SlDecoder) decoder = sl_decoder_new (path, error);
  if (!decoder)
    return;
  take_frames (scan, number, decoder, found, error);
  const char *reason;
  if (!found->items && !g_atomic_int_get (&scan->too_large) && !(error && *error)) {
    sl_decoder_get_outcome (decoder, &reason);
    g_set_error (error, SL_ERROR, SL_ERROR_MALFORMED, "cannot be decoded: %s",
                 reason ? reason : "no frame came");
  }
}

static gpointer
look_at_files (gpointer data)
{
  Scan *scan = data;
  const GArray *files = scan->set->list->files;
  for (;;) {
    guint32 number = (guint32)g_atomic_int_add (&scan->next, 1);
    if (number >= files->len || g_atomic_int_get (&scan->too_large))
      return NULL;
    const SlSampleFile *file = &g_array_index (files, SlSampleFile, number);
    g_autoptr (GError) error = NULL;
    if (file->part != scan->part)
      continue;
    if (file->problem)
      error = g_error_new_literal (SL_ERROR, SL_ERROR_IO, file->problem);
    else if (file->clip)
      look_at_clip (scan, number, &scan->found[number], &error);
    else
      look_at_picture (scan, number, &scan->found[number], &error);
    if (error) {
      g_autofree char *name = sl_sample_list_describe (scan->set->list, file);
      scan->found[number].problem = g_strdup_printf ("%s: %s", name, error->message);
    }
  }
}

static void
look_at_all (Scan *scan, guint threads)
{
  g_autoptr (GPtrArray) workers = g_ptr_array_new ();
  threads = MIN (threads ? threads : g_get_num_processors (), 64);
  for (guint t = 1; t < threads; t++) {
    GThread *worker = g_thread_try_new ("sl-samples", look_at_files, scan, NULL);
    if (worker)
      g_ptr_array_add (workers, worker);
  }
  look_at_files (scan);
  for (guint t = 0; t < workers->len; t++)
    g_thread_join (workers->pdata[t]);
}

/* --- the report --- */

void
sl_samples_report_free (SlSamplesReport *report)
{
  if (!report)
    return;
  g_strfreev (report->unreadable);
  g_free (report->unreadable_counts);
  g_free (report);
}

static void
count_picture (SlSamplesReport *report, const Picture *picture)
{
  gboolean on_side = picture->orientation >= 5;
  guint32 width = (guint32)GST_VIDEO_INFO_WIDTH (picture->info);
  guint32 height = (guint32)GST_VIDEO_INFO_HEIGHT (picture->info);
  guint32 size[2] = {on_side ? height : width, on_side ? width : height};
  guint32 *ranges[2] = {report->width, report->height};
  for (int i = 0; i < 2; i++) {
    ranges[i][0] = ranges[i][0] ? MIN (ranges[i][0], size[i]) : size[i];
    ranges[i][1] = MAX (ranges[i][1], size[i]);
  }
  report->n_kept += picture->buffer != NULL;
}

/* Moves what was found into the set and the report. */
static SlSamplesReport *
collect (Scan *scan)
{
  SampleSet *set = scan->set;
  SlSamplesReport *report = g_new0 (SlSamplesReport, 1);
  g_autoptr (GPtrArray) problems = g_ptr_array_new ();
  report->unreadable_counts = g_new0 (guint32, g_strv_length (set->list->classes));
  report->n_ignored = set->list->n_ignored;
  report->kept_bytes = scan->kept_bytes;
  for (guint f = 0; f < set->list->files->len; f++) {
    const SlSampleFile *file = &g_array_index (set->list->files, SlSampleFile, f);
    Found *found = &scan->found[f];
    if (file->part != scan->part)
      continue;
    report->n_files++;
    report->n_clips += file->clip != 0;
    if (found->problem) {
      g_ptr_array_add (problems, found->problem);
      report->unreadable_counts[file->label]++;
    }
    for (guint i = 0; found->items && i < found->items->len; i++) {
      count_picture (report, &g_array_index (found->items, Item, i).picture);
      g_array_append_val (set->items, g_array_index (found->items, Item, i));
    }
    if (found->items) { /* the pictures have moved */
      g_array_set_clear_func (found->items, NULL);
      g_array_unref (found->items);
    }
  }
  g_ptr_array_add (problems, NULL);
  report->unreadable = (char **)g_ptr_array_free (g_steal_pointer (&problems), FALSE);
  return report;
}

static SlSampleSource *
make_source (SampleSet *set, GError **error)
{
  gboolean sessions = FALSE;
  guint n = set->items->len, lone = 0;
  g_autofree guint32 *labels = g_new (guint32, MAX (n, 1));
  g_autofree guint32 *groups = g_new (guint32, MAX (n, 1));
  for (guint i = 0; i < n; i++) {
    guint32 number = g_array_index (set->items, Item, i).file;
    const SlSampleFile *file = &g_array_index (set->list->files, SlSampleFile, number);
    labels[i] = file->label;
    groups[i] = file->session ? file->session : G_MAXUINT32 - lone++; /* one of its own */
    sessions |= file->session != 0;
  }
  return sl_sample_source_new (
      &(SlSampleSourceSpec){
          .n_samples = n,
          .labels = labels,
          .groups = sessions ? groups : NULL,
          .n_classes = g_strv_length (set->list->classes),
          .class_names = (const char *const *)set->list->classes,
          .load = load,
          .release = release,
          .describe = describe,
          .get_hash = get_hash,
          .destroy = destroy,
          .data = set,
      },
      error);
}

static gboolean
check_found (const Scan *scan, const SlSamplesReport *report, const char *path, GError **error)
{
  g_autofree char *shown = g_filename_display_name (path);
  if (g_atomic_int_get (&scan->too_large))
    g_set_error (error, SL_ERROR, SL_ERROR_LIMIT,
                 "%s: the frames of its clips take more than %" G_GUINT64_FORMAT
                 " bytes (expected fewer frames a second, or a higher limit)",
                 shown, scan->memory_limit);
  else if (scan->set->list->problems[scan->part])
    g_set_error (error, SL_ERROR, SL_ERROR_IO, "%s: its '%s' part cannot be read: %s", shown,
                 sl_data_part_get_name (scan->part), scan->set->list->problems[scan->part]);
  else if (!report->n_files)
    g_set_error (error, SL_ERROR, SL_ERROR_NOT_FOUND,
                 "%s: has no '%s' part (expected a folder of that name)", shown,
                 sl_data_part_get_name (scan->part));
  else if (!scan->set->items->len)
    g_set_error (error, SL_ERROR, SL_ERROR_IO,
                 "%s: none of %" G_GUINT64_FORMAT " files can be read, the first: %s", shown,
                 report->n_files, report->unreadable[0]);
  else
    return TRUE;
  return FALSE;
}

static SlSampleSource *
open_list (SlSampleList *list, SlDataPart part, const SlSamplesOptions *options,
           SlSamplesReport **ret_report, GError **error)
{
  SampleSet *set = g_new0 (SampleSet, 1);
  set->list = list;
  g_mutex_init (&set->lock);
  set->items = g_array_new (FALSE, FALSE, sizeof (Item));
  g_array_set_clear_func (set->items, clear_item);
  set->infos = g_ptr_array_new_with_free_func ((GDestroyNotify)gst_video_info_free);

  Scan scan = {
      .set = set, .part = part, .memory_limit = DEFAULT_MEMORY, .clip_rate = DEFAULT_CLIP_RATE};
  if (options && options->memory_limit)
    scan.memory_limit = options->memory_limit;
  if (options && options->clip_rate > 0)
    scan.clip_rate = options->clip_rate;
  scan.found = g_new0 (Found, list->files->len);
  g_mutex_init (&scan.lock);
  look_at_all (&scan, options ? options->threads : 0);
  g_autoptr (SlSamplesReport) report = collect (&scan);
  g_mutex_clear (&scan.lock);
  g_free (scan.found);

  if (!check_found (&scan, report, list->root, error)) {
    destroy (set);
    return NULL;
  }
  SlSampleSource *source = make_source (set, error);
  if (source && ret_report)
    *ret_report = g_steal_pointer (&report);
  return source;
}

/* What is known of a data set that the engine reads itself. */
static SlSamplesReport *
report_known (SlSampleSource *source)
{
  SlSample sample;
  SlSamplesReport *report = g_new0 (SlSamplesReport, 1);
  report->n_kept = report->n_files = sl_sample_source_get_n_samples (source);
  report->unreadable = g_new0 (char *, 1);
  report->unreadable_counts = g_new0 (guint32, sl_sample_source_get_n_classes (source));
  if (sl_sample_source_load (source, 0, &sample, NULL)) {
    report->width[0] = report->width[1] = sample.info.width;
    report->height[0] = report->height[1] = sample.info.height;
    guint32 components = sample.info.format == SL_PIXEL_GRAY8 ? 1 : 3;
    report->kept_bytes = report->n_files * sample.info.width * sample.info.height * components;
    sl_sample_source_release (source, &sample);
  }
  return report;
}

SlSampleSource *
sl_samples_open (const char *path, SlDataPart part, const SlSamplesOptions *options,
                 SlSamplesReport **ret_report, GError **error)
{
  g_return_val_if_fail (path && (unsigned)part < SL_PART_COUNT, NULL);
  g_autoptr (GError) unknown = NULL;
  if (ret_report)
    *ret_report = NULL;
  SlSampleSource *source = sl_sample_source_open (path, part, &unknown);
  if (source && ret_report)
    *ret_report = report_known (source);
  if (source)
    return source;
  if (!g_error_matches (unknown, SL_ERROR, SL_ERROR_UNSUPPORTED)) {
    g_propagate_error (error, g_steal_pointer (&unknown));
    return NULL;
  }
  SlSampleList *list = sl_sample_list_new (path, error);
  return list ? open_list (list, part, options, ret_report, error) : NULL;
}
