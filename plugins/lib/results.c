#include <sightline-gst/results.h>

#include <math.h>
#include <string.h>

/* Digits of scores and of boxes. Seven tell neighbouring floats of the same size apart well below
 * any network's noise, and are a thousandth of a pixel in the largest frames. */
#define NUMBER_FORMAT "%.7g"

gboolean
sl_result_format_from_name (const char *name, SlResultFormat *ret_format)
{
  static const char *const names[] = {"text", "jsonl", "csv", "vtt"};
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_strcmp0 (name, names[i]) == 0) {
      *ret_format = (SlResultFormat)i;
      return TRUE;
    }
  return FALSE;
}

gboolean
sl_result_format_from_path (const char *path, SlResultFormat *ret_format)
{
  static const struct {
    const char *suffix;
    SlResultFormat format;
  } rows[] = {
      {".txt", SL_RESULT_TEXT},     {".log", SL_RESULT_TEXT},   {".jsonl", SL_RESULT_JSONL},
      {".ndjson", SL_RESULT_JSONL}, {".json", SL_RESULT_JSONL}, {".csv", SL_RESULT_CSV},
      {".vtt", SL_RESULT_VTT},
  };
  const char *suffix = path ? strrchr (path, '.') : NULL;
  for (guint i = 0; suffix && i < G_N_ELEMENTS (rows); i++)
    if (g_ascii_strcasecmp (suffix, rows[i].suffix) == 0) {
      *ret_format = rows[i].format;
      return TRUE;
    }
  return FALSE;
}

/* --- numbers and times --- */

/* `absent` stands where there is no finite number. */
static void
append_number (GString *out, double number, const char *absent)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  g_string_append (
      out, isfinite (number) ? g_ascii_formatd (text, sizeof text, NUMBER_FORMAT, number) : absent);
}

/* Seconds, exact to the nanosecond, without a float in between. */
static void
append_seconds (GString *out, GstClockTime time)
{
  g_string_append_printf (out, "%" G_GUINT64_FORMAT, time / GST_SECOND);
  if (time % GST_SECOND == 0)
    return;
  g_string_append_printf (out, ".%09u", (guint)(time % GST_SECOND));
  while (out->str[out->len - 1] == '0')
    g_string_truncate (out, out->len - 1);
}

/* ISO 8601, UTC, always with microseconds, so that rows sort as text. */
static void
append_wall_time (GString *out, gint64 wall_time)
{
  gint64 seconds = wall_time / G_USEC_PER_SEC, rest = wall_time % G_USEC_PER_SEC;
  if (rest < 0) {
    seconds--;
    rest += G_USEC_PER_SEC;
  }
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (seconds);
  if (!time)
    return; /* beyond the year 9999 */
  g_string_append_printf (out, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", g_date_time_get_year (time),
                          g_date_time_get_month (time), g_date_time_get_day_of_month (time),
                          g_date_time_get_hour (time), g_date_time_get_minute (time),
                          g_date_time_get_second (time), (int)rest);
}

/* --- JSON Lines --- */

static void
append_json_string (GString *out, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_string_append_c (out, '"');
  for (const char *c = valid; *c; c++) {
    if (*c == '"' || *c == '\\')
      g_string_append_c (out, '\\');
    if ((guchar)*c < 0x20)
      g_string_append_printf (out, "\\u%04x", (guint)*c);
    else
      g_string_append_c (out, *c);
  }
  g_string_append_c (out, '"');
}

/* The class and its score, which labels and boxes have alike; the closing brace too. */
static void
append_json_class (GString *out, guint index, const char *label, float score)
{
  g_string_append_printf (out, "\"index\":%u,\"label\":", index);
  append_json_string (out, label);
  g_string_append (out, ",\"score\":");
  append_number (out, (double)score, "null");
  g_string_append_c (out, '}');
}

static void
append_json_boxes (GString *out, const SlBox *boxes, guint n_boxes)
{
  g_string_append (out, ",\"boxes\":[");
  for (guint i = 0; i < n_boxes; i++) {
    const struct {
      const char *name;
      double value;
    } sides[] = {{"x", boxes[i].x},
                 {"y", boxes[i].y},
                 {"width", boxes[i].width},
                 {"height", boxes[i].height}};
    g_string_append (out, i ? ",{" : "{");
    for (guint j = 0; j < G_N_ELEMENTS (sides); j++) {
      g_string_append_printf (out, "\"%s\":", sides[j].name);
      append_number (out, sides[j].value, "null");
      g_string_append_c (out, ',');
    }
    append_json_class (out, boxes[i].index, boxes[i].label, boxes[i].score);
  }
  g_string_append_c (out, ']');
}

static void
append_json (GString *out, const SlResult *result)
{
  g_string_append (out, "{\"source\":");
  append_json_string (out, result->source);
  g_string_append_printf (out, ",\"frame\":%" G_GUINT64_FORMAT ",\"pts\":", result->frame);
  if (GST_CLOCK_TIME_IS_VALID (result->pts))
    append_seconds (out, result->pts);
  else
    g_string_append (out, "null");
  g_string_append (out, ",\"labels\":[");
  for (guint i = 0; i < result->n_labels; i++) {
    const SlLabel *label = &result->labels[i];
    g_string_append (out, i ? ",{" : "{");
    append_json_class (out, label->index, label->label, label->score);
  }
  g_string_append (out, "],\"model\":");
  if (result->model)
    append_json_string (out, result->model);
  else
    g_string_append (out, "null");
  if (result->wall_time != 0) {
    g_string_append (out, ",\"time\":\"");
    append_wall_time (out, result->wall_time);
    g_string_append_c (out, '"');
  }
  if (result->producer) {
    g_string_append (out, ",\"producer\":");
    append_json_string (out, result->producer);
  }
  if (result->age > 0)
    g_string_append_printf (out, ",\"age\":%" G_GUINT64_FORMAT, result->age);
  if (result->n_boxes > 0)
    append_json_boxes (out, result->boxes, result->n_boxes);
  g_string_append (out, "}\n");
}

/* --- CSV --- */

static void
append_csv_field (GString *out, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  if (!strpbrk (valid, ",\"\r\n")) {
    g_string_append (out, valid);
    return;
  }
  g_string_append_c (out, '"');
  for (const char *c = valid; *c; c++) {
    if (*c == '"')
      g_string_append_c (out, '"');
    g_string_append_c (out, *c);
  }
  g_string_append_c (out, '"');
}

static void
append_csv (GString *out, const SlResultLayout *layout, const SlResult *result)
{
  append_csv_field (out, result->source);
  g_string_append_printf (out, ",%" G_GUINT64_FORMAT ",", result->frame);
  if (GST_CLOCK_TIME_IS_VALID (result->pts))
    append_seconds (out, result->pts);
  g_string_append_c (out, ',');
  append_csv_field (out, result->model ? result->model : "");
  if (layout->columns & SL_RESULT_COLUMN_TIME) {
    g_string_append_c (out, ',');
    if (result->wall_time != 0)
      append_wall_time (out, result->wall_time);
  }
  if (layout->columns & SL_RESULT_COLUMN_PRODUCER) {
    g_string_append_c (out, ',');
    append_csv_field (out, result->producer ? result->producer : "");
  }
  if (layout->columns & SL_RESULT_COLUMN_AGE)
    g_string_append_printf (out, ",%" G_GUINT64_FORMAT, result->age);
  for (guint i = 0; i < layout->labels; i++) {
    if (i >= result->n_labels) {
      g_string_append (out, ",,,");
      continue;
    }
    g_string_append_printf (out, ",%u,", result->labels[i].index);
    append_csv_field (out, result->labels[i].label);
    g_string_append_c (out, ',');
    append_number (out, (double)result->labels[i].score, "");
  }
  g_string_append (out, "\n");
}

/* --- text --- */

/* A line of text cannot hold control characters, whatever a file is called. */
static void
append_plain (GString *out, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_string_append (out, g_strdelimit (valid, "\t\r\n\033", ' '));
}

static void
append_text (GString *out, const SlResult *result)
{
  if (result->wall_time != 0) {
    append_wall_time (out, result->wall_time);
    g_string_append (out, "  ");
  }
  append_plain (out, result->source);
  g_string_append_printf (out, "  %" G_GUINT64_FORMAT "  ", result->frame);
  if (GST_CLOCK_TIME_IS_VALID (result->pts))
    g_string_append_printf (out, "%" G_GUINT64_FORMAT ".%03us ", result->pts / GST_SECOND,
                            (guint)(result->pts % GST_SECOND / GST_MSECOND));
  else
    g_string_append (out, "- ");
  if (result->producer) {
    g_string_append_c (out, ' ');
    append_plain (out, result->producer);
    g_string_append (out, ": ");
  }
  for (guint i = 0; i < result->n_labels; i++) {
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    g_string_append (out, i ? ", " : " ");
    append_plain (out, result->labels[i].label);
    g_string_append_printf (out, " %s",
                            g_ascii_formatd (text, sizeof text, "%.3f", result->labels[i].score));
  }
  if (result->n_labels == 0)
    g_string_append (out, " -");
  if (result->age > 0)
    g_string_append_printf (out, "  (%" G_GUINT64_FORMAT " frame%s old)", result->age,
                            result->age == 1 ? "" : "s");
  g_string_append_c (out, '\n');
}

/* --- WebVTT --- */

/* Milliseconds are cut, not rounded: a start never moves before its frame, and an end meets the
 * start that follows. */
static void
append_vtt_time (GString *out, GstClockTime time)
{
  GstClockTime seconds = time / GST_SECOND;
  g_string_append_printf (out, "%02" G_GUINT64_FORMAT ":%02u:%02u.%03u", seconds / 3600,
                          (guint)(seconds / 60 % 60), (guint)(seconds % 60),
                          (guint)(time % GST_SECOND / GST_MSECOND));
}

void
sl_result_append_cue (GString *out, const SlInterval *interval)
{
  g_return_if_fail (out && interval && interval->label);

  append_vtt_time (out, interval->start);
  g_string_append (out, " --> ");
  append_vtt_time (out, interval->end);
  g_string_append_c (out, '\n');
  g_autoptr (GString) label = g_string_new (NULL);
  append_plain (label, interval->label);
  for (const char *c = label->str; *c; c++)
    switch (*c) {
    case '&':
      g_string_append (out, "&amp;");
      break;
    case '<':
      g_string_append (out, "&lt;");
      break;
    case '>':
      g_string_append (out, "&gt;");
      break;
    default:
      g_string_append_c (out, *c);
    }
  g_string_append_printf (out, " %d%%\n\n", (int)lrintf (interval->score * 100));
}

/* --- all --- */

void
sl_result_append_header (GString *out, const SlResultLayout *layout)
{
  g_return_if_fail (out && layout);

  if (layout->format == SL_RESULT_VTT)
    g_string_append (out, "WEBVTT\n\n");
  if (layout->format != SL_RESULT_CSV)
    return;
  g_string_append (out, "source,frame,pts,model");
  if (layout->columns & SL_RESULT_COLUMN_TIME)
    g_string_append (out, ",time");
  if (layout->columns & SL_RESULT_COLUMN_PRODUCER)
    g_string_append (out, ",producer");
  if (layout->columns & SL_RESULT_COLUMN_AGE)
    g_string_append (out, ",age");
  for (guint i = 1; i <= layout->labels; i++)
    g_string_append_printf (out, ",index%u,label%u,score%u", i, i, i);
  g_string_append (out, "\n");
}

void
sl_result_append (GString *out, const SlResultLayout *layout, const SlResult *result)
{
  g_return_if_fail (out && layout && result && result->source);

  switch (layout->format) {
  case SL_RESULT_TEXT:
    append_text (out, result);
    break;
  case SL_RESULT_JSONL:
    append_json (out, result);
    break;
  case SL_RESULT_CSV:
    append_csv (out, layout, result);
    break;
  case SL_RESULT_VTT:
    g_return_if_reached ();
  }
}
