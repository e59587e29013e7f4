#include <sightline-gst/results.h>

#include <string.h>

/* Digits of a score. Seven tell neighbouring floats of the same size apart well below any network's
 * noise. */
#define SCORE_FORMAT "%.7g"

gboolean
sl_result_format_from_name (const char *name, SlResultFormat *ret_format)
{
  static const char *const names[] = {"text", "jsonl", "csv"};
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_strcmp0 (name, names[i]) == 0) {
      *ret_format = (SlResultFormat)i;
      return TRUE;
    }
  return FALSE;
}

static void
append_score (GString *out, float score)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  g_string_append (out, g_ascii_formatd (text, sizeof text, SCORE_FORMAT, (double)score));
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
    g_string_append_printf (out, "%s{\"index\":%u,\"label\":", i ? "," : "", label->index);
    append_json_string (out, label->label);
    g_string_append (out, ",\"score\":");
    append_score (out, label->score);
    g_string_append_c (out, '}');
  }
  g_string_append (out, "],\"model\":");
  append_json_string (out, result->model);
  g_string_append (out, "}\n");
}

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
append_csv (GString *out, guint columns, const SlResult *result)
{
  append_csv_field (out, result->source);
  g_string_append_printf (out, ",%" G_GUINT64_FORMAT ",", result->frame);
  if (GST_CLOCK_TIME_IS_VALID (result->pts))
    append_seconds (out, result->pts);
  g_string_append_c (out, ',');
  append_csv_field (out, result->model);
  for (guint i = 0; i < columns; i++) {
    if (i >= result->n_labels) {
      g_string_append (out, ",,,");
      continue;
    }
    g_string_append_printf (out, ",%u,", result->labels[i].index);
    append_csv_field (out, result->labels[i].label);
    g_string_append_c (out, ',');
    append_score (out, result->labels[i].score);
  }
  g_string_append (out, "\n");
}

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
  append_plain (out, result->source);
  g_string_append_printf (out, "  %" G_GUINT64_FORMAT "  ", result->frame);
  if (GST_CLOCK_TIME_IS_VALID (result->pts))
    g_string_append_printf (out, "%" G_GUINT64_FORMAT ".%03us ", result->pts / GST_SECOND,
                            (guint)(result->pts % GST_SECOND / GST_MSECOND));
  else
    g_string_append (out, "- ");
  for (guint i = 0; i < result->n_labels; i++) {
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    g_string_append (out, i ? ", " : " ");
    append_plain (out, result->labels[i].label);
    g_string_append_printf (out, " %s",
                            g_ascii_formatd (text, sizeof text, "%.3f", result->labels[i].score));
  }
  g_string_append (out, result->n_labels ? "\n" : " -\n");
}

void
sl_result_append_header (GString *out, SlResultFormat format, guint columns)
{
  if (format != SL_RESULT_CSV)
    return;
  g_string_append (out, "source,frame,pts,model");
  for (guint i = 1; i <= columns; i++)
    g_string_append_printf (out, ",index%u,label%u,score%u", i, i, i);
  g_string_append (out, "\n");
}

void
sl_result_append (GString *out, SlResultFormat format, guint columns, const SlResult *result)
{
  g_return_if_fail (out && result && result->source && result->model);
  switch (format) {
  case SL_RESULT_TEXT:
    append_text (out, result);
    break;
  case SL_RESULT_JSONL:
    append_json (out, result);
    break;
  case SL_RESULT_CSV:
    append_csv (out, columns, result);
    break;
  }
}
