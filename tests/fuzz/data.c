/* What training reads: data sets, recipes, checkpoints, histories. The first byte says as which the
 * rest is read. */
#include "fuzz.h"

#include <sightline/checkpoint.h>
#include <sightline/dataset.h>
#include <sightline/history.h>
#include <sightline/recipe.h>

#include <string.h>
#include <unistd.h>

enum {
  IDX = 'i',   /* the length of the pictures' file, 16 bits, that file, the labels' file */
  CIFAR = 'c', /* records */
  RECIPE = 'r',
  HISTORY = 'h',
  CHECKPOINT = 'k', /* as it is */
  SIGNED = 's'      /* with checksums made right, so that what they guard is reached */
};

#define HEAD 64
#define BODY_DIGEST 24
#define HEAD_CHECK 56
#define DIGEST 32

/* --- data sets --- */

static void
check_sample (SlSampleSource *source, uint32_t index)
{
  SlSample sample;
  GError *error = NULL;
  if (!sl_sample_source_load (source, index, &sample, &error)) {
    fuzz_check_error (error);
    return;
  }
  const guint8 *last = sample.image.planes[0];
  const uint32_t n = sample.info.format == SL_PIXEL_GRAY8 ? 1 : 3;
  if (sample.info.width == 0 || sample.info.height == 0)
    fuzz_fail ("a sample without pixels");
  /* CIFAR's colours lie in three planes; a row of each is there. */
  last += (ptrdiff_t)(sample.info.height - 1) * sample.image.strides[0];
  last += sample.image.planes[1] == NULL ? sample.info.width * n - 1 : sample.info.width - 1;
  volatile guint8 read = *last;
  (void)read;
  sl_sample_source_release (source, &sample);
}

static void
check_source (SlSampleSource *source, GError *error)
{
  if (source == NULL) {
    fuzz_check_error (error);
    return;
  }
  const uint32_t n = sl_sample_source_get_n_samples (source);
  const uint32_t n_classes = sl_sample_source_get_n_classes (source);
  if (n == 0 || n_classes == 0)
    fuzz_fail ("a set of nothing");
  for (uint32_t i = 0; i < n; i++)
    if (sl_sample_source_get_label (source, i) >= n_classes)
      fuzz_fail ("sample %u is of no class", i);
  if (g_strv_length ((char **)sl_sample_source_get_class_names (source)) != n_classes)
    fuzz_fail ("%u classes have other than so many names", n_classes);
  check_sample (source, 0);
  check_sample (source, n - 1);
  g_autofree char *hash = sl_sample_source_get_hash (source, &error);
  if (hash == NULL)
    fuzz_check_error (error);
  sl_sample_source_unref (source);
}

static void
read_idx (const guint8 *data, size_t size)
{
  char images[64], labels[64];
  GError *error = NULL;
  if (size < 2)
    return;
  const size_t first = MIN ((size_t)(data[0] << 8 | data[1]), size - 2);
  int fd_images = fuzz_memory_file (data + 2, first, images);
  int fd_labels = fuzz_memory_file (data + 2 + first, size - 2 - first, labels);
  SlSampleSource *source = sl_idx_source_new (images, labels, NULL, &error);
  check_source (source, error);
  close (fd_images);
  close (fd_labels);
}

static void
read_cifar (const guint8 *data, size_t size)
{
  char path[64];
  GError *error = NULL;
  int fd = fuzz_memory_file (data, size, path);
  SlSampleSource *source = sl_cifar10_source_new ((const char *const[]){path, NULL}, NULL, &error);
  check_source (source, error);
  close (fd);
}

/* --- texts --- */

/* What was read can be written, and is then the same. */
static void
read_recipe (const char *text, size_t size)
{
  GError *error = NULL;
  g_autofree char *copy = g_memdup2 (text, size);
  g_autoptr (SlRecipe) recipe = sl_recipe_parse (copy ? copy : "", size, "fuzz", &error);
  if (recipe == NULL || !sl_recipe_complete (recipe, &error)) {
    fuzz_check_error (error);
    return;
  }
  g_autofree char *written = sl_recipe_to_text (recipe);
  g_autoptr (SlRecipe) again = sl_recipe_parse (written, strlen (written), "again", &error);
  if (again == NULL || !sl_recipe_complete (again, &error))
    fuzz_fail ("a recipe as it was written is refused: %s", error->message);
  g_autofree char *second = sl_recipe_to_text (again);
  if (strcmp (written, second) != 0)
    fuzz_fail ("a recipe changes when it is written:\n%s\n%s", written, second);
}

static void
read_history (const char *text, size_t size)
{
  GError *error = NULL;
  g_autofree char *copy = g_memdup2 (text, size);
  g_autoptr (SlHistory) history = sl_history_parse (copy ? copy : "", size, "fuzz", &error);
  if (history == NULL) {
    fuzz_check_error (error);
    return;
  }
  g_autofree char *written = sl_history_to_text (history);
  g_autoptr (SlHistory) again = sl_history_parse (written, strlen (written), "again", &error);
  if (again == NULL)
    fuzz_fail ("a history as it was written is refused: %s", error->message);
  g_autofree char *second = sl_history_to_text (again);
  if (strcmp (written, second) != 0)
    fuzz_fail ("a history changes when it is written:\n%s\n%s", written, second);
}

/* --- checkpoints --- */

static void
sign (guint8 *file, size_t size)
{
  gsize n = DIGEST;
  guint8 digest[DIGEST];
  g_autoptr (GChecksum) body = g_checksum_new (G_CHECKSUM_SHA256);
  g_checksum_update (body, file + HEAD, (gssize)(size - HEAD));
  g_checksum_get_digest (body, file + BODY_DIGEST, &n);
  g_autoptr (GChecksum) head = g_checksum_new (G_CHECKSUM_SHA256);
  g_checksum_update (head, file, HEAD_CHECK);
  g_checksum_get_digest (head, digest, &n);
  memcpy (file + HEAD_CHECK, digest, HEAD - HEAD_CHECK);
}

static void
check_tensor (SlTensor *tensor)
{
  size_t elements;
  if (!sl_shape_get_elements (sl_tensor_get_shape (tensor), &elements) ||
      elements != sl_tensor_get_elements (tensor))
    fuzz_fail ("a tensor has other than its shape's elements");
  if (elements > 0)
    sl_tensor_get_double (tensor, elements - 1);
}

static void
read_checkpoint (const guint8 *data, size_t size, gboolean is_signed)
{
  char path[64];
  GError *error = NULL;
  g_autofree guint8 *file = g_memdup2 (data, size);
  if (is_signed && size > HEAD) {
    memcpy (file, "SLCKPT\r\n", 8);
    *(guint64 *)(file + 16) = size - HEAD;
    sign (file, size);
  }
  int fd = fuzz_memory_file (file, size, path);
  g_autoptr (SlCheckpoint) checkpoint = sl_checkpoint_load (path, 0, &error);
  close (fd);
  if (checkpoint == NULL) {
    fuzz_check_error (error);
    return;
  }
  const char *name;
  for (guint i = 0; (name = sl_checkpoint_get_name (checkpoint, i)) != NULL; i++) {
    const char *text = sl_checkpoint_get_text (checkpoint, name);
    SlTensor *tensor = sl_checkpoint_get_tensor (checkpoint, name);
    if ((text == NULL) == (tensor == NULL))
      fuzz_fail ("entry '%s' is not a text or a tensor", name);
    if (tensor != NULL)
      check_tensor (tensor);
  }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  if (size == 0)
    return 0;
  const uint8_t *rest = data + 1;
  size--;
  switch (data[0]) {
  case IDX:
    read_idx (rest, size);
    break;
  case CIFAR:
    read_cifar (rest, size);
    break;
  case RECIPE:
    read_recipe ((const char *)rest, size);
    break;
  case HISTORY:
    read_history ((const char *)rest, size);
    break;
  case CHECKPOINT:
  case SIGNED:
    read_checkpoint (rest, size, data[0] == SIGNED);
    break;
  default:
    break;
  }
  return 0;
}

/* --- seeds --- */

static void
append (GByteArray *out, const void *data, gsize size)
{
  g_byte_array_append (out, data, (guint)size);
}

static void
add_texts (GPtrArray *seeds)
{
  static const char *const texts[] = {
      "r[network]\nnet=a.net\n[train]\nepochs=3\nbatch=16\nseed=7\n",
      "r[network]\nbase=a.onnx\nfreeze=conv*,bn?.*\nrate-factors=head.*=10\n[loss]\nname=hinge\n",
      "r[network]\nnet=a\n[optimizer]\nname=sgd\nmomentum=0.9\nnesterov=true\n[schedule]\nname="
      "step\n"
      "at=2,5\n[split]\nby=session\nvalidation=0.2\n",
      "r# comment\n[network]\nnet=a\n[schedule]\nname=one-cycle\nrise=0.25\n[augment]\nflip=both\n"
      "mixup=0.2\n[preprocess]\nwhiten=zca\nwhiten-epsilon=0.1\nmean=measured\n",
      "h{\"epoch\":1,\"step\":10,\"loss\":0.5,\"accuracy\":0.25,\"val_loss\":null,\"rate\":0.001,"
      "\"seconds\":1.5,\"images_per_second\":100,\"waiting\":0,\"best\":true}\n",
      "h\n{\"epoch\":2}\n{\"epoch\":3,\"loss\":1e-300}\n",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
    GByteArray *seed = g_byte_array_new ();
    append (seed, texts[i], strlen (texts[i]));
    g_ptr_array_add (seeds, seed);
  }
}

static void
add_sets (GPtrArray *seeds)
{
  static const guint8 images[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2,
                                  0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8};
  static const guint8 colors[] = {0, 0, 8, 4, 0, 0, 0, 1, 0, 0, 0, 1, 0,
                                  0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6};
  static const guint8 two[] = {0, 0, 8, 1, 0, 0, 0, 2, 1, 0}, one[] = {0, 0, 8, 1, 0, 0, 0, 1, 3};
  static const struct {
    const guint8 *images;
    gsize n_images;
    const guint8 *labels;
    gsize n_labels;
  } pairs[] = {{images, sizeof images, two, sizeof two}, {colors, sizeof colors, one, sizeof one}};
  for (gsize i = 0; i < G_N_ELEMENTS (pairs); i++) {
    GByteArray *seed = g_byte_array_new ();
    append (seed, (const guint8[]){IDX, 0, (guint8)pairs[i].n_images}, 3);
    append (seed, pairs[i].images, pairs[i].n_images);
    append (seed, pairs[i].labels, pairs[i].n_labels);
    g_ptr_array_add (seeds, seed);
  }
  GByteArray *records = g_byte_array_new ();
  append (records, (const guint8[]){CIFAR}, 1);
  g_byte_array_set_size (records, 1 + 2 * 3073);
  memset (records->data + 1, 5, 2 * 3073);
  g_ptr_array_add (seeds, records);
}

static void
add_checkpoint (GPtrArray *seeds)
{
  g_autofree char *path = NULL, *content = NULL;
  gsize size;
  int fd = g_file_open_tmp ("fuzz-XXXXXX", &path, NULL);
  g_autoptr (SlCheckpoint) checkpoint = sl_checkpoint_new ();
  g_autoptr (SlTensor) weights = sl_tensor_new (SL_FLOAT32, &SL_SHAPE (2, 3), NULL);
  memset (sl_tensor_get_data_writable (weights), 0, sl_tensor_get_size (weights));
  sl_checkpoint_set_int (checkpoint, "step", 3);
  sl_checkpoint_set_double (checkpoint, "loss", 0.5);
  sl_checkpoint_set_text (checkpoint, "recipe", "[train]\n");
  sl_checkpoint_set_tensor (checkpoint, "w", weights);
  if (fd < 0 || !sl_checkpoint_save (checkpoint, path, NULL) ||
      !g_file_get_contents (path, &content, &size, NULL))
    fuzz_fail ("no checkpoint to start from");
  close (fd);
  unlink (path);
  for (guint i = 0; i < 2; i++) {
    GByteArray *seed = g_byte_array_new ();
    append (seed, (const guint8[]){i ? SIGNED : CHECKPOINT}, 1);
    append (seed, content, size);
    g_ptr_array_add (seeds, seed);
  }
}

GByteArray *
fuzz_seed (unsigned index)
{
  static GPtrArray *seeds;
  if (seeds == NULL) {
    seeds = g_ptr_array_new ();
    add_texts (seeds);
    add_sets (seeds);
    add_checkpoint (seeds);
  }
  return index < seeds->len ? g_byte_array_ref (seeds->pdata[index]) : NULL;
}

/* Groups, keys and choices of a recipe, and names of a history. */
void
fuzz_dictionary (GString *ret)
{
  static const char *const words[] = {
      "true",   "false",   "measured",          "balanced", "none",  "sgd", "adam",
      "cosine", "plateau", "\\\"val_loss\\\":", "null",     "1e308", "-0",  "\\x00\\x00\\x08\\x03"};
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    g_string_append_printf (ret, "\"%s\"\n", words[i]);
  for (guint i = 0; sl_recipe_get_key (i) != NULL; i++)
    g_string_append_printf (ret, "\"[%s]\\x0a%s=\"\n", sl_recipe_get_key (i)->group,
                            sl_recipe_get_key (i)->name);
}
