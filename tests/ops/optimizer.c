/* Steps of optimisers: kernels against the reference, both against PyTorch over several steps. */
#include "ops/optimizer_torch.h"

#include "model-private.h"
#include "op_runner.h"

#include <sightline/program.h>

#include <math.h>
#include <string.h>

#define SIZES "7x5"
#define LARGE "3x11111" /* more than two tiles, the last one partial */

static const OpCase cases[] = {
    {"sgd", "SgdUpdate", SIZES "; -; " SIZES "; s=0.1", .tolerance = 1e-6, .steps = "sgd_update"},
    {"sgd/large", "SgdUpdate", LARGE "; " LARGE "; " LARGE "; s=0.1", "momentum=0.9 decay=0.01",
     .n_outputs = 2, .tolerance = 1e-6},
    {"sgd/nesterov", "SgdUpdate", SIZES "; " SIZES "; " SIZES "; s=0.1",
     "momentum=0.9 nesterov=1 clip=0.5", .n_outputs = 2, .tolerance = 1e-6},
    {"sgd/values", "SgdUpdate", "3=1,2,3; 3=0.5,0,-0.5; 3=4,-4,1; s=0.5; s=0.25; i64 s=1",
     "momentum=0.5 dampening=0.5 rate_factor=0.5", .n_outputs = 2,
     .expected = "0.8125,2.125,3.03125", .second = "0.75,-0.5,-0.125", .tolerance = 1e-6},
    {"sgd/clip", "SgdUpdate", "3=1,1,1; -; 3=4,-4,0.5; s=1", "clip=1.0", .expected = "0,2,0.5"},
    {"sgd/factor-nan", "SgdUpdate", LARGE "; " LARGE "; " LARGE "; s=0.1; s=nan", "momentum=0.9",
     .n_outputs = 2},
    {"sgd/scalar", "SgdUpdate", "s=1; -; s=2; s=0.5", .expected = "0"},
    {"sgd/empty", "SgdUpdate", "0x3; -; 0x3; s=0.1", .shape = "0x3"},
    {"sgd/double", "SgdUpdate", "f64 3; -; f64 3; f64 s=0.1", .steps = "reference"},
    {"rmsprop", "RmspropUpdate", LARGE "; " LARGE "; -; -; " LARGE "; s=0.1", "epsilon=0.01",
     .n_outputs = 2, .tolerance = 1e-5, .steps = "rmsprop_update", .flags = OP_POSITIVE},
    {"rmsprop/all", "RmspropUpdate", "3; 3=9,4,1; 3; 3=0.1,-0.2,0.3; 3; s=0.1",
     "epsilon=0.01 momentum=0.7 rho=0.6", .n_outputs = 4, .tolerance = 1e-5},
    /* The mean square less the square of the mean, below 0: as if it were 0. */
    {"rmsprop/below-zero", "RmspropUpdate", "2=1,2; 2=1,1; 2=0,0; 2=5,-7; 2=0.5,-0.25; s=0.1",
     "epsilon=0.01 rho=0.5", .n_outputs = 4, .expected = "-4,4.5", .tolerance = 1e-5},
    {"adam", "AdamUpdate", LARGE "; " LARGE "; " LARGE "; " LARGE "; s=0.1; s=0.5; i64 s=3",
     "epsilon=0.01 decay=0.1", .n_outputs = 3, .tolerance = 1e-5, .steps = "adam_update",
     .flags = OP_POSITIVE},
    {"adam/decoupled", "AdamUpdate", SIZES "; " SIZES "; " SIZES "; " SIZES "; s=0.1; -; i64 s=3",
     "epsilon=0.01 decoupled=1 decay=0.1 clip=0.3", .n_outputs = 3, .tolerance = 1e-5,
     .flags = OP_POSITIVE},
    {"adam/plain", "AdamUpdate", SIZES "; " SIZES "; " SIZES "; " SIZES "; s=0.1; -; i64 s=100",
     "epsilon=0.1 plain_epsilon=1", .n_outputs = 3, .tolerance = 1e-5, .flags = OP_POSITIVE},
    {"adam/no-step", "AdamUpdate", SIZES "; " SIZES "; " SIZES "; " SIZES "; s=0.1", "epsilon=0.1",
     .n_outputs = 3, .tolerance = 1e-5, .flags = OP_POSITIVE},
    {"adagrad", "AdagradUpdate", LARGE "; " LARGE "; " LARGE "; s=0.1; -; i64 s=2",
     "rate_decay=0.5", .n_outputs = 2, .tolerance = 1e-5, .steps = "adagrad_update",
     .flags = OP_POSITIVE},
    {"square-sum", "SquareSum", LARGE, .shape = "3", .tolerance = 1e-6, .steps = "square_sum"},
    {"square-sum/values", "SquareSum", "5=1,2,3,4,5", .expected = "55"},
    {"square-sum/block", "SquareSum", "16384", .shape = "1", .tolerance = 1e-6},
    {"square-sum/empty", "SquareSum", "0", .shape = "0"},
    {"clip-factor", "ClipFactor", "s=1; 3=9,16,144", "max_norm=6.5", .n_outputs = 2,
     .expected = "0.5", .second = "13", .tolerance = 1e-6, .steps = "clip_factor"},
    {"clip-factor/large", "ClipFactor", "s=1; 1111", "max_norm=2.5", .n_outputs = 2,
     .tolerance = 1e-6, .flags = OP_POSITIVE},
    {"clip-factor/empty", "ClipFactor", "s=1; 0", "max_norm=2.5", .n_outputs = 2, .expected = "1",
     .second = "0"},
    {"clip-factor/double", "ClipFactor", "f64 s=1; f64 2=9,16", .expected = "1",
     .steps = "reference"},
    {"clip-factor/small", "ClipFactor", "s=1; 1=4", "max_norm=3.0", .n_outputs = 2, .expected = "1",
     .second = "2", .tolerance = 1e-6},
    {"clip-factor/none", "ClipFactor", "s=1; 1=1e12", .expected = "1", .tolerance = 1e-6},
    {"clip-factor/loss", "ClipFactor", "s=nan; 1=4", .n_outputs = 2, .expected = "nan",
     .second = "2", .tolerance = 1e-6},
    {"clip-factor/infinite", "ClipFactor", "s=1; 2=1,inf", "max_norm=1.0", .n_outputs = 2,
     .expected = "nan", .second = "inf", .tolerance = 1e-6},
    {"clip-factor/shape", "ClipFactor", "2; 3", .error = "the loss has 2 elements, expected one"},
    {"gradient-shape", "SgdUpdate", "3; -; 4; s=0.1", .error = "is 4, expected 3"},
    {"rate-shape", "SgdUpdate", "3; -; 3; 2", .error = "expected one of float"},
    {"step-type", "SgdUpdate", "3; -; 3; s; -; s", .error = "expected one of int64"},
    {0},
};

/* --- PyTorch --- */

#define TOLERANCE 1e-6 /* of the largest parameter */

static SlValue *
add (SlGraph *graph, const char *name, SlValueKind kind, SlDType dtype, SlShape shape)
{
  SlValue *value = sl_graph_add_value (graph, name, kind);
  value->dtype = dtype;
  value->shape = shape;
  value->has_shape = true;
  if (kind == SL_VALUE_INPUT)
    sl_graph_mark_input (graph, value);
  else if (kind != SL_VALUE_ACTIVATION)
    value->data = sl_tensor_new (dtype, &shape, NULL);
  return value;
}

static void
set_attrs (SlNode *node, const char *text)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);
  for (uint32_t i = 0; words[i] != NULL && *words[i] != '\0'; i++) {
    g_auto (GStrv) pair = g_strsplit (words[i], "=", 2);
    const double number = g_ascii_strtod (pair[1], NULL);
    const bool is_flag = strcmp (pair[0], "nesterov") == 0 || strcmp (pair[0], "decoupled") == 0;
    const SlRawAttr attr = {.name = pair[0],
                            .type = is_flag ? SL_RAW_INT : SL_RAW_FLOAT,
                            .i = (int64_t)number,
                            .f = (float)number};
    g_autoptr (GError) error = NULL;
    sl_attrs_set (node->op->attrs, node->attrs, &attr, &error);
    g_assert_no_error (error);
  }
}

/* A network of the optimiser's node alone; inputs gradient, rate, step. */
static SlGraph *
optimizer_graph (const char *op_name, const char *attrs, SlValue **ret_parameter)
{
  SlGraph *graph = sl_graph_new ();
  const SlOpClass *op = sl_op_find (op_name);
  const SlShape shape = SL_SHAPE (N_ELEMENTS), scalar = {0};
  const uint32_t moments = op->max_outputs - 1u;
  SlValue *inputs[8] = {add (graph, "p", SL_VALUE_PARAMETER, SL_FLOAT32, shape)}, *outputs[4];
  for (uint32_t i = 1; i <= moments; i++) {
    /* Moments that the formula does not ask for would change it. */
    const bool is_left_out =
        (strcmp (op_name, "RmspropUpdate") == 0 && i == 3 && !strstr (attrs, "e-3")) ||
        (i == moments - 1 && moments == 3 && !strstr (attrs, "momentum"));
    if (!is_left_out)
      inputs[i] = add (graph, "moment", SL_VALUE_STATE, SL_FLOAT32, shape);
  }
  inputs[moments + 1] = add (graph, "g", SL_VALUE_INPUT, SL_FLOAT32, shape);
  inputs[moments + 2] = add (graph, "rate", SL_VALUE_INPUT, SL_FLOAT32, scalar);
  inputs[moments + 4] = add (graph, "step", SL_VALUE_INPUT, SL_INT64, scalar);
  for (uint32_t i = 0; i <= moments; i++) {
    outputs[i] = inputs[i] != NULL ? sl_graph_add_value (graph, "next", SL_VALUE_ACTIVATION) : NULL;
    if (outputs[i] != NULL)
      sl_graph_add_update (graph, inputs[i], outputs[i]);
  }
  SlNode *node =
      sl_graph_add_node (graph, op, "step", NULL, moments + 5, inputs, moments + 1, outputs);
  set_attrs (node, attrs);
  memcpy (sl_tensor_get_data_writable (inputs[0]->data), torch_start, sizeof torch_start);
  *ret_parameter = inputs[0];
  return graph;
}

static void
check_run (const char *device, size_t index)
{
  g_autoptr (GError) error = NULL;
  SlValue *parameter;
  SlGraph *graph = optimizer_graph (torch_runs[index].op, torch_runs[index].attrs, &parameter);
  const float *content = sl_tensor_get_data (parameter->data);
  g_autoptr (SlModel) model = sl_model_new_from_graph (graph, "optimizer", NULL);
  const SlProgramOptions options = {.device = sl_device_find (device, NULL)};
  g_autoptr (SlProgram) program = sl_program_new (model, &options, &error);
  g_assert_no_error (error);
  g_autoptr (SlRun) run = sl_run_new (program, &error);
  g_assert_no_error (error);
  SlTensorView inputs[3];
  for (uint32_t i = 0; i < 3; i++)
    sl_run_get_input (run, i, &inputs[i]);
  /* Adagrad of PyTorch counts from 0, and dampening begins with the second step. */
  const bool from_0 = strcmp (torch_runs[index].op, "AdamUpdate") != 0;
  for (int step = 0, row = 0; step < N_STEPS; step++) {
    memcpy (inputs[0].data, torch_gradients[step], sizeof torch_gradients[step]);
    *(float *)inputs[1].data = (float)torch_runs[index].rate;
    *(int64_t *)inputs[2].data = from_0 ? step : step + 1;
    sl_run_execute (run, &error);
    g_assert_no_error (error);
    if (step > 1 && step < N_STEPS - 1)
      continue;
    double largest = 0;
    for (int i = 0; i < N_ELEMENTS; i++)
      largest = fmax (largest, fabs ((double)torch_runs[index].after[row][i]));
    for (int i = 0; i < N_ELEMENTS; i++)
      if (fabs ((double)content[i] - (double)torch_runs[index].after[row][i]) > TOLERANCE * largest)
        g_error ("%s on %s, step %d, element %d is %.9g, PyTorch has %.9g", torch_runs[index].name,
                 device, step, i, (double)content[i], (double)torch_runs[index].after[row][i]);
    row++;
  }
}

static void
test_torch (void)
{
  for (size_t i = 0; i < G_N_ELEMENTS (torch_runs); i++) {
    check_run ("ref", i);
    check_run ("cpu", i);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("optimizer", cases);
  g_test_add_func ("/ops/optimizer/torch", test_torch);
  return g_test_run ();
}
