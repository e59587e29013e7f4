/* Types of layers: const data, as op classes are. A family's file ends with its array of them. */
#pragma once

#include "graph/attrs.h"
#include "graph/graph.h"
#include "net/text.h"

#include <sightline/model.h>

typedef struct SlNetBuilder SlNetBuilder;

/* --- Arguments --- */

typedef enum {
  SL_NET_INT,   /* int64_t */
  SL_NET_INTS,  /* SlInts: one number, or several joined by "x" or "," */
  SL_NET_FLOAT, /* double */
  SL_NET_BOOL,  /* bool */
  SL_NET_PADDING,
  SL_NET_ACTIVATION, /* const SlNetActivation * */
  SL_NET_INITIALIZER
} SlNetArgType;

/* One row of a type's table; rows stand in Keras's order. */
typedef struct SlNetArg {
  const char *name; /* Keras's; NULL ends the table */
  SlNetArgType type;
  size_t offset;      /* in the type's struct */
  const char *preset; /* as a text would say it; NULL: has to be said */
  int64_t min;        /* of INT and INTS */
} SlNetArg;

/* padding=: what "same" means follows from the input, as in Keras. */
typedef struct SlNetPadding {
  bool same;
  SlInts sizes; /* else: none ("valid"), one for all sides, one a dimension, or begin and end of
                   each dimension */
} SlNetPadding;

typedef struct SlNetInit {
  const SlInitializer *initializer; /* NULL: `value` everywhere */
  double value;
} SlNetInit;

/* An activation by Keras's name. */
typedef struct SlNetActivation {
  const char *name;
  const char *op; /* ONNX's; NULL: none, or `build` */
  const char *attr;
  float value; /* of `attr` */
  SlValue *(*build) (SlNetBuilder *builder, SlValue *x);
} SlNetActivation;

const SlNetActivation *sl_net_activation_find (const char *name);
/* All names with ", " between; free with g_free(). */
char *sl_net_activation_list (void);

/* Fills `ret` with the presets, the words of `defaults` (SlNetWord, may be NULL) and those of
 * `words` from `first` on: the first `n_positional` rows by position, all by NAME=VALUE. */
gboolean sl_net_args_read (const char *type, const SlNetArg *table, uint32_t n_positional,
                           const GArray *defaults, const GArray *words, uint32_t first, void *ret,
                           GError **error);

/* Whole numbers joined by *, / (which leaves no remainder) and // (which drops it), from the left.
 */
gboolean sl_net_parse_int (const char *text, size_t length, int64_t *ret);

/* --- Types --- */

typedef struct SlNetLayer {
  const char *name;     /* Keras's */
  const SlNetArg *args; /* NULL: none */
  size_t args_size;
  uint32_t n_positional;
  bool joins; /* its positional words are names of inputs, and it takes two or more */
  bool is_input;
  uint32_t min_rank, max_rank; /* of the inputs, the batch included; 0: any */
  /* Adds nodes and returns the layer's result; NULL after sl_net_fail(), or where what it called
   * returned NULL. */
  SlValue *(*build) (SlNetBuilder *builder, const void *args, SlValue *const *inputs,
                     uint32_t n_inputs);
} SlNetLayer;

extern const SlNetLayer sl_net_layers_basic[], sl_net_layers_conv[], sl_net_layers_pool[],
    sl_net_layers_norm[], sl_net_layers_shape[], sl_net_layers_merge[], sl_net_layers_activation[];

const SlNetLayer *sl_net_layer_find (const char *name);
/* The type that `name` is but for capital letters; NULL if there is none. */
const SlNetLayer *sl_net_layer_guess (const char *name);

/* --- Building: all functions return NULL at once after a failure, and take NULL for inputs. --- */

struct SlNetBuilder {
  SlGraph *graph;
  const SlModelLimits *limits;
  const SlNetLayer *layer; /* that is being built */
  const char *name;        /* its full name */
  const SlNetWord *at;     /* where it stands */
  guint64 bytes;           /* of all parameters so far */
  GError **error;
  bool failed;
};

/* "LINE:COLUMN: layer NAME (TYPE): …"; returns NULL. */
G_GNUC_PRINTF (3, 4)
void *sl_net_fail (SlNetBuilder *builder, SlErrorCode code, const char *format, ...);

/* An attribute of a node. */
typedef struct SlNetAttr {
  const char *name;
  const SlInts *ints;
  int64_t i;
  float f;
  const char *s; /* the first of ints, s, is_float, i that is there */
  bool is_float;
} SlNetAttr;
#define SL_NET_ATTR_INT(n, v) ((SlNetAttr){.name = (n), .i = (v)})
#define SL_NET_ATTR_INTS(n, v) ((SlNetAttr){.name = (n), .ints = (v)})
#define SL_NET_ATTR_FLOAT(n, v) ((SlNetAttr){.name = (n), .f = (float)(v), .is_float = true})
#define SL_NET_ATTR_STRING(n, v) ((SlNetAttr){.name = (n), .s = (v)})

/* A node of ONNX's operator `op`, its output with type and shape. */
SlValue *sl_net_node (SlNetBuilder *builder, const char *op, SlValue *const *inputs,
                      uint32_t n_inputs, const SlNetAttr *attrs, uint32_t n_attrs);
SlValue *sl_net_unary (SlNetBuilder *builder, const char *op, SlValue *x);
SlValue *sl_net_activate (SlNetBuilder *builder, const SlNetActivation *activation, SlValue *x);

/* A parameter "LAYER/name" or state. `fan_in`, `fan_out`: of the layer's weights. */
SlValue *sl_net_weights (SlNetBuilder *builder, const char *name, SlValueKind kind,
                         const SlShape *shape, const SlNetInit *init, double fan_in,
                         double fan_out);
SlValue *sl_net_ints (SlNetBuilder *builder, const int64_t *ints, size_t n);
SlValue *sl_net_scalar (SlNetBuilder *builder, float value);

/* "28x28x3", as a text would say it: height, width, channels without the batch. Free with g_free().
 */
char *sl_net_shape_to_string (const SlShape *shape);
/* Axis of ONNX's order for dimension `index` (0 … rank - 2) of Keras's; the batch is none. */
uint32_t sl_net_axis (uint32_t index, uint32_t rank);
