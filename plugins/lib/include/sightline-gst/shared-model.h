/* Networks by file, loaded once in a process however many elements run them. */
#pragma once

#include <sightline/sightline.h>

G_BEGIN_DECLS

/* The network of the file `path`; NULL: of the one that the environment's SIGHTLINE_MODEL names,
 * else the built-in one. As long as somebody holds a reference, the same file (device, inode, size,
 * times of last change) gives the same model; a file that was replaced gives a new one. Of networks
 * that keep weights in further files only the ONNX file itself is compared. Who asks while another
 * loads it waits. Any thread; release with sl_model_unref(). Errors as sl_model_load(). */
SL_API SlModel *sl_shared_model_load (const char *path, GError **error);

/* The built-in network's ONNX file; NULL if the library was built without one. */
SL_API GBytes *sl_builtin_model_get_bytes (void);

G_END_DECLS
