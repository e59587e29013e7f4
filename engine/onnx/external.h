/* Tensor data in files beside the model. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Where a tensor says its data lie. Zeroed: nothing said. */
typedef struct SlExternalPlace {
  char *location; /* relative to the model's folder, '/' between the parts */
  guint64 offset;
  guint64 length;
  bool has_length;
  char *checksum; /* SHA-1 of the whole file in hexadecimal, or NULL */
} SlExternalPlace;

void sl_external_place_clear (SlExternalPlace *place);

/* One entry of external_data. FALSE with *ret_problem (static) if key or value make no sense. Keys
 * that ONNX does not define are ignored, as its specification asks. Takes over *value where it
 * keeps it. */
bool sl_external_place_set (SlExternalPlace *place, const char *key, char **value,
                            const char **ret_problem);

/* The file opened last. Zeroed: none. */
typedef struct SlExternalFile {
  char *location;
  int fd;
  guint64 size;
  char *checksum; /* computed when first asked for */
} SlExternalFile;

void sl_external_file_close (SlExternalFile *file);

/* Makes `file` the one that `place` names, beneath `folder`, and checks that `length` bytes at the
 * place's offset lie inside it and that its checksum is the stated one. Only looks; read with
 * sl_file_read_at(). */
gboolean sl_external_file_open (SlExternalFile *file, const char *folder,
                                const SlExternalPlace *place, guint64 length, GError **error);
