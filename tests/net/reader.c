/* The grammar of network texts, and what is said of wrong ones. */
#include "model-private.h"

#include "graph/op.h"
#include "net/layer.h"
#include "onnx/onnx.h"

#include <sightline/program.h>

#include <string.h>

static SlModel *
read_text (const char *text, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  return sl_model_load_bytes (bytes, "t.net", NULL, error);
}

static SlModel *
read_good (const char *text)
{
  g_autoptr (GError) error = NULL;
  SlModel *model = read_text (text, &error);
  g_assert_no_error (error);
  return model;
}

/* What layer `name` gives at batch 1, in ONNX's order. */
static void
assert_shape (const char *text, const char *name, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlModel) model = read_good (text);
  const SlProgramOptions options = {
      .device = sl_device_find ("ref", NULL), .unoptimized = TRUE, .taps = &name, .n_taps = 1};
  g_autoptr (SlProgram) program = sl_program_new (model, &options, &error);
  g_assert_no_error (error);
  const SlPort *port = sl_program_get_output (program, sl_program_get_n_outputs (program) - 1);
  g_autofree char *shape = sl_shape_to_string (&port->shape);
  g_assert_cmpstr (shape, ==, expected);
}

/* --- Errors --- */

static const struct {
  const char *name, *text, *says; /* `says`: the beginning behind "t.net:" */
} errors[] = {
    {"empty", "", " has no layers"},
    {"only-comments", "# nothing\n\n   # at all\n", " has no layers"},
    {"only-input", "Input 3\n", " has no layers"},
    {"no-input", "Dense 3\n", "1:1: Dense has nothing to read"},
    {"unknown-type", "Input 3\n\n  Dense3 4\n", "3:3: 'Dense3' is no type of layer"},
    {"small-letters", "Input 8x8x1\nconv2d 4 3\n",
     "2:1: 'conv2d' is no type of layer (expected Conv2D?)"},
    {"unknown-argument", "Input 3\nDense 4 activaton=relu\n",
     "2:9: Dense has no argument 'activaton' (expected one of: units, activation,"},
    {"missing-argument", "Input 8x8x1\nConv2D 4\n", "2:1: Conv2D wants kernel_size="},
    {"too-many", "Input 3\nDense 4 relu 5\n", "2:14: '5' is one word too many"},
    {"twice", "Input 3\nDense 4 units=5\n", "2:9: units is said twice"},
    {"not-a-number", "Input 3\nDense four\n",
     "2:7: units is 'four' (expected a whole number from 1"},
    {"zero", "Input 3\nDense 0\n", "2:7: units is '0'"},
    {"negative", "Input 3\nDense -1\n", "2:7: units is '-1'"},
    {"huge", "Input 3\nDense 99999999999\n", "2:7: units is '99999999999'"},
    {"product-too-large", "Input 3\nDense 2000000000*2\n", "2:7: units is"},
    {"uneven-division", "Input 3\nDense 7/2\n", "2:7: units is '7/2'"},
    {"division-left-open", "Input 3\nDense 7//\n", "2:7: units is '7//'"},
    {"division-by-zero", "Input 3\nDense 7/0\n", "2:7: units is '7/0'"},
    {"unknown-activation", "Input 3\nDense 4 rely\n",
     "2:9: activation is 'rely' (expected one of linear, relu,"},
    {"unknown-initializer", "Input 3\nDense 4 kernel_initializer=glorot\n",
     "2:9: kernel_initializer is 'glorot' (expected one of zeros, ones, glorot_uniform"},
    {"bad-bool", "Input 3\nDense 4 use_bias=no\n",
     "2:9: use_bias is 'no' (expected true or false)"},
    {"bad-padding", "Input 8x8x1\nConv2D 4 3 padding=full\n",
     "2:12: padding is 'full' (expected same, valid"},
    {"three-kernels", "Input 8x8x1\nConv2D 4 3x3x3\n",
     "2:1: layer 'conv2d' (Conv2D): kernel_size has 3 numbers (expected 1 or 2)"},
    {"wrong-rank", "Input 8\nConv2D 4 3\n",
     "2:1: layer 'conv2d' (Conv2D): its input is 8 (expected height x width x channels)"},
    {"not-flat", "Input 8x8x1\nDense 4\n",
     "2:1: layer 'dense' (Dense): its input is 8x8x1 (expected a vector)"},
    {"groups", "Input 8x8x6\nConv2D 4 3 groups=4\n",
     "2:1: layer 'conv2d' (Conv2D): 6 channels and 4 filters in 4 groups"},
    {"kernel-too-large", "Input 6x9x3\n  c: Conv2D 4 7x3\n",
     "2:6: layer 'c' (Conv2D): a 7x3 kernel does not fit an input of 6x9x3 with padding 0x0x0x0"},
    {"dilated-kernel", "Input 6x6x3\nConv2D 4 3 dilation_rate=3\n",
     "2:1: layer 'conv2d' (Conv2D): a 3x3 kernel (dilated to 7x7) does not fit an input of 6x6x3"},
    {"pool-too-large", "Input 2x2x3\nMaxPooling2D 3\n",
     "2:1: layer 'max_pooling2d' (MaxPooling2D): a 3x3 kernel does not fit an input of 2x2x3"},
    {"four-dimensions", "Input 2x2x2x2\n", "1:1: layer 'input' (Input): shape has 4 numbers"},
    {"reshape", "Input 8\nReshape 3x3\n",
     "2:1: layer 'reshape' (Reshape): 8 cannot become 3x3 (expected 8 elements, found 9)"},
    {"permute", "Input 8x8x3\nPermute 1,1,2\n",
     "2:1: layer 'permute' (Permute): dims does not name"},
    {"maxout", "Input 8\nMaxout 3\n", "2:1: layer 'maxout' (Maxout): 8 channels in 3 units"},
    {"dropout", "Input 8\nDropout 1\n", "2:1: layer 'dropout' (Dropout): rate is 1"},
    {"unknown-label", "Input 8\nDense 4 from=a\n", "2:9: no layer named 'a' stands before"},
    {"label-later", "Input 8\nDense 4 from=a\na: Dense 4\n", "2:9: no layer named 'a'"},
    {"label-twice", "Input 8\na: Dense 4\na: Dense 4\n", "3:4: a layer named 'a' is there already"},
    {"label-of-block", "block b {\nDense 3\n}\nInput 8\nb\nb: Dense 4\n",
     "6:4: a layer named 'b' is there already"},
    {"label-alone", "Input 8\na:\n", "2:1: a label without a layer"},
    {"label-in", "Input 8\nin: Dense 4\n", "2:1: label 'in'"},
    {"label-digit", "Input 8\n1: Dense 4\n", "2:1: label '1'"},
    {"join-shapes", "a: Input 4\nb: Input 5\nAdd a b\n", "3:1: layer 'add' (Add): "},
    {"join-one", "Add\n", "1:1: Add of 0 layers"},
    {"unread", "Input 4\na: Dense 3\nDense 2 from=input\n", "2:4: nothing reads layer 'a'"},
    {"unread-input", "Input 4\nInput 4\nDense 2\n", "1:1: nothing reads layer 'input'"},
    {"output-twice", "Input 4\na: Dense 3\nOutput a a\n", "3:10: 'a' is an output already"},
    {"output-of-input", "a: Input 4\nDense 3\nOutput a\n", "3:8: 'a' is an input"},
    {"open-brace", "Input 4\nrepeat 2 {\nDense 3\n", "2:1: its '{' is never closed"},
    {"close-brace", "Input 4\n}\n", "2:1: '}' without a '{'"},
    {"brace-inside", "Input 4\nrepeat { 2\n", "2:8: '{' (expected it at the end"},
    {"brace-behind-layer", "Input 4\nDense 3 {\n}\n", "2:1: '{' behind Dense"},
    {"close-with-more", "Input 4\nrepeat 2 {\n} Dense 3\n", "3:1: '}' (expected it on a line"},
    {"repeat-what", "Input 4\nrepeat {\n}\n", "2:1: repeat is not to be understood"},
    {"repeat-word", "Input 4\nrepeat often {\n}\n", "2:8: repeat is not to be understood"},
    {"block-in-block", "Input 4\nrepeat 1 {\nblock a {\n}\n}\n", "3:1: a block in another"},
    {"block-type", "block Dense {\n}\n", "1:7: 'Dense' is there already"},
    {"block-wants", "block b n {\nDense $n\n}\nInput 4\nb\n", "5:1: block 'b' wants n"},
    {"block-parameter", "block b n {\nDense $n\n}\nInput 4\nb 3 4\n",
     "5:5: block 'b' has no parameter for '4'"},
    {"block-hygiene", "block b {\nDense 4 from=a\n}\nInput 4\na: Dense 3\nb\n",
     "2:9: no layer named 'a'"},
    {"variable", "Input 4\nDense $n\n", "2:7: '$n' is unknown"},
    {"variable-of-caller", "block b {\nDense $i\n}\nInput 4\nrepeat 2 i {\nb\n}\n",
     "2:7: '$i' is unknown"},
    {"recursion", "block b {\nb\n}\nInput 4\nb\n", "2:1: blocks and repeats are more than 32 deep"},
    {"default-type", "default Dens use_bias=false\n", "1:1: default is not to be understood"},
    {"default-argument", "default Dense bias=false\nInput 4\nDense 3\n",
     "1:15: Dense has no argument 'bias'"},
    {"default-position", "default Dense 3\n", "1:15: '3' (expected NAME=VALUE)"},
    {"control-character", "Input 4\nDen\001se 3\n", "2:4: a control character"},
    {"not-utf8", "Input 4\n\377\n", " is no text in UTF-8"},
    {"wide-characters", "Input 4\n\303\244\303\266 x\n", "2:1: '\303\244\303\266' is no type"},
    {"column-in-characters", "Input 4\nDense 3 \303\244\303\266=1 b=2\n",
     "2:9: Dense has no argument"},
};

static void
test_error (gconstpointer data)
{
  const size_t index = GPOINTER_TO_SIZE (data);
  g_autoptr (GError) error = NULL;
  g_autoptr (SlModel) model = read_text (errors[index].text, &error);
  g_assert_null (model);
  g_assert_nonnull (error);
  g_assert_true (error->domain == SL_ERROR);
  g_autofree char *says = g_strconcat ("t.net:", errors[index].says, NULL);
  if (!g_str_has_prefix (error->message, says))
    g_error ("said: %s\nexpected: %s", error->message, says);
  g_assert_null (strchr (error->message, '\n'));
}

/* Small texts that ask for much. */
static void
test_limits (void)
{
  static const char *const texts[] = {
      "Input 4\nrepeat 1000000000 {\n}\nDense 3\n",
      "Input 4\nrepeat 100000 {\nrepeat 100000 {\nDense 1\n}\n}\n",
      "Input 4\nrepeat 1000000000 {\nActivation relu\n}\n",
      "Input 2000000000\nDense 2000000000\n",
      "Input 200000000\nrepeat 10 {\nDense 100\nDense 200000000\n}\n",
      "Input 65535x65535x3\nConv2D 100000 1000\n",
      "block a v {\nb $v$v$v$v$v$v$v$v\n}\nblock b v {\nc $v$v$v$v$v$v$v$v\n}\n"
      "block c v {\nDense $v$v$v$v$v$v$v$v\n}\nInput 4\na 1\n",
  };
  for (size_t i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (SlModel) model = read_text (texts[i], &error);
    g_test_message ("%s", error != NULL ? error->message : "no error");
    g_assert_error (error, SL_ERROR, SL_ERROR_LIMIT);
  }
}

/* --- What texts mean --- */

static const struct {
  const char *name, *text, *layer, *shape;
} shapes[] = {
    {"input-order", "Input 5x7x3\nActivation relu\n", "activation", "1x3x5x7"},
    {"input-sequence", "Input 9x4\nActivation relu\n", "activation", "1x4x9"},
    {"valid", "Input 9x8x3\nConv2D 4 3x2\n", "conv2d", "1x4x7x7"},
    {"same", "Input 9x8x3\nConv2D 4 3 strides=2 padding=same\n", "conv2d", "1x4x5x4"},
    {"explicit", "Input 9x8x3\nConv2D 4 3 padding=1\n", "conv2d", "1x4x9x8"},
    {"explicit-two", "Input 9x8x3\nConv2D 4 3 padding=0x1\n", "conv2d", "1x4x7x8"},
    {"explicit-four", "Input 9x8x3\nConv2D 4 3 padding=0,1,2,3\n", "conv2d", "1x4x8x11"},
    {"positional", "Input 9x8x3\nConv2D 4 3 2 same\n", "conv2d", "1x4x5x4"},
    {"dilation", "Input 9x9x3\nConv2D 4 3 dilation_rate=2x1\n", "conv2d", "1x4x5x7"},
    {"conv1d", "Input 9x4\nConv1D 6 3 strides=2\n", "conv1d", "1x6x4"},
    {"depthwise", "Input 9x9x3\nDepthwiseConv2D 3 depth_multiplier=2\n", "depthwise_conv2d",
     "1x6x7x7"},
    {"separable", "Input 9x9x3\nSeparableConv2D 5 3\n", "separable_conv2d", "1x5x7x7"},
    {"transpose-same", "Input 5x4x3\nConv2DTranspose 6 3 strides=2 padding=same\n",
     "conv2d_transpose", "1x6x10x8"},
    {"transpose-valid", "Input 5x4x3\nConv2DTranspose 6 3 strides=2\n", "conv2d_transpose",
     "1x6x11x9"},
    {"transpose-wide-stride", "Input 5x4x3\nConv2DTranspose 6 2 strides=3\n", "conv2d_transpose",
     "1x6x15x12"},
    {"pool", "Input 9x8x3\nMaxPooling2D\n", "max_pooling2d", "1x3x4x4"},
    {"pool-overlaps", "Input 9x9x3\nAveragePooling2D 3 2\n", "average_pooling2d", "1x3x4x4"},
    {"pool-same", "Input 9x8x3\nMaxPooling2D 2 padding=same\n", "max_pooling2d", "1x3x5x4"},
    {"pool-padded", "Input 9x9x3\nMaxPooling2D 3 2 padding=1\n", "max_pooling2d", "1x3x5x5"},
    {"global", "Input 9x8x3\nGlobalAveragePooling2D\n", "global_average_pooling2d", "1x3"},
    {"global-keepdims", "Input 9x8x3\nGlobalMaxPooling2D keepdims=true\n", "global_max_pooling2d",
     "1x3x1x1"},
    {"flatten", "Input 5x4x3\nFlatten\n", "flatten", "1x60"},
    {"reshape", "Input 60\nReshape 5x4x3\n", "reshape", "1x3x5x4"},
    {"permute", "Input 5x4x3\nPermute 2,3,1\n", "permute", "1x5x4x3"},
    {"zero-padding", "Input 5x4x3\nZeroPadding2D 1,2,0,3\n", "zero_padding2d", "1x3x8x7"},
    {"up-sampling", "Input 5x4x3\nUpSampling2D 2x3\n", "up_sampling2d", "1x3x10x12"},
    {"maxout", "Input 5x4x6\nMaxout 2\n", "maxout", "1x2x5x4"},
    {"maxout-dense", "Input 6\nMaxout 3\n", "maxout", "1x3"},
    {"concatenate", "a: Input 5x4x3\nb: Input 5x4x2\nConcatenate a b\n", "concatenate", "1x5x5x4"},
    {"concatenate-rows", "a: Input 5x4x3\nb: Input 2x4x3\nConcatenate a b axis=1\n", "concatenate",
     "1x3x7x4"},
    {"expression", "Input 4\nDense 3*4/2\n", "dense", "1x6"},
    {"rounded-down", "Input 4\nDense 2*7//3\n", "dense", "1x4"},
    {"prelu", "Input 5x4x3\nPReLU\n", "p_re_lu", "1x3x5x4"},
    /* N7 and N8 of the study texts. */
    {"exercise",
     "Input 64x64x3\nConv2D 16 5\nMaxPooling2D 3 strides=2 padding=same\n"
     "Conv2D 32 3 padding=same\nMaxPooling2D 2 strides=2 padding=same\n"
     "Conv2D 32 3 strides=2 padding=same\n",
     "conv2d_2", "1x32x8x8"},
    {"example-conv", "Input 200x200x1\nConv2D 16 2 strides=2 padding=valid\n", "conv2d",
     "1x16x100x100"},
    {"example-pool", "Input 100x100x15\nMaxPooling2D 2\n", "max_pooling2d", "1x15x50x50"},
};

static void
test_shape (gconstpointer data)
{
  const size_t index = GPOINTER_TO_SIZE (data);
  assert_shape (shapes[index].text, shapes[index].layer, shapes[index].shape);
}

static const struct {
  const char *name, *text;
  guint64 all, states;
} counts[] = {
    {"example-conv", "Input 200x200x1\nConv2D 16 2 strides=2 padding=valid\n", 80, 0},
    {"no-bias", "Input 4\nDense 3 use_bias=false\n", 12, 0},
    {"groups", "Input 9x9x6\nConv2D 4 3 groups=2\n", 4 * 3 * 9 + 4, 0},
    {"depthwise", "Input 9x9x3\nDepthwiseConv2D 3 depth_multiplier=2\n", 6 * 9 + 6, 0},
    {"separable", "Input 9x9x3\nSeparableConv2D 5 3\n", 3 * 9 + 3 * 5 + 5, 0},
    {"transpose", "Input 9x9x3\nConv2DTranspose 5 2\n", 3 * 5 * 4 + 5, 0},
    {"batch-norm", "Input 9x9x3\nBatchNormalization\n", 12, 6},
    {"batch-norm-plain", "Input 9x9x3\nBatchNormalization scale=false center=false\n", 6, 6},
    {"prelu", "Input 9x9x3\nPReLU 0.25\n", 3, 0},
    {"relu6", "Input 9x9x3\nReLU 6\n", 0, 0},
    {"dropout", "Input 9\nDropout 0.5\n", 0, 0},
    {"default", "default Dense use_bias=false\nInput 4\nDense 3\nDense 2 use_bias=true\n", 12 + 8,
     0},
    {"repeat", "Input 4\nrepeat 3 i {\nDense $i*4\n}\n", 20 + 40 + 108, 0},
    {"repeat-nothing", "Input 4\nrepeat 0 {\nDense 3\n}\nDense 2\n", 10, 0},
    {"block", "block b n m=2 {\nDense $n\nDense $m\n}\nInput 4\nb 3\nb 5 m=1\n", 15 + 8 + 15 + 6,
     0},
    {"byte-order-mark", "\357\273\277Input 4\nDense 3\n", 15, 0},
    {"crlf", "Input 4\r\nDense 3 # three\r\n", 15, 0},
};

static void
test_count (gconstpointer data)
{
  const size_t index = GPOINTER_TO_SIZE (data);
  g_autoptr (SlModel) model = read_good (counts[index].text);
  g_assert_cmpuint (sl_model_get_n_parameters (model), ==, counts[index].all);
  g_assert_cmpuint (sl_model_get_n_states (model), ==, counts[index].states);
}

static const SlValue *
find (SlModel *model, const char *name)
{
  const SlValue *value = sl_graph_find_value (sl_model_get_graph (model), name);
  if (value == NULL)
    g_error ("there is no '%s'", name);
  return value;
}

/* Names as Keras gives them; labels, blocks and repeats as folders. */
static void
test_names (void)
{
  static const char text[] = "block pair n {\n"
                             "  a: Dense $n\n"
                             "  Dense $n from=in\n"
                             "  Add a\n"
                             "}\n"
                             "x: Input 4\n"
                             "Dense 3\n"
                             "Dense 4\n"
                             "stage: repeat 2 {\n"
                             "  Dense 4\n"
                             "  skip: Dense 4\n"
                             "}\n"
                             "pair 4\n"
                             "last: pair 4\n"
                             "Add last stage x stage/1/skip pair\n";
  static const char *const names[] = {
      "x",          "dense/kernel", "dense_1/bias", "stage/1/dense", "stage/2/skip/kernel",
      "pair/a",     "pair/dense",   "pair/add",     "last/a/bias",   "last/add",
      "pair/a/bias"};
  g_autoptr (SlModel) model = read_good (text);
  for (size_t i = 0; i < G_N_ELEMENTS (names); i++)
    find (model, names[i]);
  g_assert_cmpstr (sl_model_get_layer_type (model, "stage/2/skip"), ==, "Dense");
  g_assert_null (sl_model_get_layer_type (model, "stage"));
  g_assert_cmpstr (sl_model_get_output (model, 0)->name, ==, "add");
  /* The last sum reads the input itself, and the result of the last pass. */
  const SlValue *x = find (model, "x"), *skip = find (model, "stage/2/skip");
  g_assert_cmpuint (x->uses->len, ==, 2);
  g_assert_cmpuint (skip->uses->len, ==, 3);
}

/* The output of a run on numbers that follow from their index. */
static SlTensor *
run_on (SlModel *model, const char *device)
{
  g_autoptr (GError) error = NULL;
  const SlProgramOptions options = {.device = sl_device_find (device, NULL)};
  g_autoptr (SlProgram) program = sl_program_new (model, &options, &error);
  g_assert_no_error (error);
  g_autoptr (SlRun) run = sl_run_new (program, &error);
  g_assert_no_error (error);
  g_autoptr (SlTensor) input =
      sl_tensor_new (SL_FLOAT32, &sl_program_get_input (program, 0)->shape, NULL);
  float *data = sl_tensor_get_data_writable (input);
  for (size_t i = 0; i < sl_tensor_get_elements (input); i++)
    data[i] = (float)(i * 7 % 17) / 8 - 1;
  g_assert_true (sl_run_set_input (run, 0, input, &error));
  sl_run_execute (run, &error);
  g_assert_no_error (error);
  SlTensor *output = sl_run_copy_output (run, 0, &error);
  g_assert_no_error (error);
  return output;
}

static void
test_kinds (void)
{
  g_autoptr (SlModel) model = read_good (
      "Input 9x9x3\nConv2D 8 3 groups=1 kernel_initializer=he_normal "
      "bias_initializer=0.5\nBatchNormalization\nDepthwiseConv2D 3\nFlatten\nDense 10\n");
  const SlValue *kernel = find (model, "conv2d/kernel"), *bias = find (model, "conv2d/bias");
  g_assert_cmpint (kernel->kind, ==, SL_VALUE_PARAMETER);
  g_assert_cmpstr (kernel->initializer->name, ==, "he_normal");
  g_assert_cmpfloat (kernel->fan_in, ==, 27);
  g_assert_cmpfloat (kernel->fan_out, ==, 72);
  g_assert_null (bias->initializer);
  g_assert_cmpfloat (sl_tensor_get_double (bias->data, 7), ==, 0.5);
  g_assert_cmpfloat (sl_tensor_get_double (find (model, "batch_normalization/gamma")->data, 7), ==,
                     1);
  const SlValue *variance = find (model, "batch_normalization/moving_variance");
  g_assert_cmpint (variance->kind, ==, SL_VALUE_STATE);
  g_assert_cmpfloat (sl_tensor_get_double (variance->data, 7), ==, 1);
  g_assert_cmpfloat (find (model, "depthwise_conv2d/kernel")->fan_in, ==, 9);
  const SlValue *dense = find (model, "dense/kernel");
  g_assert_cmpstr (dense->initializer->name, ==, "glorot_uniform");
  g_assert_cmpfloat (dense->fan_in, ==, 8 * 25);
  g_assert_cmpfloat (dense->fan_out, ==, 10);
  g_assert_cmpint (sl_model_get_input (model, 0)->shape.dim[0], ==, -1);
  g_assert_cmpint (sl_model_get_output (model, 0)->shape.dim[0], ==, -1);
}

/* Each type of layer, as it runs beside its definition, and as an ONNX file. */
static void
test_every_type (void)
{
  static const char text[] =
      "Input 16x16x4\n"
      "Conv2D 8 3 activation=silu padding=same\n"
      "DepthwiseConv2D 3 activation=gelu\n"
      "SeparableConv2D 12 3 activation=mish\n"
      "Conv2DTranspose 6 3 2 same activation=hard_sigmoid\n"
      "BatchNormalization gamma_initializer=0.7 scale=true center=false\n"
      "UpSampling2D 1x2\nZeroPadding2D 1\nPermute 2,1,3\nReLU 6\nPReLU 0.25\nMaxout 3\n"
      "Dropout 0.3\nAveragePooling2D 3 2\n"
      "a: Activation selu\nb: Activation hard_silu from=a\nc: Activation softplus from=a\n"
      "Maximum a b c\nMinimum a\nAverage a b minimum\nSubtract a\nMultiply b\n"
      "Concatenate c axis=1\nActivation linear\nLocalResponseNormalization\nELU 0.5\n"
      "LeakyReLU\nActivation leaky_relu\nActivation relu6\nActivation softsign\n"
      "MaxPooling2D 3\nx: GlobalMaxPooling2D keepdims=true\n"
      "GlobalAveragePooling2D from=leaky_re_lu\nReshape 1x1x3\nAdd x\nReshape 3x1\nConv1D 4 "
      "1\nDepthwiseConv1D 1\n"
      "SeparableConv1D 5 2 padding=same\nZeroPadding1D 1,0\nMaxPooling1D 2 1\n"
      "AveragePooling1D 2 1 same\ns: Softmax\nl: GlobalMaxPooling1D\n"
      "m: GlobalAveragePooling1D from=s\nf: Flatten from=s\nConcatenate l m f\nDense 7 "
      "exponential\nActivation tanh\n"
      "Activation sigmoid\nActivation elu\nActivation swish\nActivation hard_swish\n";
  static const SlNetLayer *const families[] = {
      sl_net_layers_basic, sl_net_layers_conv,  sl_net_layers_pool,       sl_net_layers_norm,
      sl_net_layers_shape, sl_net_layers_merge, sl_net_layers_activation,
  };
  for (size_t i = 0; i < G_N_ELEMENTS (families); i++)
    for (const SlNetLayer *layer = families[i]; layer->name != NULL; layer++)
      if (strstr (text, layer->name) == NULL)
        g_error ("%s is not among the types here", layer->name);
  g_autoptr (GError) error = NULL;
  g_autoptr (SlModel) model = read_good (text);
  const SlGraph *graph = sl_model_get_graph (model);
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);
  for (uint32_t i = 0; i < graph->values->len; i++) {
    const SlValue *value = graph->values->pdata[i];
    for (size_t k = 0; value->initializer != NULL && k < sl_tensor_get_elements (value->data); k++)
      ((float *)sl_tensor_get_data_writable (value->data))[k] =
          (float)g_rand_double_range (rand, -0.5, 0.5);
  }
  g_autoptr (GBytes) written = sl_onnx_write (graph, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (SlModel) again = sl_model_load_bytes (written, "t.onnx", NULL, &error);
  g_assert_no_error (error);
  g_autoptr (SlTensor) expected = run_on (model, "ref");
  g_autoptr (SlTensor) got = run_on (model, "cpu");
  g_autoptr (SlTensor) file = run_on (again, "ref");
  g_assert_cmpuint (sl_tensor_get_elements (expected), ==, 7);
  for (size_t i = 0; i < 7; i++) {
    const double want = sl_tensor_get_double (expected, i);
    g_test_message ("%g", want);
    g_assert_cmpfloat_with_epsilon (sl_tensor_get_double (got, i), want, 1e-5);
    g_assert_cmpfloat (sl_tensor_get_double (file, i), ==, want);
  }
}

/* N6 of the study texts: the third convolution's kernel is larger than its input. */
static void
test_faulty (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SlModel) model = read_text ("Input 32x32x3\n"
                                         "Conv2D 16 9 strides=2 padding=valid activation=relu\n"
                                         "Conv2D 32 7 activation=relu\n"
                                         "Conv2D 64 7 activation=relu\n"
                                         "Flatten\n"
                                         "Dense 64 relu\n"
                                         "Dense 10 softmax\n",
                                         &error);
  g_assert_error (error, SL_ERROR, SL_ERROR_SHAPE);
  g_assert_cmpstr (error->message, ==,
                   "t.net:4:1: layer 'conv2d_2' (Conv2D): a 7x7 kernel does not fit an input of "
                   "6x6x32 with padding 0x0x0x0 (expected one no larger, or padding=same)");
}

#define ADD_ALL(rows, function)                                                  \
  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {                             \
    g_autofree char *path = g_strconcat ("/net/" #rows "/", rows[i].name, NULL); \
    g_test_add_data_func (path, GSIZE_TO_POINTER (i), function);                 \
  }

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_ALL (errors, test_error)
  ADD_ALL (shapes, test_shape)
  ADD_ALL (counts, test_count)
  g_test_add_func ("/net/limits", test_limits);
  g_test_add_func ("/net/names", test_names);
  g_test_add_func ("/net/kinds", test_kinds);
  g_test_add_func ("/net/every-type", test_every_type);
  g_test_add_func ("/net/faulty", test_faulty);
  return g_test_run ();
}
