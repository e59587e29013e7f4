#include "net/net.h"

#include "net/layer.h"
#include "net/scope.h"

#include <string.h>

/* Blocks in blocks, and repeats in them. */
#define MAX_DEPTH 32

/* "block NAME PARAMETER[=PRESET]… {" */
typedef struct Block {
  const SlNetLine *header;
  uint32_t begin, end; /* lines of its body */
} Block;

/* One layer, for what can be said when all are there. */
typedef struct Made {
  SlNetWord at;
  char *name;
  SlValue *value;
} Made;

typedef struct Reader {
  GArray *lines; /* SlNetLine */
  SlNetBuilder builder;
  GHashTable *blocks;   /* name → Block */
  GHashTable *defaults; /* SlNetLayer → GArray of SlNetWord */
  GHashTable *labels;   /* full name → SlValue */
  GHashTable *types;    /* full name → type */
  GArray *made;         /* Made */
  uint64_t words_left;  /* that may still be unfolded */
  uint32_t depth;
  GError **error;
} Reader;

/* A line that is being carried out, its variables replaced. */
typedef struct Statement {
  const SlNetLine *line;
  uint32_t index; /* of the line */
  GArray *words;
  char *label;    /* NULL: none */
  uint32_t first; /* word that says what it is */
} Statement;

static const SlNetWord *
word_of (const GArray *words, uint32_t index)
{
  return &g_array_index (words, SlNetWord, index);
}

static gboolean run_lines (Reader *reader, SlNetScope *scope, uint32_t begin, uint32_t end);

G_GNUC_PRINTF (4, 5)
static gboolean
refuse (Reader *reader, SlErrorCode code, const SlNetWord *at, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  sl_net_error (reader->error, code, at, "%s", text);
  return FALSE;
}

/* --- Names --- */

static gboolean
add_label (Reader *reader, const SlNetWord *at, const char *full, SlValue *value)
{
  if (g_hash_table_contains (reader->labels, full))
    return refuse (reader, SL_ERROR_MALFORMED, at, "a layer named '%s' is there already", full);
  g_hash_table_insert (reader->labels, g_strdup (full), value);
  return TRUE;
}

static gboolean
check_label (Reader *reader, const SlNetWord *at, const char *label)
{
  if (sl_net_is_name (label) && strcmp (label, "in") != 0)
    return TRUE;
  return refuse (reader, SL_ERROR_MALFORMED, at,
                 "label '%s' (expected letters, digits, _, - and . with a letter first, and not "
                 "'in')",
                 label);
}

/* Takes "from=NAME" out of the words; *ret is what the layer reads without any. */
static gboolean
take_from (Reader *reader, const SlNetScope *scope, Statement *statement, SlValue **ret)
{
  static const char key[] = "from=";
  bool is_said = false;
  *ret = scope->current;
  for (uint32_t i = statement->first + 1; i < statement->words->len; i++) {
    const SlNetWord *word = word_of (statement->words, i);
    if (!g_str_has_prefix (word->text, key))
      continue;
    if (is_said)
      return refuse (reader, SL_ERROR_MALFORMED, word, "from is said twice");
    *ret =
        sl_net_scope_find (scope, reader->labels, word, word->text + strlen (key), reader->error);
    if (*ret == NULL)
      return FALSE;
    is_said = true;
    g_array_remove_index (statement->words, i--);
  }
  return TRUE;
}

/* --- Layers --- */

/* The names without "=", which go from the words to `ret`. One name: the last layer and that. */
static gboolean
take_names (Reader *reader, const SlNetScope *scope, Statement *statement, GPtrArray *ret)
{
  for (uint32_t i = statement->first + 1; i < statement->words->len; i++) {
    const SlNetWord *word = word_of (statement->words, i);
    if (strchr (word->text, '=') != NULL)
      continue;
    SlValue *value = sl_net_scope_find (scope, reader->labels, word, word->text, reader->error);
    if (value == NULL)
      return FALSE;
    g_ptr_array_add (ret, value);
    g_array_remove_index (statement->words, i--);
  }
  if (ret->len == 1 && scope->current != NULL)
    g_ptr_array_insert (ret, 0, scope->current);
  if (ret->len >= 2 && ret->len <= reader->builder.limits->node_ends)
    return TRUE;
  const SlNetWord *type = word_of (statement->words, statement->first);
  return refuse (reader, SL_ERROR_MALFORMED, type, "%s of %u layers (expected names of 2 to %u)",
                 type->text, ret->len, reader->builder.limits->node_ends);
}

static gboolean
list_inputs (Reader *reader, const SlNetScope *scope, const SlNetLayer *layer, Statement *statement,
             GPtrArray *ret)
{
  SlValue *input;
  const SlNetWord *type = word_of (statement->words, statement->first);
  if (layer->is_input)
    return TRUE;
  if (layer->joins)
    return take_names (reader, scope, statement, ret);
  if (!take_from (reader, scope, statement, &input))
    return FALSE;
  if (input == NULL)
    return refuse (reader, SL_ERROR_MALFORMED, type,
                   "%s has nothing to read (expected an Input "
                   "line before it)",
                   type->text);
  g_ptr_array_add (ret, input);
  return TRUE;
}

static const char *
describe_rank (uint32_t rank)
{
  static const char *const ranks[] = {"", "", "a vector", "length x channels",
                                      "height x width x channels"};
  return ranks[MIN (rank, 4)];
}

static gboolean
check_ranks (Reader *reader, const SlNetLayer *layer, const GPtrArray *inputs)
{
  for (uint32_t i = 0; i < inputs->len && layer->max_rank > 0; i++) {
    const SlShape *shape = &((SlValue *)inputs->pdata[i])->shape;
    if (shape->rank >= layer->min_rank && shape->rank <= layer->max_rank)
      continue;
    g_autofree char *found = sl_net_shape_to_string (shape);
    sl_net_fail (&reader->builder, SL_ERROR_SHAPE, "its input is %s (expected %s%s%s)", found,
                 describe_rank (layer->min_rank), layer->max_rank > layer->min_rank ? " to " : "",
                 layer->max_rank > layer->min_rank ? describe_rank (layer->max_rank) : "");
    return FALSE;
  }
  return TRUE;
}

static SlValue *
build (Reader *reader, const SlNetLayer *layer, const Statement *statement, GPtrArray *inputs)
{
  SlNetBuilder *builder = &reader->builder;
  g_autofree void *args = g_malloc0 (MAX (layer->args_size, 1));
  if (!sl_net_args_read (layer->name, layer->args, layer->n_positional,
                         g_hash_table_lookup (reader->defaults, layer), statement->words,
                         statement->first + 1, args, reader->error) ||
      !check_ranks (reader, layer, inputs))
    return NULL;
  return layer->build (builder, args, (SlValue *const *)inputs->pdata, inputs->len);
}

static gboolean
run_layer (Reader *reader, SlNetScope *scope, const SlNetLayer *layer, Statement *statement)
{
  const SlNetWord at = *word_of (statement->words, statement->first);
  g_autoptr (GPtrArray) inputs = g_ptr_array_new ();
  if (!list_inputs (reader, scope, layer, statement, inputs))
    return FALSE;
  g_autofree char *name = sl_net_scope_name (scope, reader->labels, statement->label, layer->name);
  reader->builder.layer = layer;
  reader->builder.name = name;
  reader->builder.at = &at;
  SlValue *value = build (reader, layer, statement, inputs);
  if (value == NULL || !add_label (reader, &at, name, value))
    return FALSE;
  if (!layer->is_input)
    sl_graph_rename_value (reader->builder.graph, value, name);
  g_hash_table_insert (reader->types, g_strdup (name), (char *)layer->name);
  const Made made = {
      .at = {.line = at.line, .column = at.column}, .name = g_strdup (name), .value = value};
  g_array_append_val (reader->made, made);
  scope->current = value;
  return TRUE;
}

/* --- Blocks and repeats --- */

static gboolean
enter (Reader *reader, const SlNetWord *at)
{
  if (reader->depth++ < MAX_DEPTH)
    return TRUE;
  return refuse (reader, SL_ERROR_LIMIT, at, "blocks and repeats are more than %d deep", MAX_DEPTH);
}

/* The result of a block or repeat bears its name. */
static gboolean
leave (Reader *reader, SlNetScope *scope, const Statement *statement, const char *full,
       SlValue *result)
{
  reader->depth--;
  scope->current = result;
  return add_label (reader, word_of (statement->words, 0), full, result);
}

/* "repeat COUNT [COUNTER] {" */
static gboolean
run_repeat (Reader *reader, SlNetScope *scope, const Statement *statement)
{
  const uint32_t n = statement->words->len - statement->first - 1;
  const SlNetWord *at = word_of (statement->words, statement->first);
  const SlNetWord *count = n > 0 ? at + 1 : at, *counter = n > 1 ? at + 2 : NULL;
  int64_t times;
  if (!statement->line->opens || n < 1 || n > 2 ||
      !sl_net_parse_int (count->text, strlen (count->text), &times) ||
      (counter != NULL && !sl_net_is_name (counter->text)))
    return refuse (reader, SL_ERROR_MALFORMED, count,
                   "repeat is not to be understood (expected: repeat COUNT [NAME] {)");
  if (!enter (reader, at))
    return FALSE;
  g_autofree char *full = sl_net_scope_name (scope, reader->labels, statement->label, "repeat");
  SlValue *current = scope->current;
  gboolean ok = TRUE;
  for (int64_t i = 1; ok && i <= times; i++) {
    SlNetScope inner;
    sl_net_scope_init (&inner, scope, g_strdup_printf ("%s/%" G_GINT64_FORMAT "/", full, i),
                       current);
    if (counter != NULL)
      g_hash_table_insert (inner.variables, g_strdup (counter->text),
                           g_strdup_printf ("%" G_GINT64_FORMAT, i));
    ok = run_lines (reader, &inner, statement->index + 1, statement->line->behind);
    current = inner.current;
    sl_net_scope_clear (&inner);
  }
  return ok && leave (reader, scope, statement, full, current);
}

static gboolean
define_block (Reader *reader, const SlNetScope *scope, const Statement *statement)
{
  const GArray *words = statement->words;
  const SlNetWord *at = word_of (words, statement->first);
  if (!statement->line->opens || words->len < 2 || statement->label != NULL ||
      !sl_net_is_name (word_of (words, 1)->text))
    return refuse (reader, SL_ERROR_MALFORMED, at,
                   "block is not to be understood (expected: block NAME [PARAMETER[=VALUE]…] {)");
  const char *name = word_of (words, 1)->text;
  if (scope->prefix[0] != '\0')
    return refuse (reader, SL_ERROR_MALFORMED, at, "a block in another (expected it outside)");
  if (sl_net_layer_find (name) != NULL || g_hash_table_contains (reader->blocks, name))
    return refuse (reader, SL_ERROR_MALFORMED, word_of (words, 1),
                   "'%s' is there already (expected another name)", name);
  for (uint32_t i = 2; i < words->len; i++) {
    const SlNetWord *word = word_of (words, i);
    g_autofree char *parameter = g_strndup (word->text, strcspn (word->text, "="));
    if (!sl_net_is_name (parameter) || strpbrk (parameter, "-.") != NULL ||
        strcmp (parameter, "from") == 0)
      return refuse (reader, SL_ERROR_MALFORMED, word,
                     "parameter '%s' (expected letters, digits and _ with a letter first, and not "
                     "'from')",
                     parameter);
  }
  Block *block = g_new (Block, 1);
  *block = (Block){statement->line, statement->index + 1, statement->line->behind};
  g_hash_table_insert (reader->blocks, g_strdup (name), block);
  return TRUE;
}

/* Gives parameter `index` of the block its value; words of the header are "name" or "name=value".
 */
static gboolean
set_parameter (Reader *reader, SlNetScope *inner, const GArray *header, const SlNetWord *word,
               uint32_t *position)
{
  const char *equals = strchr (word->text, '=');
  const size_t length = equals != NULL ? (size_t)(equals - word->text) : 0;
  for (uint32_t i = 2; i < header->len; i++) {
    const char *stated = word_of (header, i)->text;
    const size_t stated_length = strcspn (stated, "=");
    if (equals != NULL ? stated_length != length || memcmp (stated, word->text, length) != 0
                       : i != *position + 2)
      continue;
    *position += equals == NULL;
    g_hash_table_insert (inner->variables, g_strndup (stated, stated_length),
                         g_strdup (equals != NULL ? equals + 1 : word->text));
    return TRUE;
  }
  return refuse (reader, SL_ERROR_MALFORMED, word, "block '%s' has no parameter for '%s'",
                 word_of (header, 1)->text, word->text);
}

static gboolean
set_parameters (Reader *reader, SlNetScope *inner, const Block *block, const Statement *statement)
{
  const GArray *header = block->header->words;
  uint32_t position = 0;
  for (uint32_t i = statement->first + 1; i < statement->words->len; i++)
    if (!set_parameter (reader, inner, header, word_of (statement->words, i), &position))
      return FALSE;
  for (uint32_t i = 2; i < header->len; i++) {
    const char *stated = word_of (header, i)->text;
    const char *equals = strchr (stated, '=');
    g_autofree char *name = g_strndup (stated, strcspn (stated, "="));
    if (g_hash_table_contains (inner->variables, name))
      continue;
    if (equals == NULL)
      return refuse (reader, SL_ERROR_MALFORMED, word_of (statement->words, statement->first),
                     "block '%s' wants %s", word_of (header, 1)->text, name);
    g_hash_table_insert (inner->variables, g_steal_pointer (&name), g_strdup (equals + 1));
  }
  return TRUE;
}

static gboolean
run_block (Reader *reader, SlNetScope *scope, const Block *block, Statement *statement)
{
  SlNetScope inner;
  SlValue *input;
  const SlNetWord *at = word_of (statement->words, statement->first);
  if (!take_from (reader, scope, statement, &input) || !enter (reader, at))
    return FALSE;
  g_autofree char *full = sl_net_scope_name (scope, reader->labels, statement->label, at->text);
  sl_net_scope_init (&inner, NULL, g_strconcat (full, "/", NULL), input);
  gboolean ok = set_parameters (reader, &inner, block, statement) &&
                run_lines (reader, &inner, block->begin, block->end);
  SlValue *result = inner.current;
  sl_net_scope_clear (&inner);
  return ok && leave (reader, scope, statement, full, result);
}

/* --- Other lines --- */

/* "default TYPE NAME=VALUE…": of all layers of the type from here on. */
static gboolean
add_defaults (Reader *reader, const SlNetScope *scope, const Statement *statement)
{
  const GArray *words = statement->words;
  const SlNetWord *at = word_of (words, statement->first);
  const SlNetLayer *layer = words->len > 2 ? sl_net_layer_find (word_of (words, 1)->text) : NULL;
  if (layer == NULL || statement->label != NULL || scope->prefix[0] != '\0')
    return refuse (reader, SL_ERROR_MALFORMED, at,
                   "default is not to be understood (expected: default TYPE NAME=VALUE…, outside "
                   "of blocks and repeats)");
  GArray *defaults = g_hash_table_lookup (reader->defaults, layer);
  if (defaults == NULL) {
    defaults = g_array_new (FALSE, FALSE, sizeof (SlNetWord));
    g_array_set_clear_func (defaults, sl_net_word_clear);
    g_hash_table_insert (reader->defaults, (void *)layer, defaults);
  }
  for (uint32_t i = 2; i < words->len; i++) {
    SlNetWord word = *word_of (words, i);
    if (strchr (word.text, '=') == NULL)
      return refuse (reader, SL_ERROR_MALFORMED, &word, "'%s' (expected NAME=VALUE)", word.text);
    word.text = g_strdup (word.text);
    g_array_append_val (defaults, word);
  }
  return TRUE;
}

/* "Output NAME…" */
static gboolean
mark_outputs (Reader *reader, const SlNetScope *scope, const Statement *statement)
{
  const GArray *words = statement->words;
  if (words->len == 1 || statement->label != NULL)
    return refuse (reader, SL_ERROR_MALFORMED, word_of (words, 0),
                   "Output is not to be understood (expected: Output NAME…)");
  for (uint32_t i = 1; i < words->len; i++) {
    const SlNetWord *word = word_of (words, i);
    SlValue *value = sl_net_scope_find (scope, reader->labels, word, word->text, reader->error);
    if (value == NULL)
      return FALSE;
    if (value->is_output || value->kind != SL_VALUE_ACTIVATION)
      return refuse (reader, SL_ERROR_MALFORMED, word, "'%s' %s", word->text,
                     value->is_output ? "is an output already" : "is an input");
    sl_graph_mark_output (reader->builder.graph, value);
  }
  return TRUE;
}

static gboolean
refuse_word (Reader *reader, const SlNetWord *word)
{
  const SlNetLayer *near = sl_net_layer_guess (word->text);
  if (near != NULL)
    return refuse (reader, SL_ERROR_MALFORMED, word, "'%s' is no type of layer (expected %s?)",
                   word->text, near->name);
  return refuse (reader, SL_ERROR_MALFORMED, word,
                 "'%s' is no type of layer (expected one of Keras's, such as Dense or Conv2D, or a "
                 "block that stands before)",
                 word->text);
}

static gboolean
run_statement (Reader *reader, SlNetScope *scope, Statement *statement)
{
  const SlNetWord *word = word_of (statement->words, statement->first);
  const SlNetLayer *layer = sl_net_layer_find (word->text);
  const Block *block = g_hash_table_lookup (reader->blocks, word->text);
  if (strcmp (word->text, "repeat") == 0)
    return run_repeat (reader, scope, statement);
  if (strcmp (word->text, "block") == 0)
    return define_block (reader, scope, statement);
  if (statement->line->opens)
    return refuse (reader, SL_ERROR_MALFORMED, word,
                   "'{' behind %s (expected it behind repeat and "
                   "block)",
                   word->text);
  if (strcmp (word->text, "default") == 0)
    return add_defaults (reader, scope, statement);
  if (strcmp (word->text, "Output") == 0)
    return mark_outputs (reader, scope, statement);
  if (layer != NULL)
    return run_layer (reader, scope, layer, statement);
  if (block != NULL)
    return run_block (reader, scope, block, statement);
  return refuse_word (reader, word);
}

/* Cuts a label off and carries the line out. */
static gboolean
run_line (Reader *reader, SlNetScope *scope, uint32_t index)
{
  const SlNetLine *line = &g_array_index (reader->lines, SlNetLine, index);
  g_autoptr (GArray) words = sl_net_scope_substitute (scope, line->words, reader->error);
  g_autofree char *label = NULL;
  if (words == NULL)
    return FALSE;
  const SlNetWord *first = word_of (words, 0);
  if (reader->words_left < words->len)
    return refuse (reader, SL_ERROR_LIMIT, first, "the text unfolds to more than %u words",
                   reader->builder.limits->values);
  reader->words_left -= words->len;
  if (g_str_has_suffix (first->text, ":")) {
    label = g_strndup (first->text, strlen (first->text) - 1);
    if (!check_label (reader, first, label))
      return FALSE;
    if (words->len == 1)
      return refuse (reader, SL_ERROR_MALFORMED, first, "a label without a layer");
  }
  Statement statement = {line, index, words, label, label != NULL};
  return run_statement (reader, scope, &statement);
}

static gboolean
run_lines (Reader *reader, SlNetScope *scope, uint32_t begin, uint32_t end)
{
  /* Empty repeats take time, too. */
  if (reader->words_left == 0) {
    g_set_error (reader->error, SL_ERROR, SL_ERROR_LIMIT, "the text unfolds to more than %u words",
                 reader->builder.limits->values);
    return FALSE;
  }
  reader->words_left--;
  for (uint32_t i = begin; i < end; i++) {
    const SlNetLine *line = &g_array_index (reader->lines, SlNetLine, i);
    if (!run_line (reader, scope, i))
      return FALSE;
    if (line->opens)
      i = line->behind;
  }
  return TRUE;
}

/* --- The whole --- */

/* What nobody reads is a mistake. */
static gboolean
check_uses (Reader *reader)
{
  for (uint32_t i = 0; i < reader->made->len; i++) {
    const Made *made = &g_array_index (reader->made, Made, i);
    if (made->value->uses->len == 0 && !made->value->is_output)
      return refuse (reader, SL_ERROR_MALFORMED, &made->at,
                     "nothing reads layer '%s' (expected a layer that does, or an Output line)",
                     made->name);
  }
  return TRUE;
}

/* From here on the batch is free, and shapes are for who compiles to find. */
static void
free_batch (SlGraph *graph)
{
  for (uint32_t i = 0; i < graph->values->len; i++) {
    SlValue *value = g_ptr_array_index (graph->values, i);
    if (value->kind == SL_VALUE_INPUT || value->is_output)
      value->shape.dim[0] = -1;
    else if (value->kind == SL_VALUE_ACTIVATION)
      value->has_shape = false;
  }
}

static gboolean
finish (Reader *reader, const SlNetScope *scope)
{
  SlGraph *graph = reader->builder.graph;
  if (graph->nodes->len == 0) {
    g_set_error (reader->error, SL_ERROR, SL_ERROR_MALFORMED,
                 "has no layers (expected an Input line and layers)");
    return FALSE;
  }
  if (graph->outputs->len == 0 && scope->current->kind == SL_VALUE_ACTIVATION)
    sl_graph_mark_output (graph, scope->current);
  if (!check_uses (reader))
    return FALSE;
  free_batch (graph);
  return sl_graph_sort (graph, reader->error);
}

static void
made_clear (void *made)
{
  g_free (((Made *)made)->name);
}

static gboolean
read_text (Reader *reader, GBytes *bytes)
{
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);
  SlNetScope scope;
  reader->lines = sl_net_text_parse (data, size, reader->error);
  if (reader->lines == NULL)
    return FALSE;
  sl_net_scope_init (&scope, NULL, g_strdup (""), NULL);
  gboolean ok = run_lines (reader, &scope, 0, reader->lines->len) && finish (reader, &scope);
  sl_net_scope_clear (&scope);
  return ok;
}

SlGraph *
sl_net_read (GBytes *bytes, const char *name, const SlModelLimits *limits, GHashTable **ret_types,
             GError **error)
{
  g_autoptr (GError) cause = NULL;
  g_autoptr (SlGraph) graph = sl_graph_new ();
  Reader reader = {.builder = {.graph = graph, .limits = limits, .error = &cause},
                   .words_left = limits->values,
                   .error = &cause};
  reader.blocks = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  reader.defaults = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify)g_array_unref);
  reader.labels = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  reader.types = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  reader.made = g_array_new (FALSE, FALSE, sizeof (Made));
  g_array_set_clear_func (reader.made, made_clear);
  gboolean ok = read_text (&reader, bytes);
  if (ok) {
    *ret_types = g_hash_table_ref (reader.types);
  } else {
    const char *gap = g_ascii_isdigit (cause->message[0]) ? "" : " "; /* before a place, none */
    g_propagate_prefixed_error (error, g_steal_pointer (&cause), "%s:%s", name, gap);
  }
  g_hash_table_unref (reader.blocks);
  g_hash_table_unref (reader.defaults);
  g_hash_table_unref (reader.labels);
  g_hash_table_unref (reader.types);
  g_array_unref (reader.made);
  g_clear_pointer (&reader.lines, g_array_unref);
  return ok ? g_steal_pointer (&graph) : NULL;
}
