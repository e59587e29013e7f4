/* Writes pictures of synthetic scenes as raw RGB, three bytes a pixel, to standard output, and what
 * they show to a file, one line a picture: class, x, y, width, height (pixels), tab-separated.
 *
 *   scene-frames --size 320x180 --count 1000 --truth truth.tsv | …
 *
 * Without --rate every picture is a scene of its own at a random moment: samples for training. With
 * it they are the frames of one clip that shows every class in turn. */
#include "../../plugins/lib/scene.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

typedef struct Options {
  char *size, *truth;
  int width, height, count;
  gint64 seed;
  double low, high; /* difficulty */
  double rate, turn;
} Options;

static bool
parse (Options *o, int *argc, char ***argv, GError **error)
{
  const GOptionEntry entries[] = {
      {"size", 0, 0, G_OPTION_ARG_STRING, &o->size, "Picture size (320x180)", "WxH"},
      {"count", 0, 0, G_OPTION_ARG_INT, &o->count, "Number of pictures (100)", "N"},
      {"seed", 0, 0, G_OPTION_ARG_INT64, &o->seed, "Of everything random (1)", "N"},
      {"easiest", 0, 0, G_OPTION_ARG_DOUBLE, &o->low, "Least difficulty (0)", "0..1"},
      {"hardest", 0, 0, G_OPTION_ARG_DOUBLE, &o->high, "Greatest difficulty (1)", "0..1"},
      {"rate", 0, 0, G_OPTION_ARG_DOUBLE, &o->rate, "One clip of that many frames a second", "FPS"},
      {"turn", 0, 0, G_OPTION_ARG_DOUBLE, &o->turn, "Seconds of a class in a clip (2)", "S"},
      {"truth", 0, 0, G_OPTION_ARG_FILENAME, &o->truth, "Where the truth goes", "FILE"},
      {NULL}};
  g_autoptr (GOptionContext) context = g_option_context_new ("- write labelled synthetic pictures");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    return false;
  bool sized = !o->size || sscanf (o->size, "%dx%d", &o->width, &o->height) == 2;
  if (*argc != 1 || !sized || MIN (o->width, o->height) < 1 ||
      MAX (o->width, o->height) > SL_SCENE_MAX_SIZE || o->count < 1 || o->turn <= 0 ||
      o->rate < 0 || !(o->low >= 0 && o->low <= o->high && o->high <= 1)) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "bad arguments (see --help)");
    return false;
  }
  return true;
}

/* A number in [0, 1) for @index, evenly spread whatever the number of pictures. */
static double
spread (int index, double step)
{
  double x = 0.5 + step * index;
  return x - (double)(gint64)x;
}

static SlScene
choose_scene (const Options *o, int index, double *seconds)
{
  SlScene scene = {.seed = (uint64_t)o->seed, .klass = SL_SCENE_EVERY_CLASS, .turn = o->turn};
  scene.difficulty = SL_SCENE_DIFFICULTY (o->high);
  if (o->rate > 0) {
    *seconds = index / o->rate;
    return scene;
  }
  /* Two irrational steps keep difficulty and time independent of the class and of each other. */
  scene.seed = ((uint64_t)o->seed << 32) + (uint64_t)index;
  scene.klass = index % sl_scene_n_classes ();
  scene.turn = 0;
  double difficulty = o->low + (o->high - o->low) * spread (index, 0.6180339887498949);
  scene.difficulty = SL_SCENE_DIFFICULTY (difficulty);
  *seconds = 20 * spread (index, 0.7548776662466927);
  return scene;
}

static void
pack_rgb (const uint32_t *words, uint8_t *rgb, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    rgb[3 * i + 0] = (uint8_t)(words[i] >> 16);
    rgb[3 * i + 1] = (uint8_t)(words[i] >> 8);
    rgb[3 * i + 2] = (uint8_t)words[i];
  }
}

static bool
write_frames (const Options *o, FILE *pictures, FILE *truths)
{
  size_t n = (size_t)o->width * (size_t)o->height;
  g_autofree uint32_t *words = g_new (uint32_t, n);
  g_autofree uint8_t *rgb = g_malloc (3 * n);
  for (int i = 0; i < o->count; i++) {
    SlSceneTruth truth;
    double seconds;
    SlScene scene = choose_scene (o, i, &seconds);
    if (!sl_scene_draw (&scene, seconds, (uint8_t *)words, o->width, o->height,
                        4 * (size_t)o->width, &truth))
      return false;
    pack_rgb (words, rgb, n);
    if (fwrite (rgb, 3, n, pictures) != n)
      return false;
    if (truths && fprintf (truths, "%s\t%.2f\t%.2f\t%.2f\t%.2f\n", sl_scene_label (truth.klass),
                           truth.x, truth.y, truth.width, truth.height) < 0)
      return false;
  }
  return fflush (pictures) == 0 && (!truths || fflush (truths) == 0);
}

int
main (int argc, char **argv)
{
  Options o = {.width = 320, .height = 180, .count = 100, .seed = 1, .high = 1, .turn = 2};
  g_autoptr (GError) error = NULL;
  if (!parse (&o, &argc, &argv, &error)) {
    fprintf (stderr, "scene-frames: %s\n", error->message);
    return 2;
  }
  FILE *truths = o.truth ? fopen (o.truth, "w") : NULL;
  bool done = (!o.truth || truths) && write_frames (&o, stdout, truths);
  if (!done)
    fprintf (stderr, "scene-frames: cannot write: %s\n", strerror (errno));
  if (truths && fclose (truths) != 0)
    done = false;
  g_free (o.size);
  g_free (o.truth);
  return done ? 0 : 1;
}
