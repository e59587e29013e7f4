#include "restoration.h"

#include "chart.h"
#include "json.h"
#include "report.h"
#include "text.h"

#include <math.h>
#include <string.h>

#define READ_WORKERS 2
#define SHOWN 10u
#define TILE 96.0
#define GAP 8.0
#define MARGIN 16.0
#define CAPTION 90.0

/* A network with its loader, and elements of samples in ONNX order. */
typedef struct {
  const ToolRestorationOptions *options;
  SlProgram *program;
  SlRun *run;
  SlLoader *loader;
  gsize n;              /* elements of a sample */
  float *clean, *given; /* [batch][n] */
  float *said;          /* [n] */
} Restorer;

/* What is done with a sample: its own elements, those that the network was given, and its answer.
 */
typedef void (*SampleFunc) (void *data, guint64 number, const Restorer *restorer,
                            const float *clean, const float *given);

static void
restorer_clear (Restorer *restorer)
{
  sl_loader_free (restorer->loader);
  g_clear_pointer (&restorer->run, sl_run_free);
  g_clear_pointer (&restorer->program, sl_program_unref);
  g_free (restorer->clean);
  g_free (restorer->given);
  g_free (restorer->said);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Restorer, restorer_clear)

static gsize
count_elements (const SlShape *shape)
{
  size_t n = 0;
  SlShape sample = *shape;
  sample.dim[0] = 1;
  return shape->rank > 0 && sl_shape_get_elements (&sample, &n) ? n : 0;
}

static gboolean
restorer_init (Restorer *restorer, const ToolRestorationOptions *options, SlSampleSource *source,
               GError **error)
{
  const guint32 batch = MIN (options->batch, sl_sample_source_get_n_samples (source));
  const SlProgramOptions how = {
      .device = options->device, .batch = batch, .float_ports = TRUE, .frozen = TRUE};
  const SlLoaderOptions loading = {
      .rules = &options->rules->preprocess, .batch = batch, .workers = READ_WORKERS};
  restorer->options = options;
  restorer->program = sl_program_new (options->model, &how, error);
  if (!restorer->program)
    return FALSE;
  const SlPort *input = sl_program_get_input (restorer->program, 0);
  const SlPort *output = sl_program_get_output (restorer->program, 0);
  restorer->n = count_elements (&input->shape);
  if (restorer->n == 0 || restorer->n != count_elements (&output->shape)) {
    g_autofree char *in = sl_shape_to_string (&input->shape);
    g_autofree char *out = sl_shape_to_string (&output->shape);
    g_set_error (error, SL_ERROR, SL_ERROR_SHAPE,
                 "the network makes %s of %s (expected as much, since it is to restore its input)",
                 out, in);
    return FALSE;
  }
  restorer->clean = g_new (float, batch * restorer->n);
  restorer->given = g_new (float, batch * restorer->n);
  restorer->said = g_new (float, restorer->n);
  restorer->run = sl_run_new (restorer->program, error);
  restorer->loader = restorer->run ? sl_loader_new (source, &loading, error) : NULL;
  return restorer->loader != NULL;
}

/* Sample `number` of a batch between its view and a vector in ONNX order. */
static void
copy_sample (const SlTensorView *view, guint32 number, float *vector, gboolean to_view)
{
  gint64 at[SL_MAX_RANK] = {0};
  const gsize n = count_elements (&view->shape);
  for (gsize i = 0; i < n; i++) {
    ptrdiff_t offset = number * view->stride[0];
    for (guint32 k = 1; k < view->shape.rank; k++)
      offset += at[k] * view->stride[k];
    float *element = (float *)view->data + offset;
    if (to_view)
      *element = vector[i];
    else
      vector[i] = *element;
    for (guint32 k = view->shape.rank; k-- > 1 && ++at[k] == view->shape.dim[k];)
      at[k] = 0;
  }
}

static void
mask (const ToolRestorationOptions *options, guint32 index, float *vector, gsize n)
{
  const guint32 seed[] = {(guint32)options->seed, (guint32)(options->seed >> 32), index};
  g_autoptr (GRand) rand = g_rand_new_with_seed_array (seed, G_N_ELEMENTS (seed));
  for (gsize i = 0; i < n; i++)
    if (g_rand_double (rand) < options->mask)
      vector[i] = 0;
}

/* The next batch into the input, masked or not, and both into the vectors. */
static gboolean
load_batch (Restorer *restorer, gboolean masked, SlBatch *batch, GError **error)
{
  SlTensorView input;
  sl_run_get_input (restorer->run, 0, &input);
  if (!sl_loader_next (restorer->loader, &input, NULL, batch, error))
    return FALSE;
  for (guint32 k = 0; k < batch->n; k++) {
    float *clean = restorer->clean + k * restorer->n, *given = restorer->given + k * restorer->n;
    copy_sample (&input, k, clean, FALSE);
    memcpy (given, clean, restorer->n * sizeof *given);
    if (masked) {
      mask (restorer->options, batch->indices[k], given, restorer->n);
      copy_sample (&input, k, given, TRUE);
    }
  }
  return TRUE;
}

/* Calls `take` with each sample of the source. */
static gboolean
restore_all (Restorer *restorer, gboolean masked, const char *what, SampleFunc take, void *data,
             GError **error)
{
  SlTensorView output;
  ToolProgress progress;
  guint64 number = 0;
  const guint32 n = sl_loader_get_n_batches (restorer->loader);
  gboolean good = TRUE;
  tool_progress_start (&progress, what);
  sl_run_get_output (restorer->run, 0, &output);
  for (guint32 i = 0; i < n && good; i++) {
    SlBatch batch;
    good = load_batch (restorer, masked, &batch, error) && sl_run_execute (restorer->run, error);
    for (guint32 k = 0; good && k < batch.n; k++) {
      copy_sample (&output, k, restorer->said, FALSE);
      take (data, number++, restorer, restorer->clean + k * restorer->n,
            restorer->given + k * restorer->n);
    }
    tool_progress_draw (&progress, (double)(i + 1) / n, what);
  }
  tool_progress_end (&progress);
  return good;
}

/* --- figures --- */

typedef struct {
  double squares, distances; /* sums over all elements */
  guint64 n;
} Sums;

static void
add_errors (void *data, guint64 number, const Restorer *restorer, const float *clean,
            const float *given)
{
  Sums *sums = data;
  for (gsize i = 0; i < restorer->n; i++) {
    const double off = (double)restorer->said[i] - (double)clean[i];
    sums->squares += off * off;
    sums->distances += fabs (off);
  }
  sums->n++;
}

void
tool_restoration_free (ToolRestoration *restoration)
{
  if (!restoration)
    return;
  g_strfreev (restoration->failures);
  g_free (restoration);
}

ToolRestoration *
tool_restoration_new (const ToolRestorationOptions *options, SlSampleSource *source,
                      const char *part, GError **error)
{
  g_auto (Restorer) restorer = {0};
  Sums whole = {0}, masked = {0};
  if (!restorer_init (&restorer, options, source, error) ||
      !restore_all (&restorer, FALSE, part, add_errors, &whole, error) ||
      (options->mask > 0 && !restore_all (&restorer, TRUE, "masked", add_errors, &masked, error)))
    return NULL;
  if (whole.n == 0) {
    g_auto (GStrv) failures = sl_loader_list_failures (restorer.loader);
    g_set_error (error, SL_ERROR, SL_ERROR_IO, "none of the samples can be read, the first: %s",
                 failures[0]);
    return NULL;
  }
  ToolRestoration *restoration = g_new (ToolRestoration, 1);
  *restoration = (ToolRestoration){
      .model = sl_model_get_name (options->model),
      .hash = sl_model_get_hash (options->model),
      .part = part,
      .n = whole.n,
      .mse = whole.squares / ((double)whole.n * (double)restorer.n),
      .mae = whole.distances / ((double)whole.n * (double)restorer.n),
      .mask = options->mask,
      .masked_mse = options->mask > 0 ? masked.squares / ((double)masked.n * (double)restorer.n)
                                      : (double)NAN,
      .failures = sl_loader_list_failures (restorer.loader),
  };
  return restoration;
}

void
tool_restoration_format_text (const ToolRestoration *restoration, GString *text)
{
  g_autofree char *n = tool_group_digits (restoration->n);
  g_string_append_printf (text, "%s on %s samples, part %s\nmse %.6f  mae %.6f\n",
                          restoration->model, n, restoration->part, restoration->mse,
                          restoration->mae);
  if (restoration->mask > 0)
    g_string_append_printf (text, "mse %.6f with %g %% of the input set to 0\n",
                            restoration->masked_mse, 100 * restoration->mask);
}

void
tool_restoration_format_json (const ToolRestoration *restoration, GString *text)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  tool_json_string (builder, "file", restoration->model);
  tool_json_string (builder, "model", restoration->hash);
  tool_json_string (builder, "part", restoration->part);
  tool_json_int (builder, "samples", (gint64)restoration->n);
  tool_json_double (builder, "mse", restoration->mse);
  tool_json_double (builder, "mae", restoration->mae);
  if (restoration->mask > 0) {
    tool_json_double (builder, "mask", restoration->mask);
    tool_json_double (builder, "masked_mse", restoration->masked_mse);
  }
  json_builder_end_object (builder);
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  g_autofree char *json = json_to_string (root, FALSE);
  g_string_append_printf (text, "%s\n", json);
}

/* --- the grid --- */

typedef struct {
  guint n, n_rows;
  cairo_surface_t *pictures[SHOWN][3]; /* as it is, given, said */
} Grid;

static cairo_surface_t *
make_picture (const SlPreprocess *rules, const float *planes)
{
  const gsize pixels = (gsize)rules->width * rules->height;
  const ptrdiff_t strides[3] = {(ptrdiff_t)pixels, rules->width, 1};
  g_autofree guint8 *rgb = g_malloc (pixels * 3);
  sl_preprocess_to_rgb (rules, planes, strides, rgb);
  return tool_chart_new_picture (rgb, rules->width, rules->height);
}

static void
add_pictures (void *data, guint64 number, const Restorer *restorer, const float *clean,
              const float *given)
{
  Grid *grid = data;
  const SlPreprocess *rules = &restorer->options->rules->preprocess;
  const float *const vectors[] = {clean, given, restorer->said};
  for (guint i = 0; number < SHOWN && i < G_N_ELEMENTS (vectors); i++)
    grid->pictures[number][i] = make_picture (rules, vectors[i]);
  grid->n = (guint)MIN (number + 1, SHOWN);
}

static void
draw (cairo_t *cairo, double width, double height, const void *data)
{
  static const char *const names[] = {"sample", "given", "restored"};
  const Grid *grid = data;
  guint row = 0;
  cairo_set_source_rgb (cairo, 1, 1, 1);
  cairo_paint (cairo);
  cairo_select_font_face (cairo, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size (cairo, 14);
  for (guint kind = 0; kind < G_N_ELEMENTS (names); kind++) {
    if (kind == 1 && grid->n_rows == 2) /* it was given as it is */
      continue;
    const double y = MARGIN + row++ * (TILE + GAP);
    tool_chart_set_color (cairo, 0x222222);
    tool_chart_text (cairo, MARGIN, y + TILE / 2 + 5, TOOL_ALIGN_LEFT, 0, names[kind]);
    for (guint i = 0; i < grid->n; i++) {
      cairo_save (cairo);
      cairo_translate (cairo, MARGIN + CAPTION + i * (TILE + GAP), y);
      tool_chart_draw_picture (cairo, grid->pictures[i][kind], TILE);
      cairo_restore (cairo);
    }
  }
}

gboolean
tool_restoration_write_samples (const char *path, const ToolRestorationOptions *options,
                                SlSampleSource *source, GError **error)
{
  const guint32 all = sl_sample_source_get_n_samples (source), n = MIN (all, SHOWN);
  guint32 indices[SHOWN];
  for (guint32 i = 0; i < n; i++)
    indices[i] = (guint32)((guint64)i * all / n);
  g_autoptr (SlSampleSource) some = sl_sample_source_new_subset (source, indices, n, error);
  g_auto (Restorer) restorer = {0};
  Grid grid = {.n_rows = options->mask > 0 ? 3 : 2};
  gboolean good =
      some && restorer_init (&restorer, options, some, error) &&
      restore_all (&restorer, options->mask > 0, "pictures", add_pictures, &grid, error);
  const double width = 2 * MARGIN + CAPTION + grid.n * (TILE + GAP) - GAP;
  const double height = 2 * MARGIN + grid.n_rows * (TILE + GAP) - GAP;
  good = good && tool_chart_write (path, width, height, draw, &grid, error);
  for (guint i = 0; i < grid.n; i++)
    for (guint k = 0; k < 3; k++)
      cairo_surface_destroy (grid.pictures[i][k]);
  return good;
}
