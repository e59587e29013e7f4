/* Files that mean harm, from the file to the result: each is refused, or runs within its bounds, in
 * a process of its own whose memory and time are counted. */
#include "onnx/emit.h"

#include <glib/gstdio.h>
#include <sightline/sightline.h>

#include <math.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SLOWER 20 /* shadow memory and checks */
#define HAS_SHADOW true
#else
#define SLOWER 1
#define HAS_SHADOW false
#endif

#define MIB ((rlim_t)1 << 20)

/* Loads, compiles and runs; the first error, or NULL. */
static GError *
use (SlModel *model, const SlProgramOptions *options)
{
  GError *error = NULL;
  g_autoptr (SlProgram) program = sl_program_new (model, options, &error);
  g_autoptr (SlRun) run = program != NULL ? sl_run_new (program, &error) : NULL;
  if (run != NULL)
    sl_run_execute (run, &error);
  return error;
}

static GError *
use_bytes (const Emit *file, const SlProgramOptions *options)
{
  GError *error = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new_static (file->data, file->len);
  g_autoptr (SlModel) model = sl_model_load_bytes (bytes, "test.onnx", NULL, &error);
  return model != NULL ? use (model, options) : error;
}

/* Whether the system holds a process to its address space: an emulator of another machine does not,
 * and shadow memory needs more than any bound. */
static bool
space_is_bounded (void)
{
  int status;
  const pid_t pid = HAS_SHADOW ? -1 : fork ();
  if (pid == 0) {
    const struct rlimit space = {512 * MIB, 512 * MIB};
    setrlimit (RLIMIT_AS, &space);
    void *volatile memory = malloc (1024 * MIB);
    _exit (memory == NULL ? 0 : 1);
  }
  return pid > 0 && waitpid (pid, &status, 0) == pid && WIFEXITED (status) &&
         WEXITSTATUS (status) == 0;
}

/* What a child did. */
typedef struct {
  char *message; /* of its error, "" if there was none */
  guint64 rss;   /* bytes */
} Outcome;

typedef struct {
  const Emit *file; /* or: */
  const char *path;
  const SlProgramOptions *options;
} Job;

static void
child (const Job *job, rlim_t memory, int pipe)
{
  const struct rlimit time = {60 * SLOWER, 60 * SLOWER}, space = {memory, memory};
  GError *error = NULL;
  setrlimit (RLIMIT_CPU, &time);
  if (!HAS_SHADOW && memory > 0)
    setrlimit (RLIMIT_AS, &space);
  if (job->path != NULL) {
    g_autoptr (SlModel) model = sl_model_load (job->path, NULL, &error);
    if (model != NULL)
      error = use (model, job->options);
  } else {
    error = use_bytes (job->file, job->options);
  }
  const char *text = error != NULL ? error->message : "";
  g_assert_true (error == NULL || error->domain == SL_ERROR);
  _exit (write (pipe, text, strlen (text)) == (ssize_t)strlen (text) ? 0 : 1);
}

/* Runs the job in a child whose address space is `memory` bytes (0: any); it must end by itself. */
static Outcome
run_child (const Job *job, rlim_t memory)
{
  int ends[2], status;
  struct rusage usage;
  g_assert_cmpint (pipe (ends), ==, 0);
  const pid_t pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    child (job, memory, ends[1]);
  close (ends[1]);
  g_autoptr (GString) text = g_string_new (NULL);
  char piece[4096];
  for (ssize_t n; (n = read (ends[0], piece, sizeof piece)) > 0;)
    g_string_append_len (text, piece, n);
  close (ends[0]);
  g_assert_cmpint (wait4 (pid, &status, 0, &usage), ==, pid);
  if (!WIFEXITED (status) || WEXITSTATUS (status) != 0)
    g_error ("the child ended with status %#x: %s", status, text->str);
  g_assert_null (strchr (text->str, '\n'));
  return (Outcome){g_strdup (text->str), (guint64)usage.ru_maxrss * 1024};
}

/* The child must end with an error that says `text` ("": none) and stay below `rss` bytes. */
static void
expect (const Job *job, rlim_t memory, guint64 rss, const char *text)
{
  const Outcome outcome = run_child (job, memory);
  g_autofree char *message = outcome.message;
  if (text[0] == '\0' ? message[0] != '\0' : strstr (message, text) == NULL)
    g_error ("\"%s\" does not say \"%s\"", message, text);
  if (!HAS_SHADOW && rss > 0)
    g_assert_cmpuint (outcome.rss, <=, rss);
}

static void
expect_bytes (Emit *file, const SlProgramOptions *options, rlim_t memory, guint64 rss,
              const char *text)
{
  expect (&(Job){.file = file, .options = options}, memory, rss, text);
  g_byte_array_unref (file);
}

/* x (1, 3, 8, 8) → `op` with these inputs, the first of which is x → y. Further inputs are float
 * constants w (4, 3, 3, 3), or what `more` adds to the graph. */
static Emit *
graph_around (Emit *node)
{
  Emit *graph = emit_new (), *output = emit_new ();
  emit_message (graph, 1, node);
  emit_message (graph, 11, emit_value ("x", 4, (const gint64[]){1, 3, 8, 8}));
  emit_text (output, 1, "y");
  emit_message (graph, 12, output);
  return graph;
}

static Emit *
with_weights (Emit *graph, const char *name, guint rank, const gint64 *dims, float value)
{
  gsize n = 1;
  for (guint i = 0; i < rank; i++)
    n *= (gsize)dims[i];
  g_autofree float *numbers = g_new (float, n);
  for (gsize i = 0; i < n; i++)
    numbers[i] = value;
  emit_message (graph, 5, emit_tensor (name, 1, rank, dims, numbers, n * sizeof (float)));
  return graph;
}

static const gint64 conv_dims[] = {4, 3, 3, 3};

static Emit *
conv_with (const char *attr, guint n, const gint64 *values)
{
  Emit *node = emit_node ("Conv", "bad", "x w", "y");
  if (n == 0)
    emit_attr_int (node, attr, values[0]);
  else
    emit_attr_ints (node, attr, n, values);
  return emit_model (with_weights (graph_around (node), "w", 4, conv_dims, 1), 13);
}

static Emit *
pool_with (const char *attr, guint n, const gint64 *values)
{
  Emit *node = emit_node ("MaxPool", "bad", "x", "y");
  if (strcmp (attr, "kernel_shape") != 0)
    emit_attr_ints (node, "kernel_shape", 2, (const gint64[]){3, 3});
  emit_attr_ints (node, attr, n, values);
  return emit_model (graph_around (node), 13);
}

#define INTS(...)                                                  \
  G_N_ELEMENTS (((const gint64[]){__VA_ARGS__})), (const gint64[]) \
  {                                                                \
    __VA_ARGS__                                                    \
  }

/* Row A16: numbers that make no sense, one operator each. */
static void
test_attributes (void)
{
  const gint64 huge = G_GINT64_CONSTANT (1) << 31;
  const struct {
    Emit *file;
    const char *text;
  } cases[] = {
      {conv_with ("group", 0, (const gint64[]){0}), "node bad (Conv)"},
      {conv_with ("group", 0, (const gint64[]){-1}), "node bad (Conv)"},
      {conv_with ("strides", INTS (0, 1)), "node bad (Conv)"},
      {conv_with ("strides", INTS (G_MININT64, 1)), "node bad (Conv)"},
      {conv_with ("dilations", INTS (huge, huge)), "node bad (Conv)"},
      {conv_with ("dilations", INTS (G_MAXINT64, 1)), "node bad (Conv)"},
      {conv_with ("pads", INTS (-1, 0, 0, 0)), "node bad (Conv)"},
      {conv_with ("pads", INTS (G_MAXINT64, G_MAXINT64, 0, 0)), "node bad (Conv)"},
      {conv_with ("kernel_shape", INTS (9, 9)), "node bad (Conv)"},
      {pool_with ("kernel_shape", INTS (0, 0)), "node bad (MaxPool)"},
      {pool_with ("kernel_shape", INTS (9, 9)), "node bad (MaxPool)"},
      {pool_with ("kernel_shape", INTS (huge, huge)), "node bad (MaxPool)"},
      {pool_with ("strides", INTS (0, 0)), "node bad (MaxPool)"},
      {pool_with ("dilations", INTS (huge, 1)), "node bad (MaxPool)"},
      {pool_with ("pads", INTS (-1, -1, -1, -1)), "node bad (MaxPool)"},
      {pool_with ("pads", INTS (huge, huge, huge, huge)), "node bad (MaxPool)"},
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    expect_bytes (cases[i].file, NULL, 0, 0, cases[i].text);
}

static Emit *
with_ints (Emit *node, const char *name, guint n, const gint64 *ints)
{
  Emit *graph = graph_around (node);
  emit_message (graph, 5, emit_tensor (name, 7, 1, (const gint64[]){n}, ints, n * sizeof ints[0]));
  return emit_model (graph, 13);
}

static Emit *
concat (gint64 axis)
{
  Emit *node = emit_node ("Concat", "bad", "x x", "y");
  emit_attr_int (node, "axis", axis);
  return emit_model (graph_around (node), 13);
}

/* Row A16, and what asks for more than there is: A8. */
static void
test_shapes (void)
{
  const gint64 huge = G_GINT64_CONSTANT (1) << 31, vast = G_GINT64_CONSTANT (1) << 62;
  const struct {
    Emit *file;
    const char *text;
  } cases[] = {
      {with_ints (emit_node ("Reshape", "bad", "x s", "y"), "s", INTS (-1, -1)),
       "node bad (Reshape)"},
      {with_ints (emit_node ("Reshape", "bad", "x s", "y"), "s", INTS (huge, huge)),
       "node bad (Reshape)"},
      {with_ints (emit_node ("Reshape", "bad", "x s", "y"), "s", INTS (-2, 3)),
       "node bad (Reshape)"},
      {concat (4), "node bad (Concat)"},
      {concat (-5), "node bad (Concat)"},
      {concat (huge), "node bad (Concat)"},
      {with_ints (emit_node ("Expand", "bad", "x s", "y"), "s", INTS (huge, 3, 8, 8)), "y"},
      {with_ints (emit_node ("Expand", "bad", "x s", "y"), "s", INTS (vast, vast, vast, 1)), "bad"},
      {with_ints (emit_node ("Tile", "bad", "x s", "y"), "s", INTS (huge, 1, 1, 1)), "y"},
      {with_ints (emit_node ("Tile", "bad", "x s", "y"), "s", INTS (vast, vast, 1, 1)), "bad"},
      {with_ints (emit_node ("Tile", "bad", "x s", "y"), "s", INTS (-1, 1, 1, 1)), "bad"},
      {with_ints (emit_node ("Pad", "bad", "x s", "y"), "s",
                  INTS (G_MININT64, 0, 0, 0, 0, 0, 0, 0)),
       "node bad (Pad)"},
      {with_ints (emit_node ("ConstantOfShape", "bad", "s", "y"), "s", INTS (huge)), "bad"},
      {with_ints (emit_node ("ConstantOfShape", "bad", "s", "y"), "s", INTS (huge, huge)), "bad"},
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    expect_bytes (cases[i].file, NULL, 512 * MIB, 128 * MIB, cases[i].text);
}

/* Row A17: weights that are no numbers never end as a class. */
static void
test_weights (void)
{
  static const float bad[] = {NAN, INFINITY, -INFINITY};
  static const char *const texts[] = {"is NaN", "is infinite", "is infinite"};
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    Emit *graph = with_weights (graph_around (emit_node ("Conv", "c", "x w", "y")), "w", 4,
                                conv_dims, bad[i]);
    expect_bytes (emit_model (graph, 13), NULL, 0, 0, texts[i]);

    /* Where it is no weight that is multiplied, the run says it. */
    graph = graph_around (emit_node ("Add", "a", "x w", "s"));
    emit_message (graph, 1, emit_node ("Relu", "r", "s", "y"));
    graph = with_weights (graph, "w", 1, (const gint64[]){8}, bad[i]);
    expect_bytes (emit_model (graph, 13), NULL, 0, 0, bad[i] == -INFINITY ? "" : "NaN or infinity");
  }
  /* Denormal weights are small numbers. */
  Emit *graph =
      with_weights (graph_around (emit_node ("Conv", "c", "x w", "y")), "w", 4, conv_dims, 1e-42f);
  expect_bytes (emit_model (graph, 13), NULL, 0, 0, "");
}

/* Variance below zero: a root that is no number. */
static void
test_variance (void)
{
  static const gint64 three[] = {3};
  Emit *node = emit_node ("BatchNormalization", "bn", "x s s s v", "n"), *eps = emit_new ();
  emit_text (eps, 1, "epsilon");
  emit_float (eps, 2, 0);
  emit_int (eps, 20, 1);
  emit_message (node, 5, eps);
  Emit *graph = graph_around (node);
  emit_message (graph, 1, emit_node ("Relu", "", "n", "y"));
  with_weights (graph, "s", 1, three, 1);
  with_weights (graph, "v", 1, three, -1);
  expect_bytes (emit_model (graph, 13), NULL, 0, 0, "NaN or infinity");
}

/* Row A18: a million nodes are refused; 100,000, each in its own way awkward, are not, and take
 * seconds, not hours. */
static void
test_many_nodes (void)
{
  static const struct {
    guint n;
    const char *op, *input, *second;
    const char *text;
  } cases[] = {
      {1000000, "Relu", NULL, NULL, "more than 100000 nodes"},
      {99999, "Relu", NULL, NULL, ""}, /* a chain that is fused and overwritten */
      {99999, "Relu", "x", NULL, ""},  /* all read x, nobody reads them */
      {99999, "Abs", "k", NULL, ""},   /* all constant */
      {99999, "Identity", NULL, NULL, ""},
      {49999, "Add", NULL, "x", ""},
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    Emit *graph = emit_new (), *output = emit_new ();
    g_autofree char *last = g_strdup ("x");
    for (guint k = 0; k < cases[i].n; k++) {
      g_autofree char *name = g_strdup_printf ("v%u", k);
      g_autofree char *inputs =
          g_strjoin (" ", cases[i].input ? cases[i].input : last, cases[i].second, NULL);
      emit_message (graph, 1, emit_node (cases[i].op, "", inputs, name));
      g_free (last);
      last = g_steal_pointer (&name);
    }
    emit_message (graph, 1, emit_node ("Abs", "", last, "y"));
    emit_message (graph, 11, emit_value ("x", 1, (const gint64[]){4}));
    with_weights (graph, "k", 1, (const gint64[]){4}, 1);
    emit_text (output, 1, "y");
    emit_message (graph, 12, output);
    expect_bytes (emit_model (graph, 13), NULL, 0, 1024 * MIB, cases[i].text);
  }
}

/* 100,000 values that all live to the end: outputs. */
static void
test_many_outputs (void)
{
  enum { N = 50000 };
  Emit *graph = emit_new ();
  for (guint i = 0; i < N; i++) {
    g_autofree char *name = g_strdup_printf ("v%u", i);
    Emit *output = emit_new ();
    emit_message (graph, 1, emit_node ("Abs", "", "x", name));
    emit_text (output, 1, name);
    emit_message (graph, 12, output);
  }
  emit_message (graph, 11, emit_value ("x", 1, (const gint64[]){4}));
  expect_bytes (emit_model (graph, 13), NULL, 0, 1024 * MIB, "");
}

static void
test_many_inputs (void)
{
  static const struct {
    guint n;
    const char *text;
  } cases[] = {{100000, "more than 16384 inputs or outputs"}, {16384, ""}};
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    Emit *node = emit_new ();
    for (guint k = 0; k < cases[i].n; k++)
      emit_text (node, 1, "x");
    emit_text (node, 2, "y");
    emit_text (node, 4, "Concat");
    emit_attr_int (node, "axis", 0);
    Emit *graph = graph_around (node);
    expect_bytes (emit_model (graph, 13), NULL, 0, 512 * MIB, cases[i].text);
  }
}

/* A string of a gigabyte, in a file that has holes instead: refused by its length. */
static void
test_long_string (void)
{
  const guint64 size = G_GUINT64_CONSTANT (1) << 30;
  g_autofree char *folder = g_dir_make_tmp ("sightline-hostile-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "long.onnx", NULL);
  /* ModelProto { ir_version, graph { node { op_type, attribute { s: … } } } }, lengths by hand. */
  Emit *head = emit_new (), *attribute = emit_new (), *node = emit_new (), *graph = emit_new ();
  emit_text (attribute, 1, "auto_pad");
  emit_tag (attribute, 4, 2);
  emit_varint (attribute, size);
  emit_text (node, 4, "Conv");
  emit_tag (node, 5, 2);
  emit_varint (node, attribute->len + size);
  emit_tag (graph, 1, 2);
  emit_varint (graph, node->len + attribute->len + size);
  Emit *import = emit_new ();
  emit_int (import, 2, 13);
  emit_int (head, 1, 8);
  emit_message (head, 8, import);
  emit_tag (head, 7, 2);
  emit_varint (head, graph->len + node->len + attribute->len + size);
  g_byte_array_append (head, graph->data, graph->len);
  g_byte_array_append (head, node->data, node->len);
  g_byte_array_append (head, attribute->data, attribute->len);
  g_assert_true (g_file_set_contents (path, (const char *)head->data, head->len, NULL));
  g_assert_cmpint (truncate (path, (off_t)(head->len + size)), ==, 0);
  g_byte_array_unref (attribute);
  g_byte_array_unref (node);
  g_byte_array_unref (graph);
  g_byte_array_unref (head);

  const Job job = {.path = path};
  expect (&job, 0, 1100 * MIB, "field 4 has 1073741824 bytes of text (limit is 65536)");
  if (space_is_bounded ())
    expect (&job, 512 * MIB, 512 * MIB, "no memory for");
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_rmdir (folder);
}

/* Row A19: an input of 32k x 32k is refused by its size, with nothing allocated. */
static void
test_large_input (void)
{
  const SlShape shape = SL_SHAPE (1, 3, 32768, 32768);
  const SlProgramOptions options = {.shapes = &shape, .n_shapes = 1};
  Emit *graph = emit_new (), *output = emit_new ();
  emit_message (graph, 1, emit_node ("Relu", "r", "x", "y"));
  emit_message (graph, 11, emit_value ("x", 4, (const gint64[]){-1, 3, -1, -1}));
  emit_text (output, 1, "y");
  emit_message (graph, 12, output);
  expect_bytes (
      emit_model (graph, 13), &options, 512 * MIB, 128 * MIB,
      "'x' would be 1x3x32768x32768 of float32, and the limit of a run's memory is 8.0 GiB");
}

/* Work without size: a chain of constant products of which only one number is left. */
static void
test_constant_work (void)
{
  enum { SIDE = 1024, STEPS = 64 };
  Emit *graph = emit_new (), *output = emit_new (),
       *shape = emit_node ("ConstantOfShape", "", "s", "m0");
  emit_message (graph, 1, shape);
  for (int i = 0; i < STEPS; i++) {
    g_autofree char *inputs = g_strdup_printf ("m%d m0", i);
    g_autofree char *name = g_strdup_printf ("m%d", i + 1);
    emit_message (graph, 1, emit_node ("MatMul", name, inputs, name));
  }
  emit_message (graph, 1, emit_node ("ReduceMax", "one", "m64", "one"));
  emit_message (graph, 1, emit_node ("Add", "", "x one", "y"));
  emit_message (graph, 5,
                emit_tensor ("s", 7, 1, (const gint64[]){2}, (const gint64[]){SIDE, SIDE}, 16));
  emit_message (graph, 11, emit_value ("x", 1, (const gint64[]){4}));
  emit_text (output, 1, "y");
  emit_message (graph, 12, output);
  const SlProgramOptions options = {.constant_work = 1e8};
  expect_bytes (emit_model (graph, 13), &options, 0, 256 * MIB,
                "node m1 (MatMul): is constant and takes 2.15e+09 operations");
}

/* What a run may take. */
static void
test_run_work (void)
{
  Emit *file = emit_model (
      with_weights (graph_around (emit_node ("Conv", "c", "x w", "y")), "w", 4, conv_dims, 1), 13);
  const SlProgramOptions less = {.run_work = 7000}, enough = {.run_work = 9000};
  expect (&(Job){.file = file, .options = &less}, 0, 0, "a run would take 7.78e+03 operations");
  expect_bytes (file, &enough, 0, 0, "");
}

/* The environment sets limits where the program does not. */
static void
test_environment (void)
{
  Emit *file = emit_model (emit_network (), 13);
  static const struct {
    const char *value, *text;
  } cases[] = {
      {"nodes=3", "more than 3 nodes"},
      {"file=1K,nodes=3", "more than 3 nodes"},
      {"file=8", "the limit is 8 (\"file\" in SIGHTLINE_LIMITS)"},
      {"tensor=8", "the limit is 8 (\"tensor\" in SIGHTLINE_LIMITS)"},
      {"ends=2", "more than 2 inputs"},
      {"values=3", "more than 3 tensors"},
      {"memory=100", "limit of a run's memory is 100 bytes (\"memory\" in"},
      {"constants=8", "more than constants made of others may take"},
      {"work=10", "operations, the limit is 10"},
      {"memory=1g,,work=1T", ""},
      {"memory", "SIGHTLINE_LIMITS is 'memory' (expected NAME=NUMBER[K|M|G|T]"},
      {"memory=0", "SIGHTLINE_LIMITS"},
      {"memory=-1", "SIGHTLINE_LIMITS"},
      {"memory=1X", "SIGHTLINE_LIMITS"},
      {"memory=1GB", "SIGHTLINE_LIMITS"},
      {"memory=20000000T", "SIGHTLINE_LIMITS"},
      {"mem\nory=1", "SIGHTLINE_LIMITS is 'mem\\nory=1'"},
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_setenv ("SIGHTLINE_LIMITS", cases[i].value, TRUE);
    expect (&(Job){.file = file}, 0, 0, cases[i].text);
  }
  /* What the program asks for holds. */
  g_setenv ("SIGHTLINE_LIMITS", "memory=100", TRUE);
  expect_bytes (file, &(SlProgramOptions){.memory_limit = 1 << 20}, 0, 0, "");
  g_unsetenv ("SIGHTLINE_LIMITS");
}

/* --- Row A21: a file that changes while it is read --- */

typedef struct {
  const char *path;
  const Emit *file;
  int stop;
} Writer;

static gpointer
rewrite (gpointer data)
{
  Writer *writer = data;
  for (guint i = 0; !g_atomic_int_get (&writer->stop); i++) {
    FILE *file = fopen (writer->path, i % 2 ? "wb" : "r+b"); /* emptied, or overwritten in place */
    if (file == NULL)
      continue;
    fwrite (writer->file->data, 1, i % 3 ? writer->file->len : writer->file->len / 2, file);
    fclose (file);
  }
  return NULL;
}

static void
test_changing_file (void)
{
  g_autofree char *folder = g_dir_make_tmp ("sightline-hostile-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "changes.onnx", NULL);
  g_autoptr (GByteArray) file =
      emit_model (with_weights (emit_network (), "unused", 1, (const gint64[]){20000}, 1), 13);
  Writer writer = {.path = path, .file = file};
  g_assert_true (g_file_set_contents (path, (const char *)file->data, file->len, NULL));
  GThread *thread = g_thread_new ("writer", rewrite, &writer);
  guint good = 0, bad = 0;
  for (int i = 0; i < 2000; i++) {
    GError *error = NULL;
    g_autoptr (SlModel) model = sl_model_load (path, NULL, &error);
    g_assert_true ((model == NULL) == (error != NULL));
    good += model != NULL;
    bad += model == NULL;
    if (error != NULL) {
      g_assert_true (g_str_has_prefix (error->message, path));
      check_error (error, error->code, path);
    }
  }
  g_atomic_int_set (&writer.stop, 1);
  g_thread_join (thread);
  g_test_message ("%u whole, %u refused", good, bad);
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_rmdir (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hostile/attributes", test_attributes);
  g_test_add_func ("/hostile/shapes", test_shapes);
  g_test_add_func ("/hostile/weights", test_weights);
  g_test_add_func ("/hostile/variance", test_variance);
  g_test_add_func ("/hostile/many-nodes", test_many_nodes);
  g_test_add_func ("/hostile/many-outputs", test_many_outputs);
  g_test_add_func ("/hostile/many-inputs", test_many_inputs);
  g_test_add_func ("/hostile/long-string", test_long_string);
  g_test_add_func ("/hostile/large-input", test_large_input);
  g_test_add_func ("/hostile/constant-work", test_constant_work);
  g_test_add_func ("/hostile/run-work", test_run_work);
  g_test_add_func ("/hostile/environment", test_environment);
  g_test_add_func ("/hostile/changing-file", test_changing_file);
  return g_test_run ();
}
