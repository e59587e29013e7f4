#include "vulkan/cache.h"

#include "core/file.h"

#include <string.h>

#define MAGIC "sightline pipelines 1\n"
#define DIGEST_SIZE 32 /* of SHA-256 */
/* More than any driver makes of our shaders. */
#define MAX_BYTES (G_GUINT64_CONSTANT (256) << 20)

/* What stands before the driver's data. */
typedef struct Header {
  char magic[24];
  uint8_t key[DIGEST_SIZE];
  uint64_t size;                 /* of the data */
  uint8_t checksum[DIGEST_SIZE]; /* of the data */
} Header;

static void
get_digest (const void *data, size_t size, uint8_t ret[DIGEST_SIZE])
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize length = DIGEST_SIZE;
  g_checksum_update (sum, data, (gssize)size);
  g_checksum_get_digest (sum, ret, &length);
}

static char *
print_key (const SlVkPhysical *physical)
{
  return g_strdup_printf ("%s shaders %s", physical->identity, sl_shaders_hash);
}

static void
fill_header (const SlVkPhysical *physical, const void *data, size_t size, Header *ret)
{
  g_autofree char *key = print_key (physical);
  *ret = (Header){.magic = MAGIC, .size = size};
  get_digest (key, strlen (key), ret->key);
  get_digest (data, size, ret->checksum);
}

char *
sl_vk_cache_get_path (const SlVkPhysical *physical)
{
  g_autofree char *key = print_key (physical);
  g_autofree char *digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, key, -1);
  digest[32] = '\0';
  g_autofree char *name = g_strdup_printf ("vulkan-%s.pipelines", digest);
  return g_build_filename (g_get_user_cache_dir (), "sightline", name, NULL);
}

/* The data behind a header that says of it what is so; NULL: it does not. */
static GBytes *
open_content (const SlVkPhysical *physical, GBytes *file)
{
  gsize size;
  const char *start = g_bytes_get_data (file, &size);
  Header found, wanted;
  if (size < sizeof found)
    return NULL;
  memcpy (&found, start, sizeof found);
  fill_header (physical, start + sizeof found, size - sizeof found, &wanted);
  if (memcmp (&found, &wanted, sizeof found) != 0)
    return NULL;
  return g_bytes_new_from_bytes (file, sizeof found, size - sizeof found);
}

GBytes *
sl_vk_cache_read (const SlVkPhysical *physical)
{
  g_autofree char *path = sl_vk_cache_get_path (physical);
  g_autoptr (GError) error = NULL;
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return NULL;
  g_autoptr (GBytes) file = sl_file_read (path, MAX_BYTES, &error);
  if (file == NULL) {
    g_debug ("%s", error->message);
    return NULL;
  }
  GBytes *content = open_content (physical, file);
  if (content == NULL)
    g_debug ("%s: damaged, or not of %s: not used", path, physical->info.name);
  return content;
}

gboolean
sl_vk_cache_write (const SlVkPhysical *physical, const void *data, size_t size)
{
  g_autofree char *path = sl_vk_cache_get_path (physical);
  g_autofree char *folder = g_path_get_dirname (path);
  g_autoptr (GError) error = NULL;
  Header header;
  if (size > MAX_BYTES - sizeof header)
    return FALSE;
  fill_header (physical, data, size, &header);
  const SlFilePiece pieces[] = {{&header, sizeof header}, {data, size}};
  g_mkdir_with_parents (folder, 0700);
  if (sl_file_write_pieces (path, pieces, G_N_ELEMENTS (pieces), &error))
    return TRUE;
  g_debug ("compiled pipelines are not kept: %s", error->message);
  return FALSE;
}
