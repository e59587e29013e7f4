/* A network read from a file: immutable, shared by everything that runs it. */
#pragma once

#include <sightline/tensor.h>

G_BEGIN_DECLS

/* Owns the graph as the file states it and the store of weights derived from it (folded, packed).
 * Programs for several batch sizes and any number of elements share one model and thereby its
 * weights. Reference-counted; every function may be called from any thread. */
typedef struct SlModel SlModel;

/* Limits that a file is held to before anything is allocated for it; 0 in a field: what
 * SIGHTLINE_LIMITS in the environment says (engine/README.md), else the default. */
typedef struct SlModelLimits {
  guint64 file_bytes;   /* default 4 GiB, external data included; so much all tensors may take */
  guint64 tensor_bytes; /* largest single tensor, default 2 GiB */
  guint64 text_bytes;   /* all of the metadata, default 64 MiB */
  guint32 nodes;        /* default 100,000 */
  guint32 node_ends;    /* inputs of one node, and outputs of one; default 16,384 */
  guint32 values;       /* tensors by name, and mentions of them; default 16 for each of `nodes` */
} SlModelLimits;

/* Reads an ONNX file, or, where the path ends with ".net", a network text (engine/net/README.md),
 * whose weights are parameters that nothing has trained yet. Nothing outside the file's folder is
 * opened. Checks structure, names every operator that Sightline lacks in one error
 * (SL_ERROR_UNSUPPORTED), and checks shapes where the file states them. Errors name file, node,
 * tensor and, for broken files, the byte offset. `limits` may be NULL.
 *
 * The file stays open, and weights are read from it when a program needs them, so that they are in
 * memory once, in the form that kernels read. Deleting the file or putting another in its place
 * does not matter; if it is changed in place, making a program fails (SL_ERROR_IO). */
SL_API SlModel *sl_model_load (const char *path, const SlModelLimits *limits, GError **error);

/* The same from memory; `name` stands for the file in messages. External data are refused. */
SL_API SlModel *sl_model_load_bytes (GBytes *bytes, const char *name, const SlModelLimits *limits,
                                     GError **error);

/* One model for all who ask for `key` while anybody holds it: its weights are in memory once.
 * `load` makes it where nobody does (a new one, of which it gives away the only reference); who
 * asks meanwhile waits. If it fails, each of those tries in turn. */
typedef SlModel *(*SlModelLoadFunc) (void *data, GError **error);
SL_API SlModel *sl_model_share (const char *key, SlModelLoadFunc load, void *data, GError **error);

SL_API SlModel *sl_model_ref (SlModel *model);
SL_API void sl_model_unref (SlModel *model);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlModel, sl_model_unref)

/* Writes the graph as it was read (canonical form, opset SL_ONNX_WRITE_OPSET) with its metadata;
 * atomically. */
SL_API gboolean sl_model_save (SlModel *model, const char *path, GError **error);

/* What messages call it: its path as given, or the name that it was loaded from memory under. */
SL_API const char *sl_model_get_name (SlModel *model);
/* Where it was read from, as given; NULL if from memory: no file lies beside it. */
SL_API const char *sl_model_get_path (SlModel *model);
/* SHA-256 of the file's bytes in hexadecimal: what results call the model by. "" if there is
 * no file, or it was changed in place before anybody asked. */
SL_API const char *sl_model_get_hash (SlModel *model);
/* What the file says of itself. */
typedef struct SlModelOrigin {
  const char *producer; /* the program that wrote it, with its version; may be empty */
  gint64 ir_version;    /* of ONNX's format */
  gint opset;           /* of ONNX's operators */
} SlModelOrigin;
SL_API void sl_model_get_origin (SlModel *model, SlModelOrigin *ret_origin);
/* The file's metadata_props; NULL if the key is absent. */
SL_API const char *sl_model_get_metadata (SlModel *model, const char *key);
/* All keys, NULL-ended; free with g_free() (the strings are the model's). */
SL_API const char **sl_model_list_metadata (SlModel *model);

/* One input or output of the network, as the file states it. */
typedef struct SlPort {
  const char *name;
  SlDType dtype;
  SlShape shape; /* free dimensions are -1 */
} SlPort;

/* Inputs that the caller gives (initialisers are not among them), in the file's order. */
SL_API uint32_t sl_model_get_n_inputs (SlModel *model);
SL_API uint32_t sl_model_get_n_outputs (SlModel *model);
SL_API const SlPort *sl_model_get_input (SlModel *model, uint32_t index);
SL_API const SlPort *sl_model_get_output (SlModel *model, uint32_t index);

/* ONNX's name of the operator that makes output `index`, looking through those that pass all
 * elements on (Identity, Reshape …): "Softmax" where the scores are probabilities. NULL if no
 * operator does. */
SL_API const char *sl_model_get_output_op (SlModel *model, uint32_t index);

/* Weights in the file: elements of all parameters and constants that nodes read as weights. */
SL_API guint64 sl_model_get_n_parameters (SlModel *model);
/* How many of them no gradient changes: running statistics. */
SL_API guint64 sl_model_get_n_states (SlModel *model);

/* Of a network text: what the text calls the type of its layer `name` ("Conv2D"); layers that
 * programs list bear that name, several of them where one layer takes several operators. NULL where
 * there is none, as in all other files. */
SL_API const char *sl_model_get_layer_type (SlModel *model, const char *name);

/* --- What training changes --- */

/* A parameter (weights, biases) or state that goes along with it (running means and variances).
 * Strings and contents are the model's. */
typedef struct SlVariable {
  const char *name;
  gboolean is_state;
  SlDType dtype;
  SlShape shape;
  gsize elements, bytes;
  const char *initializer; /* Keras's name of what draws the first content; NULL: it is there */
  SlTensor *tensor;        /* for the functions below: its own memory may be out of date */
} SlVariable;

/* Its content as programs see it: dense, row-major. What a device has newer is brought down, with
 * all else that it has newer; the content stands there until the next run or set. NULL with
 * SL_ERROR_DEVICE or SL_ERROR_MEMORY if that cannot be done or the content was lost with a device.
 */
SL_API const void *sl_variable_read (const SlVariable *variable, GError **error);
/* Gives it another content, all of it, which the next run sees. */
SL_API void sl_variable_set (const SlVariable *variable, const void *data);

/* Those of a model that is to be trained (a .net file's, sl_model_new_trainable()'s), in the order
 * of the network; a model as it comes from an ONNX file has none. */
SL_API uint32_t sl_model_get_n_variables (SlModel *model);
SL_API void sl_model_get_variable (SlModel *model, uint32_t index, SlVariable *ret_variable);

/* A copy of the network and of its contents in which the float32 constants that layers read as
 * weights, scales and biases are parameters, and running means and variances state; of a model that
 * has variables already, with those. Nothing that is done to the one is seen by the other. */
SL_API SlModel *sl_model_new_trainable (SlModel *model, GError **error);

G_END_DECLS
