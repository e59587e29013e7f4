/* Takes the tables of cases in tests/ops (it stands in the place of their op_runner.c): for each
 * case whose op has a gradient, the gradient graph on the reference against central differences,
 * then the same graph on the CPU against the reference. */
#include "ops/op_runner.h"

#include "grad/grad.h"
#include "grad/numeric.h"
#include "grad/on_cpu.h"
#include "grad/readme.h"
#include "passes/passes.h"

#include <math.h>
#include <string.h>

/* Elements of an input that are looked at one by one; beyond that some, and whole directions. */
#define EACH 24
#define DIRECTIONS 3
#define ATTEMPTS 24
/* Operations that one test may take. */
#define WORK 4e8

/* Cases that ONNX leaves open: what is written twice at one place has no derivative. */
static const char *const open_cases[] = {"elements/last-wins", "elements/middle", NULL};

/* A case with a loss and the gradients of all its float inputs. */
typedef struct Case {
  const OpCase *row;
  char *what;
  SlGraph *graph;
  GPtrArray *contents; /* SlTensor, of graph->inputs */
  GPtrArray *wanted;   /* SlValue */
  SlValue **gradients;
  SlValue *loss;
  uint32_t n_nodes; /* that compute the loss: the first ones */
} Case;

static void
case_clear (Case *it)
{
  g_clear_pointer (&it->graph, sl_graph_free);
  g_clear_pointer (&it->contents, g_ptr_array_unref);
  g_clear_pointer (&it->wanted, g_ptr_array_unref);
  g_clear_pointer (&it->gradients, g_free);
  g_clear_pointer (&it->what, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Case, case_clear)

/* --- Building --- */

/* Float constants become inputs; FALSE if there are none. */
static bool
open_constants (Case *it)
{
  bool any = false;
  for (uint32_t i = 0; i < it->graph->values->len; i++) {
    SlValue *value = g_ptr_array_index (it->graph->values, i);
    size_t elements = 0;
    if (value->data == NULL || !sl_dtype_is_float (value->dtype) || value->uses->len == 0)
      continue;
    sl_shape_get_elements (&value->shape, &elements);
    value->kind = SL_VALUE_INPUT;
    g_ptr_array_add (it->contents, g_steal_pointer (&value->data));
    sl_graph_mark_input (it->graph, value);
    any = true;
  }
  return any;
}

static SlValue *
add_node (SlGraph *graph, const char *op, SlValue *a, SlValue *b)
{
  SlValue *inputs[] = {a, b};
  SlValue *output = sl_graph_add_value (graph, "loss", SL_VALUE_ACTIVATION);
  SlNode *node = sl_graph_add_node (graph, sl_op_find (op), "loss", NULL, b != NULL ? 2 : 1, inputs,
                                    1, &output);
  sl_attrs_set (node->op->attrs, node->attrs,
                &(SlRawAttr){.name = (char *)"keepdims", .type = SL_RAW_INT, .i = 0}, NULL);
  g_assert_true (sl_node_infer (node, NULL));
  return output;
}

/* The sum of all float outputs from number `first` on, each element times a number of its own, in
 * double precision. NULL if there are none. */
static SlValue *
add_loss (SlGraph *graph, uint32_t first, GRand *rand)
{
  SlValue *loss = NULL;
  for (uint32_t i = first; i < graph->outputs->len; i++) {
    SlValue *y = g_ptr_array_index (graph->outputs, i);
    size_t n = 0;
    sl_shape_get_elements (&y->shape, &n);
    if (!sl_dtype_is_float (y->dtype) || n == 0 || y->producer == NULL)
      continue;
    g_autoptr (SlTensor) factors = sl_tensor_new (SL_FLOAT64, &y->shape, NULL);
    SlRefTensor view = {.dtype = y->dtype, .n = n, .f = sl_tensor_get_data_writable (factors)};
    numeric_draw (&view, rand, DRAW_SIGNED);
    SlValue *factor = sl_graph_add_tensor (graph, "factor", SL_VALUE_CONSTANT, factors);
    SlValue *wide = sl_graph_add_value (graph, "wide", SL_VALUE_ACTIVATION);
    SlNode *cast = sl_graph_add_node (graph, sl_op_find ("CastLike"), "wide", NULL, 2,
                                      (SlValue *[]){y, factor}, 1, &wide);
    g_assert_true (sl_node_infer (cast, NULL));
    SlValue *sum = add_node (graph, "ReduceSum", add_node (graph, "Mul", wide, factor), NULL);
    loss = loss != NULL ? add_node (graph, "Add", loss, sum) : sum;
  }
  return loss;
}

/* FALSE where there is nothing to check. `opened`: with constants as inputs. */
static bool
case_build (Case *it, const OpCase *row, bool opened, uint32_t first_output, GError **error)
{
  SlPasses passes = {.evaluate = on_cpu_evaluate, .folded_limit = UINT64_MAX};
  g_autoptr (GRand) rand = g_rand_new_with_seed (g_str_hash (row->name) + 1);
  *it = (Case){.row = row, .wanted = g_ptr_array_new ()};
  it->what = g_strdup_printf ("%s%s%s", row->name, opened ? " (all inputs)" : "",
                              first_output > 0 ? " (last output)" : "");
  if (g_strv_contains (open_cases, row->name) || row->error != NULL ||
      row->act.kind != SL_ACT_NONE || !op_case_build (row, &it->graph, &it->contents, NULL) ||
      (opened && !open_constants (it)))
    return false;
  passes.graph = it->graph;
  if (!sl_pass_fold_constants (&passes, NULL) || !sl_graph_sort (it->graph, NULL))
    return false;
  for (uint32_t i = 0; i < it->graph->inputs->len; i++) {
    SlValue *input = g_ptr_array_index (it->graph->inputs, i);
    size_t n = 0;
    sl_shape_get_elements (&input->shape, &n);
    if (sl_dtype_is_float (input->dtype) && n > 0)
      g_ptr_array_add (it->wanted, input);
  }
  it->loss = add_loss (it->graph, first_output, rand);
  if (it->loss == NULL || it->wanted->len == 0)
    return false;
  it->n_nodes = it->graph->nodes->len;
  it->gradients = g_new0 (SlValue *, it->wanted->len);
  return sl_grad_append (it->graph, it->loss, (SlValue **)it->wanted->pdata, it->wanted->len,
                         it->gradients, error);
}

/* --- The reference against differences --- */

static bool
any_input_is (const Case *it, SlDType dtype)
{
  for (uint32_t i = 0; i < it->wanted->len; i++)
    if (((const SlValue *)g_ptr_array_index (it->wanted, i))->dtype == dtype)
      return true;
  return false;
}

/* How far off the loss may be: casts round, nothing else does. */
static double
grain_of (const Case *it)
{
  static const double grains[SL_DTYPE_COUNT] = {
      [SL_FLOAT16] = 0x1p-11, [SL_BFLOAT16] = 0x1p-8, [SL_FLOAT32] = 0x1p-24};
  double grain = 1e-15;
  for (uint32_t i = 0; i < it->n_nodes; i++) {
    const SlNode *node = it->graph->nodes->pdata[i];
    if (g_str_has_prefix (node->op->name, "Cast"))
      grain = fmax (grain, grains[node->outputs[0]->dtype]);
  }
  return grain;
}

/* Of gradients: numbers in formulas are of the operands' type. */
static double
tolerance_of (const Case *it)
{
  if (any_input_is (it, SL_BFLOAT16))
    return 2e-2;
  return any_input_is (it, SL_FLOAT16) ? 5e-3 : 3e-7;
}

/* Floats are drawn, integers as the case has them. */
static void
draw_point (const Case *it, Numeric *numeric, GRand *rand, int kind)
{
  for (uint32_t i = 0; i < it->graph->inputs->len; i++) {
    SlRefTensor *x = numeric_get (numeric, g_ptr_array_index (it->graph->inputs, i));
    if (sl_dtype_is_float (x->dtype))
      numeric_draw (x, rand, kind);
    else
      sl_ref_load (x, sl_tensor_get_data (g_ptr_array_index (it->contents, i)));
  }
}

/* One derivative: the gradient times the direction is the slope. */
typedef struct Probe {
  uint32_t wanted;
  double *direction;
  double slope, noise;
} Probe;

static void
probe_clear (void *data)
{
  g_free (((Probe *)data)->direction);
}

static void
add_probe (GArray *probes, uint32_t wanted, size_t n, size_t element, GRand *rand)
{
  Probe probe = {.wanted = wanted, .direction = g_new0 (double, n)};
  for (size_t i = 0; i < n; i++)
    probe.direction[i] = rand == NULL ? i == element : g_rand_double_range (rand, -1, 1);
  g_array_append_val (probes, probe);
}

static GArray *
list_probes (const Case *it, GRand *rand)
{
  GArray *probes = g_array_new (FALSE, FALSE, sizeof (Probe));
  g_array_set_clear_func (probes, probe_clear);
  double work = 0;
  for (uint32_t i = 0; i < it->n_nodes; i++)
    work += sl_node_get_work (it->graph->nodes->pdata[i]);
  for (uint32_t i = 0; i < it->wanted->len; i++) {
    size_t n = 0;
    sl_shape_get_elements (&((const SlValue *)it->wanted->pdata[i])->shape, &n);
    size_t most = (size_t)CLAMP (WORK / (work + 1) / 5 / it->wanted->len, 2, EACH);
    for (size_t k = 0; k < MIN (n, most); k++)
      add_probe (probes, i, n, n <= most ? k : (size_t)g_rand_int_range (rand, 0, (gint)n), NULL);
    for (size_t k = 0; k < DIRECTIONS && n > 1; k++)
      add_probe (probes, i, n, 0, rand);
  }
  return probes;
}

/* Slopes at a point where the loss is smooth in all directions. *ret_finite: it was finite at all.
 */
static bool
find_point (const Case *it, Numeric *numeric, GArray *probes, GRand *rand, bool *ret_finite)
{
  const int first = it->row->flags & OP_POSITIVE ? DRAW_POSITIVE : DRAW_SIGNED;
  const double grain = grain_of (it);
  *ret_finite = false;
  for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
    /* Casts round, and are linear; maxima of many numbers are only smooth close by. */
    const double step = grain > 1e-15 ? 0.25 : 2e-4 / (1 << attempt / DRAW_KINDS);
    draw_point (it, numeric, rand, MAX (first, attempt % DRAW_KINDS));
    numeric_run (numeric, 0, it->n_nodes);
    bool smooth = isfinite (numeric_get (numeric, it->loss)->f[0]);
    *ret_finite = *ret_finite || smooth;
    for (guint i = 0; smooth && i < probes->len; i++) {
      Probe *probe = &g_array_index (probes, Probe, i);
      smooth = numeric_slope (numeric, it->n_nodes, it->loss, it->wanted->pdata[probe->wanted],
                              probe->direction, step, grain, &probe->slope, &probe->noise);
    }
    if (smooth)
      return true;
  }
  return false;
}

static void
compare_slopes (const Case *it, const Numeric *numeric, GArray *probes)
{
  for (guint i = 0; i < probes->len; i++) {
    const Probe *probe = &g_array_index (probes, Probe, i);
    const SlRefTensor *gradient = numeric_get (numeric, it->gradients[probe->wanted]);
    const SlValue *input = it->wanted->pdata[probe->wanted];
    double got = 0, size = 1e-3;
    g_assert_true (sl_shape_equal (&gradient->shape, &input->shape));
    g_assert_true (gradient->dtype == input->dtype);
    for (size_t k = 0; k < gradient->n; k++)
      got += gradient->f[k] * probe->direction[k];
    for (guint k = 0; k < probes->len; k++)
      if (g_array_index (probes, Probe, k).wanted == probe->wanted)
        size = fmax (size, fabs (g_array_index (probes, Probe, k).slope));
    const double tolerance = tolerance_of (it) * size + probe->noise;
    if (!(fabs (got - probe->slope) <= tolerance))
      g_error ("%s: probe %u, gradient of '%s' is %.9g, expected %.9g within %g", it->what, i,
               input->name, got, probe->slope, tolerance);
  }
}

/* --- The CPU against the reference --- */

static void
compare_tensors (const Case *it, const char *how, const SlValue *of, double slack,
                 const SlTensor *got, const SlRefTensor *wanted)
{
  double largest = 0.05, tolerance = MAX (tolerance_of (it), 2e-5);
  for (size_t i = 0; i < wanted->n; i++)
    largest = fmax (largest, fabs (wanted->f[i]));
  for (size_t i = 0; i < wanted->n; i++)
    if (!(fabs (sl_tensor_get_double (got, i) - wanted->f[i]) <= tolerance * largest + slack))
      g_error ("%s (%s): gradient %zu of '%s' is %.9g, expected %.9g within %g", it->what, how, i,
               of->name, sl_tensor_get_double (got, i), wanted->f[i], tolerance * largest + slack);
}

/* What each gradient loses where every value is rounded to its own type. */
static double *
measure_slack (const Case *it, const Numeric *numeric)
{
  double *slack = g_new0 (double, it->wanted->len);
  g_autoptr (Numeric) rounded = numeric_new (it->graph);
  rounded->rounds = true;
  for (uint32_t i = 0; i < it->graph->inputs->len; i++) {
    const SlRefTensor *x = numeric_get (numeric, it->graph->inputs->pdata[i]);
    memcpy (numeric_get (rounded, it->graph->inputs->pdata[i])->data, x->data,
            x->n * sizeof (double));
  }
  numeric_run (rounded, 0, it->graph->nodes->len);
  for (uint32_t i = 0; i < it->wanted->len; i++) {
    const SlRefTensor *a = numeric_get (numeric, it->gradients[i]);
    const SlRefTensor *b = numeric_get (rounded, it->gradients[i]);
    for (size_t k = 0; k < a->n; k++)
      slack[i] = fmax (slack[i], 4 * fabs (a->f[k] - b->f[k]));
  }
  return slack;
}

/* A clone whose outputs are the gradients that nodes compute. */
static SlGraph *
gradient_graph (const Case *it)
{
  SlGraph *graph = sl_graph_clone (it->graph);
  for (uint32_t i = 0; i < graph->outputs->len; i++)
    ((SlValue *)graph->outputs->pdata[i])->is_output = false;
  g_ptr_array_set_size (graph->outputs, 0);
  for (uint32_t i = 0; i < it->wanted->len; i++) {
    SlValue *gradient = graph->values->pdata[it->gradients[i]->id];
    if (gradient->producer != NULL && !gradient->is_output)
      sl_graph_mark_output (graph, gradient);
  }
  return graph;
}

static void
compare_with_cpu (const Case *it, const Numeric *numeric, const double *slack, bool optimize)
{
  SlGraph *graph = gradient_graph (it);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (uint32_t));
  for (uint32_t i = 0; i < graph->outputs->len; i++)
    g_array_append_val (ids, ((const SlValue *)graph->outputs->pdata[i])->id);
  g_autoptr (GPtrArray) results = run_on_cpu (graph, numeric, optimize, 2);
  for (uint32_t i = 0; i < results->len; i++) {
    const SlValue *gradient = it->graph->values->pdata[g_array_index (ids, uint32_t, i)];
    double slack_here = 0;
    for (uint32_t k = 0; k < it->wanted->len; k++)
      slack_here = it->gradients[k] == gradient ? slack[k] : slack_here;
    compare_tensors (it, optimize ? "optimized" : "plain", gradient, slack_here, results->pdata[i],
                     numeric_get (numeric, gradient));
  }
}

/* --- Tests --- */

typedef struct TestData {
  const OpCase *row;
  bool opened;
  uint32_t first_output;
} TestData;

static void
test_case (const void *data)
{
  const TestData *test = data;
  g_autoptr (GError) error = NULL;
  g_auto (Case) it = {0};
  bool built = case_build (&it, test->row, test->opened, test->first_output, &error);
  g_assert_no_error (error);
  g_assert_true (built);
  g_autoptr (Numeric) numeric = numeric_new (it.graph);
  g_autoptr (GRand) rand = g_rand_new_with_seed (g_str_hash (it.what));
  g_autoptr (GArray) probes = list_probes (&it, rand);
  bool finite;
  bool found = find_point (&it, numeric, probes, rand, &finite);
  if (!finite) {
    g_test_skip ("what the case computes is never finite");
    return;
  }
  if (!found)
    g_error ("%s: no point is smooth", it.what);
  numeric_run (numeric, 0, it.graph->nodes->len);
  compare_slopes (&it, numeric, probes);
  g_autofree double *slack = measure_slack (&it, numeric);
  compare_with_cpu (&it, numeric, slack, false);
  compare_with_cpu (&it, numeric, slack, true);
}

/* Whether there is anything to check. Of ops that have a gradient only the forms may be refused
 * that the list of forms names. */
static bool
is_wanted (const TestData *test, GHashTable *partly)
{
  g_autoptr (GError) error = NULL;
  g_auto (Case) it = {0};
  bool built = case_build (&it, test->row, test->opened, test->first_output, &error);
  if (error == NULL)
    return built;
  g_test_message ("%s: %s", it.what, error->message);
  if (g_str_has_suffix (error->message, "the op has no gradient"))
    return false; /* another list's */
  if (!g_hash_table_contains (partly, test->row->op))
    g_error ("%s: %s, which is not listed", it.what, error->message);
  return false;
}

void
op_add_cases (const char *family, const OpCase *cases)
{
  g_autoptr (GHashTable) partly = readme_list ("Forms without a gradient");
  guint n = 0;
  for (const OpCase *row = cases; row->name != NULL; row++) {
    for (uint32_t kind = 0; kind < 3; kind++) {
      TestData test = {.row = row,
                       .opened = kind == 1,
                       .first_output = kind == 2 ? MAX (row->n_outputs, 1) - 1 : 0};
      if ((kind == 2 && row->n_outputs < 2) || !is_wanted (&test, partly))
        continue;
      static const char *const kinds[] = {"", "/all-inputs", "/last-output"};
      g_autofree char *path = g_strdup_printf ("/grad/%s/%s%s", family, row->name, kinds[kind]);
      g_test_add_data_func_full (path, g_memdup2 (&test, sizeof test), test_case, g_free);
      n++;
    }
  }
  if (n == 0)
    g_error ("no case of %s has a gradient", family);
}
