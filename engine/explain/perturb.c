#include "explain/perturb.h"

#include "core/random.h"
#include "explain/layer.h"
#include "explain/view.h"

#include <string.h>

#define BATCH 8
#define CELLS 14     /* of OCCLUSION along a side; a square hides its cell and the ones beside */
#define MASKS 1000   /* of RISE; the paper takes 4000 to 8000 */
#define MASK_CELLS 7 /* along a side, open with probability 1/2, as in the paper */

struct SlExplainPerturb {
  SlModel *model;
  SlExplainOptions options;
  gboolean takes_one; /* picture at a time, as was found */
  SlShape shape;      /* of the input that the program is for */
  SlProgram *program; /* NULL: none yet */
  SlRun *run;
};

/* A picture that is asked about: what is hidden of it, per position: 0 to 1 of it stay. */
typedef void (*MaskFunc) (const SlExplainPerturb *self, uint32_t number, uint32_t width,
                          uint32_t height, float *ret);

SlExplainPerturb *
sl_explain_perturb_new (SlModel *model, const SlExplainOptions *options)
{
  SlExplainPerturb *self = g_new0 (SlExplainPerturb, 1);
  self->model = sl_model_ref (model);
  self->options = *options;
  if (self->options.samples == 0)
    self->options.samples = options->method == SL_EXPLAIN_OCCLUSION ? CELLS : MASKS;
  return self;
}

void
sl_explain_perturb_free (SlExplainPerturb *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->run, sl_run_free);
  g_clear_pointer (&self->program, sl_program_unref);
  sl_model_unref (self->model);
  g_free (self);
}

static gboolean
compile (SlExplainPerturb *self, const SlShape *shape, GError **error)
{
  const SlProgramOptions options = {.device = self->options.device,
                                    .threads = self->options.threads,
                                    .shapes = shape,
                                    .n_shapes = 1,
                                    .float_ports = TRUE,
                                    .frozen = TRUE};
  g_clear_pointer (&self->run, sl_run_free);
  g_clear_pointer (&self->program, sl_program_unref);
  self->program = sl_program_new (self->model, &options, error);
  if (self->program == NULL)
    return FALSE;
  self->run = sl_run_new (self->program, error);
  self->shape = *shape;
  return self->run != NULL;
}

gboolean
sl_explain_perturb_prepare (SlExplainPerturb *self, const SlTensorView *input, GError **error)
{
  SlShape shape = input->shape;
  for (;;) {
    shape.dim[0] = self->takes_one ? 1 : BATCH;
    if (self->run != NULL && sl_shape_equal (&shape, &self->shape))
      return TRUE;
    if (compile (self, &shape, self->takes_one ? error : NULL))
      return TRUE;
    if (self->takes_one)
      return FALSE;
    self->takes_one = TRUE;
  }
}

/* --- Asking --- */

/* One number for each picture of the batch. */
static void
read_answers (SlExplainPerturb *self, const SlExplainTarget *target, double *ret)
{
  SlTensorView scores;
  sl_run_get_output (self->run, 0, &scores);
  for (int64_t b = 0; b < self->shape.dim[0]; b++) {
    SlTensorView one = sl_view_slice (&scores, (size_t)b);
    ret[b] = sl_view_load (&one, target->klass);
    if (target->has_other)
      ret[b] -= sl_view_load (&one, target->other);
  }
}

/* The input seen through masks `first` … `first` + n - 1; those behind are of no interest. */
static void
fill_inputs (SlExplainPerturb *self, const SlPicture *picture, MaskFunc make_mask, uint32_t first,
             uint32_t n, float *masks)
{
  const size_t area = (size_t)picture->width * picture->height;
  SlTensorView all;
  sl_run_get_input (self->run, 0, &all);
  for (uint32_t b = 0; b < n; b++) {
    float *mask = masks + b * area;
    SlTensorView one = sl_view_slice (&all, b);
    make_mask (self, first + b, picture->width, picture->height, mask);
    sl_picture_write (picture, mask, &one);
  }
}

/* Answers to pictures seen through n masks, in their order: `take` gets each. */
typedef void (*TakeFunc) (void *data, uint32_t number, double answer, const float *mask);

static gboolean
ask (SlExplainPerturb *self, const SlPicture *picture, const SlExplainTarget *target,
     MaskFunc make_mask, uint32_t n, TakeFunc take, void *data, GError **error)
{
  const uint32_t batch = (uint32_t)self->shape.dim[0];
  const size_t area = (size_t)picture->width * picture->height;
  g_autofree float *masks = g_new (float, batch *area);
  g_autofree double *answers = g_new (double, batch);
  for (uint32_t first = 0; first < n; first += batch) {
    const uint32_t some = MIN (batch, n - first);
    fill_inputs (self, picture, make_mask, first, some, masks);
    if (!sl_run_execute (self->run, error))
      return FALSE;
    read_answers (self, target, answers);
    for (uint32_t b = 0; b < some; b++)
      take (data, first + b, answers[b], masks + b * area);
  }
  return TRUE;
}

/* --- Occlusion --- */

static void
get_cells (const SlExplainPerturb *self, uint32_t width, uint32_t height, uint32_t *ret_x,
           uint32_t *ret_y)
{
  *ret_x = MIN (self->options.samples, width);
  *ret_y = MIN (self->options.samples, height);
}

/* Mask 0 hides nothing, mask 1 + i the surroundings of cell i. */
static void
make_square (const SlExplainPerturb *self, uint32_t number, uint32_t width, uint32_t height,
             float *ret)
{
  uint32_t cells_x, cells_y;
  get_cells (self, width, height, &cells_x, &cells_y);
  for (size_t i = 0; i < (size_t)width * height; i++)
    ret[i] = 1;
  if (number == 0)
    return;
  const uint32_t x = (number - 1) % cells_x, y = (number - 1) / cells_x;
  const uint32_t left = (x > 0 ? x - 1 : 0) * width / cells_x;
  const uint32_t top = (y > 0 ? y - 1 : 0) * height / cells_y;
  const uint32_t right = MIN (x + 2, cells_x) * width / cells_x;
  const uint32_t bottom = MIN (y + 2, cells_y) * height / cells_y;
  for (uint32_t row = top; row < bottom; row++)
    memset (ret + (size_t)row * width + left, 0, (right - left) * sizeof *ret);
}

typedef struct Losses {
  double whole; /* the answer to the picture as it is */
  float *map;
} Losses;

static void
take_loss (void *data, uint32_t number, double answer, const float *mask)
{
  Losses *losses = data;
  if (number == 0)
    losses->whole = answer;
  else
    losses->map[number - 1] = (float)(losses->whole - answer);
}

/* --- RISE --- */

/* A coarse grid of open and shut cells, one more along each side, enlarged, and shifted by a part
 * of a cell. */
static void
make_random (const SlExplainPerturb *self, uint32_t number, uint32_t width, uint32_t height,
             float *ret)
{
  SlRandom random = sl_random_start (self->options.seed, SL_RANDOM_RISE, number, 0);
  float cells[MASK_CELLS + 2][MASK_CELLS + 2];
  for (uint32_t y = 0; y < MASK_CELLS + 2; y++)
    for (uint32_t x = 0; x < MASK_CELLS + 2; x++)
      cells[y][x] = (float)sl_random_below (&random, 2);
  const float shift_x = sl_random_between (&random, 0, 1);
  const float shift_y = sl_random_between (&random, 0, 1);
  for (uint32_t row = 0; row < height; row++) {
    const float v = ((float)row + 0.5f) * MASK_CELLS / (float)height + shift_y;
    const uint32_t y = MIN ((uint32_t)v, MASK_CELLS);
    const float fy = v - (float)y;
    for (uint32_t column = 0; column < width; column++) {
      const float u = ((float)column + 0.5f) * MASK_CELLS / (float)width + shift_x;
      const uint32_t x = MIN ((uint32_t)u, MASK_CELLS);
      const float fx = u - (float)x;
      const float above = cells[y][x] + fx * (cells[y][x + 1] - cells[y][x]);
      const float below = cells[y + 1][x] + fx * (cells[y + 1][x + 1] - cells[y + 1][x]);
      *ret++ = above + fy * (below - above);
    }
  }
}

typedef struct Means {
  size_t area;
  double *sum, *weight; /* of answer * mask, and of masks */
  double total;         /* of answers */
} Means;

static void
take_mean (void *data, uint32_t number, double answer, const float *mask)
{
  Means *means = data;
  means->total += answer;
  for (size_t i = 0; i < means->area; i++) {
    means->sum[i] += answer * (double)mask[i];
    means->weight[i] += (double)mask[i];
  }
}

static gboolean
map_random (SlExplainPerturb *self, const SlPicture *picture, const SlExplainTarget *target,
            float *ret, GError **error)
{
  const size_t area = (size_t)picture->width * picture->height;
  g_autofree double *sum = g_new0 (double, area), *weight = g_new0 (double, area);
  Means means = {.area = area, .sum = sum, .weight = weight};
  if (!ask (self, picture, target, make_random, self->options.samples, take_mean, &means, error))
    return FALSE;
  const double mean = means.total / self->options.samples;
  for (size_t i = 0; i < area; i++)
    ret[i] = weight[i] > 0 ? (float)(sum[i] / weight[i] - mean) : 0;
  return TRUE;
}

/* --- Maps --- */

void
sl_explain_perturb_get_size (const SlExplainPerturb *self, const SlTensorView *input,
                             uint32_t *ret_width, uint32_t *ret_height)
{
  sl_view_get_size (input, ret_width, ret_height);
  if (self->options.method == SL_EXPLAIN_OCCLUSION)
    get_cells (self, *ret_width, *ret_height, ret_width, ret_height);
}

gboolean
sl_explain_perturb_map (SlExplainPerturb *self, const SlTensorView *input,
                        const SlExplainTarget *target, float *ret, GError **error)
{
  g_auto (SlPicture) picture = {0};
  uint32_t cells_x, cells_y;
  sl_picture_init (&picture, input);
  if (!sl_explain_perturb_prepare (self, input, error))
    return FALSE;
  if (self->options.method == SL_EXPLAIN_RISE)
    return map_random (self, &picture, target, ret, error);
  get_cells (self, picture.width, picture.height, &cells_x, &cells_y);
  Losses losses = {.map = ret};
  return ask (self, &picture, target, make_square, 1 + cells_x * cells_y, take_loss, &losses,
              error);
}
