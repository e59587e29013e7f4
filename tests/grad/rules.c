/* The rules of engine/ops/README.md for points where functions have no derivative, which the
 * differences of runner.c keep away from. */
#include "grad/grad.h"
#include "grad/numeric.h"
#include "ops/op_case.h"

#include <math.h>

/* Input values as the case has them; the gradient of the sum of output 0, of the first input. */
typedef struct Rule {
  OpCase of;
  const char *gradient;
} Rule;

static const Rule rules[] = {
    {{"relu", "Relu", "3=-1,0,2"}, "0,0,1"},
    {{"leaky-relu", "LeakyRelu", "3=-1,0,2", "alpha=0.5"}, "0.5,0.5,1"},
    {{"elu", "Elu", "2=0,1", "alpha=2.0"}, "2,1"},
    {{"selu", "Selu", "1=0", "alpha=2.0 gamma=3.0"}, "6"},
    {{"celu", "Celu", "1=0", "alpha=2.0"}, "1"},
    {{"thresholded-relu", "ThresholdedRelu", "3=1,1.5,2", "alpha=1.5"}, "0,0,1"},
    {{"hard-sigmoid", "HardSigmoid", "3=-1,0,1", "alpha=0.5 beta=0.5"}, "0,0.5,0"},
    {{"hard-swish", "HardSwish", "3=-3,0,3"}, "0,0.5,1"},
    {{"clip", "Clip", "5=-2,-1,0,1,2; !s=-1; !s=1"}, "0,1,1,1,0"},
    {{"clip-crossed", "Clip", "3=-2,0,2; !s=1; !s=-1"}, "0,0,0"},
    {{"abs", "Abs", "3=-2,0,2"}, "-1,0,1"},
    {{"round", "Round", "2=0.5,1"}, "0,0"},
    {{"sign", "Sign", "2=0,1"}, "0,0"},
    {{"max", "Max", "3=1,2,3; !3=2,2,2"}, "0,0.5,1"},
    {{"min", "Min", "3=1,2,3; !3=2,2,2"}, "1,0.5,0"},
    {{"prelu", "PRelu", "3=-1,0,1; !1=0.25"}, "0.25,0.25,1"},
    {{"pow-of-0", "Pow", "2=0,2; !s=2"}, "0,4"},
    {{"pow-exponent", "Pow", "!3=0,-2,2; 3=2,2,2"}, "0,0,2.772588722239781"},
    {{"reduce-max", "ReduceMax", "2x3=1,3,3,2,1,0", "axes=[1]"}, "0,0.5,0.5,1,0,0"},
    {{"reduce-min", "ReduceMin", "4=1,3,1,1"},
     "0.3333333333333333,0,0.3333333333333333,0.3333333333333333"},
    {{"max-pool", "MaxPool", "1x1x4=5,5,1,1", "kernel_shape=[2] strides=[2]"}, "1,0,1,0"},
    {{"reduce-prod", "ReduceProd", "3x3=2,3,4,0,3,4,0,0,4", "axes=[1]"}, "12,8,6,12,0,0,0,0,0"},
    {{"reduce-l1", "ReduceL1", "2=0,-1"}, "0,-1"},
    {{"reduce-l2", "ReduceL2", "2x2=0,0,3,4", "axes=[1]"}, "0,0,0.6,0.8"},
    {{"global-max", "GlobalMaxPool", "1x1x4=1,5,5,2"}, "0,0.5,0.5,0"},
    {{"hardmax", "Hardmax", "1x2=1,2"}, "0,0"},
    {{"topk", "TopK", "4=1,5,5,2; !i64 1=2"}, "0,1,1,0"},
    {{"cast", "Cast", "2=1.5,-2.25", "to=11"}, "1,1"},
    {{"gather-twice", "Gather", "3=1,2,3; i64 4=1,1,-2,0"}, "1,3,0"},
    {{"lp-pool-origin", "LpPool", "1x1x4=0,0,3,4", "kernel_shape=[2] strides=[2]"}, "0,0,0.6,0.8"},
    {{"scatter-mul", "ScatterElements", "!3=2,3,4; !i64 3=0,0,1; 3=0,5,0", "reduction=mul",
      .opset = 18},
     "10,0,3"},
    {{"scatter-mul-zeros", "ScatterElements", "!3=2,3,4; !i64 3=0,0,1; 3=0,0,7", "reduction=mul",
      .opset = 18},
     "0,0,3"},
    {{"scatter-mul-onto", "ScatterElements", "3=2,3,4; !i64 3=0,0,1; !3=0,5,6", "reduction=mul",
      .opset = 18},
     "0,6,1"},
    {{"scatter-max", "ScatterElements", "3=5,1,2; !i64 3=0,1,1; !3=5,3,3", "reduction=max",
      .opset = 18},
     "0.5,0,1"},
    {{"scatter-min", "ScatterND", "!3=5,3,2; !i64 3x1=0,1,1; 3=6,3,3", "reduction=min",
      .opset = 18},
     "0,0.3333333333333333,0.3333333333333333"},
    {{"gather-outside", "Gather", "2=1,2; i64 2=5,0"}, "1,0"},
};

static void
test_rule (const void *data)
{
  const Rule *rule = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (SlGraph) graph = NULL;
  g_autoptr (GPtrArray) contents = NULL;
  op_case_build (&rule->of, &graph, &contents, &error);
  g_assert_no_error (error);
  SlValue *y = g_ptr_array_index (graph->outputs, 0), *gradient;
  SlValue *loss = sl_graph_add_value (graph, "loss", SL_VALUE_ACTIVATION);
  sl_graph_add_node (graph, sl_op_find ("ReduceSum"), "loss", NULL, 1, &y, 1, &loss);
  if (!sl_graph_sort (graph, &error) || !sl_graph_infer (graph, &error) ||
      !sl_grad_append (graph, loss, (SlValue **)graph->inputs->pdata, 1, &gradient, &error))
    g_error ("%s: %s", rule->of.name, error->message);
  g_autoptr (Numeric) numeric = numeric_new (graph);
  for (uint32_t i = 0; i < graph->inputs->len; i++)
    sl_ref_load (numeric_get (numeric, graph->inputs->pdata[i]),
                 sl_tensor_get_data (g_ptr_array_index (contents, i)));
  numeric_run (numeric, 0, graph->nodes->len);

  g_autoptr (GArray) wanted = op_case_parse_values (rule->gradient);
  const SlRefTensor *got = numeric_get (numeric, gradient);
  g_assert_cmpuint (got->n, ==, wanted->len);
  for (guint i = 0; i < wanted->len; i++)
    if (!(fabs (got->f[i] - g_array_index (wanted, double, i)) <= 1e-12))
      g_error ("%s: element %u is %.17g, expected %.17g", rule->of.name, i, got->f[i],
               g_array_index (wanted, double, i));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS (rules); i++) {
    g_autofree char *path = g_strdup_printf ("/grad/rules/%s", rules[i].of.name);
    g_test_add_data_func (path, &rules[i], test_rule);
  }
  return g_test_run ();
}
