#include "report.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BAR_WIDTH 30
#define MIN_BAR_WIDTH 10
/* What stands beside a bar: brackets, the percentage, two spaces behind each. */
#define BAR_FRAME 9
#define DEFAULT_COLUMNS 80
#define DRAW_INTERVAL (G_USEC_PER_SEC / 10)
#define ERASE_LINE "\r\033[K"

static GMutex terminal; /* of standard error, and of what follows */
/* A bar is on the terminal's last line: to be erased before anything else is said. */
static gboolean bar_is_drawn;

static void
erase_bar (void)
{
  if (bar_is_drawn)
    fputs (ERASE_LINE, stderr);
  bar_is_drawn = FALSE;
}

static GLogWriterOutput
write_log (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  for (gsize i = 0; i < n_fields; i++)
    if (g_str_equal (fields[i].key, "GLIB_DOMAIN") &&
        (g_str_has_prefix (fields[i].value, "GStreamer") ||
         g_str_has_prefix (fields[i].value, "GLib")))
      return G_LOG_WRITER_HANDLED;
  return g_log_writer_default (level, fields, n_fields, data);
}

void
tool_quiet_libraries (void)
{
  if (!g_getenv ("G_MESSAGES_DEBUG") && !g_getenv ("GST_DEBUG"))
    g_log_set_writer_func (write_log, NULL, NULL);
}

static void
print_line (const char *prefix, const char *subject, const char *text)
{
  g_autofree char *line =
      g_strdup_printf ("%s%s%s%s", prefix, subject ? subject : "", subject ? ": " : "", text);
  g_strdelimit (line, "\r\n\t\033", ' ');
  g_strchomp (line);
  g_mutex_lock (&terminal);
  erase_bar ();
  fprintf (stderr, "%s\n", line);
  g_mutex_unlock (&terminal);
}

void
tool_error (const char *subject, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  print_line ("sightline: ", subject, text);
}

void
tool_gerror (const char *subject, const GError *error)
{
  gboolean said = subject && subject[0] && g_str_has_prefix (error->message, subject);
  print_line ("sightline: ", said ? NULL : subject, error->message);
}

void
tool_note (const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  print_line ("", NULL, text);
}

void
tool_progress_start (ToolProgress *progress, const char *what)
{
  progress->what = what;
  progress->start = g_get_monotonic_time ();
  progress->drawn = 0;
}

/* Whether it is time to draw, and there is somebody to look. */
static gboolean
is_due (ToolProgress *progress)
{
  gint64 now = g_get_monotonic_time ();
  if (now - progress->drawn < DRAW_INTERVAL || !isatty (STDERR_FILENO))
    return FALSE;
  progress->drawn = now;
  return TRUE;
}

static void
draw_bar (double part, int width)
{
  int filled = (int)(CLAMP (part, 0, 1) * width);
  char bar[BAR_WIDTH + 1];
  memset (bar, '#', (gsize)filled);
  memset (bar + filled, '.', (gsize)(width - filled));
  bar[width] = '\0';
  fprintf (stderr, "[%s] %3.0f %%  ", bar, part * 100);
}

/* What is longer than the line would be on two, and stay there. */
static void
draw_line (double part, const char *text)
{
  struct winsize size;
  const gboolean is_known = ioctl (STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  const int columns = is_known ? size.ws_col : DEFAULT_COLUMNS;
  const int room =
      columns - 1 - BAR_FRAME; /* a cursor behind the last column is on the next line */
  const int wanted = (int)g_utf8_strlen (text, -1);
  const int bar = CLAMP (room - wanted, MIN_BAR_WIDTH, BAR_WIDTH);
  g_autofree char *shown = g_utf8_substring (text, 0, CLAMP (room - bar, 0, wanted));
  draw_bar (part, bar);
  fputs (shown, stderr);
}

void
tool_progress_update (ToolProgress *progress, double part, guint64 frames)
{
  if (isatty (STDOUT_FILENO) || !is_due (progress))
    return;
  double seconds = (double)(progress->drawn - progress->start) / G_USEC_PER_SEC;
  g_autofree char *name = g_path_get_basename (progress->what);
  g_mutex_lock (&terminal);
  fputs (ERASE_LINE, stderr);
  if (part >= 0) {
    guint left = part > 0 ? (guint)(seconds / part * (1 - part) + 0.5) : 0;
    draw_bar (part, BAR_WIDTH);
    fprintf (stderr, "%u:%02u left  ", left / 60, left % 60);
  }
  fprintf (stderr, "%" G_GUINT64_FORMAT " frames, %.0f/s  %.40s", frames,
           seconds > 0 ? (double)frames / seconds : 0.0, name);
  fflush (stderr);
  bar_is_drawn = TRUE;
  g_mutex_unlock (&terminal);
}

void
tool_progress_draw (ToolProgress *progress, double part, const char *text)
{
  if (!is_due (progress))
    return;
  g_mutex_lock (&terminal);
  fputs (ERASE_LINE, stderr);
  draw_line (part, text);
  fflush (stderr);
  bar_is_drawn = TRUE;
  g_mutex_unlock (&terminal);
}

void
tool_progress_end (ToolProgress *progress)
{
  g_mutex_lock (&terminal);
  erase_bar ();
  fflush (stderr);
  g_mutex_unlock (&terminal);
}
