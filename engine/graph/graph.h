/* The network as a graph: values, and nodes that compute values from values.
 *
 * Shapes, axes and attributes are in ONNX's logical order everywhere here; where a value's elements
 * lie in memory (layout, pixel stride) is decided late, by the layout pass and the planner.
 *
 * A graph owns its values and nodes and frees them together. Not thread-safe while it changes; a
 * graph that nobody changes any more may be read from any thread. */
#pragma once

#include "graph/initializer.h"
#include "kernels/kernel.h"

#include <sightline/tensor.h>

#include <stdbool.h>

typedef struct SlOpClass SlOpClass;
typedef struct SlGraph SlGraph;
typedef struct SlNode SlNode;
typedef struct SlValue SlValue;

/* What may change a value, and when. */
typedef enum {
  SL_VALUE_ACTIVATION, /* computed by a node */
  SL_VALUE_CONSTANT,   /* never changes: may be folded and packed at compile time */
  SL_VALUE_PARAMETER,  /* changes by training: read through the graph, never folded */
  SL_VALUE_STATE,      /* carried from run to run: running statistics, optimiser moments, step */
  SL_VALUE_INPUT       /* given anew for each run */
} SlValueKind;

/* Order of a value's elements in memory. */
typedef enum {
  SL_LAYOUT_ROW_MAJOR,     /* as the dimensions stand */
  SL_LAYOUT_CHANNELS_LAST, /* dimension 1 moved behind all others: NCHW is stored as NHWC */
  SL_LAYOUT_COUNT
} SlLayout;

struct SlValue {
  uint32_t id; /* index in SlGraph.values */
  char *name;  /* unique in the graph, never NULL */
  SlValueKind kind;
  SlDType dtype; /* SL_DTYPE_NONE until inferred */
  SlShape shape; /* rank and free dimensions until inferred */
  bool has_shape;
  bool is_output;    /* one of the graph's outputs: must be there when the run ends */
  bool is_workspace; /* between the steps of its producer; nobody else reads it */
  bool is_next;      /* what some parameter or state holds after the run (SlGraph.updates) */
  SlTensor *data;    /* content of a constant; live content of a parameter or state: whole, its own
                        memory, shared by every graph that was cloned from one; else NULL */
  SlNode *producer;  /* NULL unless an activation */
  const SlInitializer *initializer; /* what draws a parameter's first content; NULL: `data` is it */
  double fan_in, fan_out;           /* for it */
  GPtrArray *uses; /* SlNode *: one entry for each input slot that reads this value */

  SlLayout layout;     /* set by the layout pass */
  size_t pixel_stride; /* set by the planner, channels-last values only: elements from one position
                          to the next, more than the channels where the value is a slice of a wider
                          one; 0: dense */
  SlValue *base;      /* set by the planner: a value in whose memory this one lies, NULL: its own */
  size_t base_offset; /* bytes from the start of base */
  bool is_half;       /* set by the pass that halves: of float32, its elements lie in memory as
                         float16 (sl_value_get_storage()); never of what is read from outside */
};

struct SlNode {
  uint32_t id; /* grows with creation */
  char *name;  /* as in the file, may be empty, never NULL */
  const SlOpClass *op;
  void *attrs; /* the op class's attribute struct (plain data), or NULL if it has none */
  uint32_t n_inputs, n_outputs;
  SlValue **inputs;  /* NULL for an optional input that is left out */
  SlValue **outputs; /* NULL for an optional output that nobody asked for */
  uint32_t mark;     /* scratch of the pass that runs */
  SlAct act;         /* applied to output 0 last; set by the fusion pass where the op allows it */
};

/* When a run ends, the content of `next` is the content of `value`. */
typedef struct SlUpdate {
  SlValue *value; /* parameter or state */
  SlValue *next;  /* of the same type and shape; not a parameter or state itself */
} SlUpdate;

struct SlGraph {
  GPtrArray *values;           /* SlValue *, by id */
  GPtrArray *nodes;            /* SlNode *, in the order of computation after sl_graph_sort() */
  GPtrArray *inputs, *outputs; /* SlValue *, not owned, in the order of the file */
  GArray *updates;             /* SlUpdate, of each value at most one */
  GHashTable *names;           /* value name → SlValue */
  uint32_t next_node, next_name;
  /* Of constants that importing makes of a shape and one element. Limit 0: 1 GiB. */
  uint64_t filled_bytes, filled_limit;
};

SlGraph *sl_graph_new (void);
void sl_graph_free (SlGraph *graph);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlGraph, sl_graph_free)

/* Same nodes and values; constants, parameters and state share their tensors. */
SlGraph *sl_graph_clone (const SlGraph *graph);

/* A new value; takes no reference, `name` is copied. A name that is taken gets a suffix (use
 * sl_graph_find_value() first where a clash is an error); NULL makes one up. */
SlValue *sl_graph_add_value (SlGraph *graph, const char *name, SlValueKind kind);
/* A constant or parameter with content; takes a reference. */
SlValue *sl_graph_add_tensor (SlGraph *graph, const char *name, SlValueKind kind, SlTensor *data);
/* A constant int64 vector, the form in which ONNX passes axes, shapes and pads. */
SlValue *sl_graph_add_ints (SlGraph *graph, const char *name, const int64_t *ints, size_t n);
SlValue *sl_graph_find_value (const SlGraph *graph, const char *name);
/* Gives the value another name; one that is taken gets a suffix. */
void sl_graph_rename_value (SlGraph *graph, SlValue *value, const char *name);

/* A new node at the end of the list. `attrs` is copied (the class's defaults if NULL). An output
 * that has a producer already is the caller's bug. */
SlNode *sl_graph_add_node (SlGraph *graph, const SlOpClass *op, const char *name, const void *attrs,
                           uint32_t n_inputs, SlValue *const *inputs, uint32_t n_outputs,
                           SlValue *const *outputs);
/* The nodes as they stand now, for loops that add or remove some. Free with g_ptr_array_unref(). */
GPtrArray *sl_graph_list_nodes (const SlGraph *graph);
/* Unlinks a node; its outputs stay, without a producer. What is left of it, a node without inputs,
 * outputs and traits, stays in the list up to the next sl_graph_sweep(), so that removing many is
 * not quadratic; removing it again does nothing. */
void sl_graph_remove_node (SlGraph *graph, SlNode *node);
/* Frees what is left of removed nodes; sl_graph_sort() begins with it. */
void sl_graph_sweep (SlGraph *graph);

/* Everything that read `old`, graph outputs and updates included, reads `replacement`. Where `old`
 * is a graph output its name goes to the replacement, so that outputs keep the names that the file
 * gave them.
 */
void sl_graph_replace_value (SlGraph *graph, SlValue *old, SlValue *replacement);
/* Lets the graph begin at `value`, an activation: a new input of the name `name`, of its type and
 * shape, stands in its place and is the graph's only one, and nodes that no output needs any more
 * are gone. What reaches the outputs past the value is left without an input: the caller sees to it
 * that nothing does. */
SlValue *sl_graph_begin_with (SlGraph *graph, SlValue *value, const char *name);
void sl_node_set_input (SlNode *node, uint32_t index, SlValue *value);
/* Makes the node's input list longer by one (an omitted optional input may be NULL). */
void sl_node_add_input (SlNode *node, SlValue *value);
/* Asks for an output that was left out; `value` has no producer so far. */
void sl_node_set_output (SlNode *node, uint32_t index, SlValue *value);
/* Makes the output list longer by one (NULL: left out). */
void sl_node_add_output (SlNode *node, SlValue *value);
/* Gives the node, at the end of its outputs, a float32 vector in which its steps leave something
 * for each other; sl_node_get_workspace() finds it again. */
SlValue *sl_node_add_workspace (SlGraph *graph, SlNode *node, size_t elements);
SlValue *sl_node_get_workspace (const SlNode *node); /* NULL: none */
void sl_graph_mark_input (SlGraph *graph, SlValue *value);
void sl_graph_mark_output (SlGraph *graph, SlValue *value);
/* All updates of a run take place together: `next` is computed from contents as they were before,
 * or after, as the schedule has it, but no node sees a part of an update. A second update of one
 * value is the caller's bug. */
void sl_graph_add_update (SlGraph *graph, SlValue *value, SlValue *next);

/* TRUE if the value must be there when the run ends, whoever else reads it. */
static inline bool
sl_value_is_wanted (const SlValue *value)
{
  return value->is_output || value->is_next;
}

/* TRUE if `value` is an activation that one node alone reads and that is not an output. */
static inline bool
sl_value_is_private (const SlValue *value)
{
  return value->kind == SL_VALUE_ACTIVATION && !sl_value_is_wanted (value) && value->uses->len == 1;
}

/* TRUE for parameters and state: content that runs change and that outlives them. */
static inline bool
sl_value_is_variable (const SlValue *value)
{
  return value->kind == SL_VALUE_PARAMETER || value->kind == SL_VALUE_STATE;
}

/* Input `index`, or NULL if the node has fewer or left it out. */
static inline SlValue *
sl_node_input (const SlNode *node, uint32_t index)
{
  return index < node->n_inputs ? node->inputs[index] : NULL;
}

/* Sweeps, then orders the nodes so that each stands behind what it reads: in the order of creation
 * where that allows it, and what a pass has put in front of a node directly before it. Fails on a
 * cycle (naming a node in it) and on an activation without a producer. */
gboolean sl_graph_sort (SlGraph *graph, GError **error);

/* Runs every node's shape inference in order; fails with node, tensors and shapes named. Values
 * must be sorted and input shapes known. */
gboolean sl_graph_infer (SlGraph *graph, GError **error);
/* The same for one node. */
gboolean sl_node_infer (SlNode *node, GError **error);

/* One line a node, or Graphviz; free with g_free(). */
char *sl_graph_print_text (const SlGraph *graph);
char *sl_graph_print_dot (const SlGraph *graph);
/* Attributes that are not at their default, and the activation; appends to `text`. */
void sl_node_print_attrs (const SlNode *node, GString *text);

/* "clip(0, 6)", "silu"; nothing for none; appends to `text`. */
void sl_act_print (const SlAct *act, GString *text);

/* SL_ERROR_SHAPE (or `code`) with "node NAME (OP): " in front. */
G_GNUC_PRINTF (4, 5)
void sl_node_error (const SlNode *node, GError **error, SlErrorCode code, const char *format, ...);
