/* Operators that exporters write out in simpler ones: activations and layer normalisation. */
#include "passes/expression.h"
#include "passes/passes.h"

/* The node that takes the expression's place and returns its output, or NULL where it does not fit
 * after all. */
typedef SlValue *(*BuildFunc) (SlGraph *graph, const SlNode *node, const SlExpression *made,
                               const SlBinding *binding);

typedef struct Rule {
  const char *made; /* with the operands' names */
  const char *text;
  BuildFunc build;
} Rule;

static SlValue *build_unary (SlGraph *graph, const SlNode *node, const SlExpression *made,
                             const SlBinding *binding);
static SlValue *build_layer_norm (SlGraph *graph, const SlNode *node, const SlExpression *made,
                                  const SlBinding *binding);

#define SQRT_2 "1.4142135623730951"
#define SQRT_HALF "0.7071067811865476"
#define SIXTH "0.16666666666666666"
/* (x - mean) / deviation */
#define NORMALIZED "Div(d:Sub(x, ReduceMean(x, a)), Sqrt(Add(g:ReduceMean(Mul(d, d), e), f)))"

/* As the simplify pass leaves them: a square is a product. Where one rule's expression holds
 * another's, the longer one comes first. */
static const Rule rules[] = {
    {"Silu(x)", "Mul(x, Sigmoid(x))", build_unary},
    {"Mish(x)", "Mul(x, Tanh(Softplus(x)))", build_unary},

    {"HardSwish(x)", "Mul(x, HardSigmoid[alpha=" SIXTH ",beta=0.5](x))", build_unary},
    {"HardSwish(x)", "Mul(x, Div(Clip(Add(x, 3), 0, 6), 6))", build_unary},
    {"HardSwish(x)", "Mul(x, Mul(Clip(Add(x, 3), 0, 6), " SIXTH "))", build_unary},
    {"HardSwish(x)", "Div(Mul(x, Clip(Add(x, 3), 0, 6)), 6)", build_unary},
    {"HardSwish(x)", "Mul(Mul(x, Clip(Add(x, 3), 0, 6)), " SIXTH ")", build_unary},
    {"HardSigmoid[alpha=" SIXTH ",beta=0.5](x)", "Div(Clip(Add(x, 3), 0, 6), 6)", build_unary},
    {"HardSigmoid[alpha=" SIXTH ",beta=0.5](x)", "Mul(Clip(Add(x, 3), 0, 6), " SIXTH ")",
     build_unary},

    {"Gelu(x)", "Mul(Mul(x, Add(Erf(Div(x, " SQRT_2 ")), 1)), 0.5)", build_unary},
    {"Gelu(x)", "Mul(Mul(x, Add(Erf(Mul(x, " SQRT_HALF ")), 1)), 0.5)", build_unary},
    {"Gelu(x)", "Mul(Mul(x, 0.5), Add(Erf(Div(x, " SQRT_2 ")), 1))", build_unary},
    {"Gelu(x)", "Mul(Mul(x, 0.5), Add(Erf(Mul(x, " SQRT_HALF ")), 1))", build_unary},
    {"Gelu(x)", "Mul(x, Mul(Add(Erf(Div(x, " SQRT_2 ")), 1), 0.5))", build_unary},
    {"Gelu(x)", "Mul(x, Mul(Add(Erf(Mul(x, " SQRT_HALF ")), 1), 0.5))", build_unary},

    {"LayerNormalization(x, b, c)", "Add(Mul(" NORMALIZED ", b), c)", build_layer_norm},
    {"LayerNormalization(x, b)", "Mul(" NORMALIZED ", b)", build_layer_norm},
};

static SlValue *
build_unary (SlGraph *graph, const SlNode *node, const SlExpression *made, const SlBinding *binding)
{
  SlValue *x = binding->value[0];
  /* A constant of more dimensions would broadcast. */
  if (!sl_dtype_is_float (x->dtype) || !sl_shape_equal (&x->shape, &node->outputs[0]->shape))
    return NULL;
  SlValue *output = sl_graph_add_value (graph, node->name, SL_VALUE_ACTIVATION);
  SlNode *new = sl_graph_add_node (graph, made->terms[0].op, node->name, NULL, 1, &x, 1, &output);
  sl_expression_set_attrs (made, new);
  return output;
}

/* The first of the axes that `mean` is over if they are the last ones of x, else 0. */
static uint32_t
first_of_last_axes (const SlValue *mean, uint32_t rank)
{
  uint32_t axes = 0, first = rank;
  const SlNode *node = mean->producer;
  if (!node->op->as_mean (node, &axes) || mean->shape.rank != rank)
    return 0;
  while (first > 0 && (axes & 1u << (first - 1)))
    first--;
  return axes >> first << first == axes && first < rank ? first : 0;
}

/* TRUE if `value` has one element for each of x's dimensions from `first` on. */
static bool
covers (const SlValue *value, const SlValue *x, uint32_t first)
{
  SlShape expected = {.rank = x->shape.rank - first};
  for (uint32_t i = first; i < x->shape.rank; i++)
    expected.dim[i - first] = x->shape.dim[i];
  return value == NULL || (value->dtype == x->dtype && sl_shape_equal (&value->shape, &expected));
}

static SlValue *
build_layer_norm (SlGraph *graph, const SlNode *node, const SlExpression *made,
                  const SlBinding *binding)
{
  SlValue *x = binding->value[sl_expression_name ('x')];
  SlValue *scale = binding->value[sl_expression_name ('b')];
  SlValue *shift = binding->value[sl_expression_name ('c')];
  const SlValue *epsilon = binding->value[sl_expression_name ('f')];
  const SlValue *mean = binding->value[sl_expression_name ('d')]->producer->inputs[1];
  const SlValue *variance = binding->value[sl_expression_name ('g')];
  uint32_t first = first_of_last_axes (mean, x->shape.rank);
  if (first == 0 || first_of_last_axes (variance, x->shape.rank) != first ||
      epsilon->kind != SL_VALUE_CONSTANT || sl_tensor_get_elements (epsilon->data) != 1 ||
      !covers (scale, x, first) || !covers (shift, x, first))
    return NULL;
  SlValue *output = sl_graph_add_value (graph, node->name, SL_VALUE_ACTIVATION);
  SlValue *inputs[] = {x, scale, shift};
  SlNode *norm = sl_graph_add_node (graph, made->terms[0].op, node->name, NULL,
                                    shift != NULL ? 3 : 2, inputs, 1, &output);
  SlRawAttr axis = {.name = (char *)"axis", .type = SL_RAW_INT, .i = first};
  SlRawAttr floor = {.name = (char *)"epsilon",
                     .type = SL_RAW_FLOAT,
                     .f = (float)sl_tensor_get_double (epsilon->data, 0)};
  sl_attrs_set (norm->op->attrs, norm->attrs, &axis, NULL);
  sl_attrs_set (norm->op->attrs, norm->attrs, &floor, NULL);
  return output;
}

typedef struct Parsed {
  SlExpression made, text;
  bool known; /* to this build */
} Parsed;

static gboolean
recognize (SlGraph *graph, SlNode *node, const Parsed *parsed, GError **error)
{
  for (size_t i = 0; i < G_N_ELEMENTS (rules); i++) {
    SlBinding binding;
    if (!parsed[i].known || parsed[i].text.terms[0].op != node->op ||
        !sl_expression_match (&parsed[i].text, node->outputs[0], &binding))
      continue;
    SlValue *output = rules[i].build (graph, node, &parsed[i].made, &binding);
    if (output == NULL)
      continue;
    output->producer->id = node->id; /* in its place in the schedule */
    if (!sl_node_infer (output->producer, error))
      return FALSE;
    sl_graph_replace_value (graph, node->outputs[0], output);
    sl_graph_remove_node (graph, node);
    return TRUE;
  }
  return TRUE;
}

/* What the expression was made of stays where somebody else reads it; the rest is dead. */
gboolean
sl_pass_recognize (SlPasses *passes, GError **error)
{
  g_autofree Parsed *parsed = g_new0 (Parsed, G_N_ELEMENTS (rules));
  for (size_t i = 0; i < G_N_ELEMENTS (rules); i++) {
    bool made = sl_expression_parse (&parsed[i].made, rules[i].made);
    bool text = sl_expression_parse (&parsed[i].text, rules[i].text);
    parsed[i].known = made && text;
  }
  /* Backwards: an expression is seen before what it holds. */
  gboolean good = TRUE;
  g_autoptr (GPtrArray) nodes = sl_graph_list_nodes (passes->graph);
  for (uint32_t i = nodes->len; good && i-- > 0;)
    good = recognize (passes->graph, g_ptr_array_index (nodes, i), parsed, error);
  for (size_t i = 0; i < G_N_ELEMENTS (rules); i++) {
    sl_expression_clear (&parsed[i].made);
    sl_expression_clear (&parsed[i].text);
  }
  return good ? sl_pass_drop_dead (passes, error) : FALSE;
}
