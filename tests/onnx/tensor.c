#include "emit.h"

#include "onnx/tensor.h"

#include <glib/gstdio.h>
#include <sightline/metadata.h>

#include <math.h>
#include <string.h>

static const gint64 one_dim[] = {3};

/* Reads and frees a TensorProto. */
static SlTensor *
read_tensor (Emit *proto, GError **error)
{
  g_autoptr (GBytes) bytes = g_byte_array_free_to_bytes (proto);
  gsize size;
  const void *data = g_bytes_get_data (bytes, &size);
  SlTensorSource source = {.file = bytes, .largest = 1 << 20, .left = 1 << 21};
  SlWire wire;
  sl_wire_init (&wire, data, size, "TensorProto", error);
  SlTensor *tensor = sl_onnx_tensor_read (&source, &wire, NULL);
  g_assert_true (wire.failed == (tensor == NULL));
  return tensor;
}

static void
refuse (Emit *proto, int code, const char *text)
{
  GError *error = NULL;
  g_assert_null (read_tensor (proto, &error));
  check_error (error, code, text);
}

static Emit *
packed_varints (const gint64 *values, guint n)
{
  Emit *list = emit_new ();
  for (guint i = 0; i < n; i++)
    emit_varint (list, (guint64)values[i]);
  return list;
}

/* Each type in its typed field: packed, one by one, and the two mixed; all must give the same. */
static void
test_typed (void)
{
  static const struct {
    int type;
    SlDType dtype;
    guint field;
    gint64 values[3];
    double expected[3];
  } cases[] = {
      {6, SL_INT32, 5, {7, -1, INT32_MIN}, {7, -1, INT32_MIN}},
      {3, SL_INT8, 5, {127, -128, -1}, {127, -128, -1}},
      {2, SL_UINT8, 5, {0, 128, 255}, {0, 128, 255}},
      {5, SL_INT16, 5, {32767, -32768, 0}, {32767, -32768, 0}},
      {4, SL_UINT16, 5, {0, 65535, 1}, {0, 65535, 1}},
      {9, SL_BOOL, 5, {0, 1, 1}, {0, 1, 1}},
      {10, SL_FLOAT16, 5, {0x3c00, 0xc000, 0x7bff}, {1, -2, 65504}},
      {16, SL_BFLOAT16, 5, {0x3f80, 0xc000, 0}, {1, -2, 0}},
      {7, SL_INT64, 7, {-5, 1LL << 40, 0}, {-5, 1099511627776., 0}},
      {12, SL_UINT32, 11, {0, 4294967295LL, 1}, {0, 4294967295., 1}},
      {13, SL_UINT64, 11, {1, 2, 1LL << 40}, {1, 2, 1099511627776.}},
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    for (int form = 0; form < 3; form++) {
      const guint n_packed = form == 0 ? 3 : form == 1 ? 0 : 2;
      Emit *proto = emit_tensor ("t", cases[i].type, 1, one_dim, NULL, 0);
      if (n_packed > 0)
        emit_message (proto, cases[i].field, packed_varints (cases[i].values, n_packed));
      for (guint k = n_packed; k < 3; k++)
        emit_int (proto, cases[i].field, cases[i].values[k]);
      GError *error = NULL;
      g_autoptr (SlTensor) tensor = read_tensor (proto, &error);
      g_assert_no_error (error);
      g_assert_cmpint (sl_tensor_get_dtype (tensor), ==, cases[i].dtype);
      for (guint k = 0; k < 3; k++)
        g_assert_cmpfloat (sl_tensor_get_double (tensor, k), ==, cases[i].expected[k]);
    }
  }
}

static void
test_floats (void)
{
  static const float floats[] = {1.5f, -INFINITY, 3e-45f};
  static const double doubles[] = {1.5, -1e300, 5e-324};
  for (int form = 0; form < 2; form++) {
    Emit *proto = emit_tensor ("t", 1, 1, one_dim, NULL, 0);
    if (form == 0)
      emit_bytes (proto, 4, floats, sizeof floats);
    for (guint i = 0; form == 1 && i < 3; i++)
      emit_float (proto, 4, floats[i]);
    g_autoptr (SlTensor) tensor = read_tensor (proto, NULL);
    g_assert_nonnull (tensor);
    g_assert_cmpmem (sl_tensor_get_data (tensor), sl_tensor_get_size (tensor), floats,
                     sizeof floats);
  }
  Emit *proto = emit_tensor ("t", 11, 1, one_dim, NULL, 0);
  emit_bytes (proto, 10, doubles, sizeof doubles);
  g_autoptr (SlTensor) tensor = read_tensor (proto, NULL);
  g_assert_nonnull (tensor);
  g_assert_cmpmem (sl_tensor_get_data (tensor), sl_tensor_get_size (tensor), doubles,
                   sizeof doubles);
}

/* raw_data of every type, at every alignment. */
static void
test_raw (void)
{
  static const guint8 raw[24] = {1, 0, 1, 1, 0, 1, 0, 0, 1, 1, 1, 1, 0, 0, 0, 1, 1, 0, 1, 0, 1};
  static const int types[] = {1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 16};
  for (guint i = 0; i < G_N_ELEMENTS (types); i++) {
    SlDType dtype;
    const char *name;
    g_assert_true (sl_onnx_type_lookup (types[i], &dtype, &name));
    g_assert_cmpint (sl_onnx_type_number (dtype), ==, types[i]);
    const gsize size = 3 * sl_dtype_get_size (dtype);
    for (guint shift = 0; shift < 8; shift++) {
      g_autofree char *long_name = g_strnfill (shift, 'n');
      g_autoptr (SlTensor) tensor =
          read_tensor (emit_tensor (long_name, types[i], 1, one_dim, raw, size), NULL);
      g_assert_nonnull (tensor);
      g_assert_cmpmem (sl_tensor_get_data (tensor), sl_tensor_get_size (tensor), raw, size);
      g_assert_cmpuint ((gsize)sl_tensor_get_data (tensor) % sl_dtype_get_size (dtype), ==, 0);
    }
  }
}

static void
test_empty (void)
{
  static const gint64 none[] = {2, 0, 1LL << 40};
  g_autoptr (SlTensor) empty = read_tensor (emit_tensor ("t", 1, 3, none, NULL, 0), NULL);
  g_assert_cmpuint (sl_tensor_get_elements (empty), ==, 0);
  g_autoptr (SlTensor) raw = read_tensor (emit_tensor ("t", 7, 3, none, "", 0), NULL);
  g_assert_cmpuint (sl_tensor_get_elements (raw), ==, 0);

  /* Some writers put an empty raw_data beside the numbers. */
  Emit *both = emit_tensor ("t", 6, 0, NULL, "", 0);
  emit_int (both, 5, 42);
  g_autoptr (SlTensor) scalar = read_tensor (both, NULL);
  g_assert_cmpint (sl_tensor_get_int (scalar, 0), ==, 42);
}

static void
test_shapes_refused (void)
{
  static const gint64 negative[] = {2, -3}, huge[] = {1LL << 40, 1LL << 40}, large[] = {1 << 20},
                      nine[] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
  refuse (emit_tensor ("bad", 1, 2, negative, "1234", 4), SL_ERROR_MALFORMED, "dimension 1 is -3");
  refuse (emit_tensor ("bad", 1, 2, huge, "1234", 4), SL_ERROR_LIMIT, "more elements");
  refuse (emit_tensor ("bad", 1, 1, large, "1234", 4), SL_ERROR_LIMIT, "has 4194304 bytes");
  refuse (emit_tensor ("bad", 1, 9, nine, "1234", 4), SL_ERROR_UNSUPPORTED, "9 dimensions");
  refuse (emit_tensor ("bad", 1, 1, one_dim, "1234", 4), SL_ERROR_MALFORMED,
          "'bad': has 4 bytes of raw_data (expected 12 for float32 3)");
  refuse (emit_tensor ("bad", 1, 1, one_dim, "1234567890123456", 16), SL_ERROR_MALFORMED,
          "'bad': has 16 bytes of raw_data (expected 12 for float32 3)");
  refuse (emit_tensor ("bad", 1, 1, one_dim, NULL, 0), SL_ERROR_MALFORMED,
          "has 0 elements (expected 3");

  /* A rank of a million, packed in one field. */
  Emit *deep = emit_new (), *dims = emit_new ();
  for (int i = 0; i < 1000000; i++)
    emit_varint (dims, 1);
  emit_message (deep, 1, dims);
  emit_int (deep, 2, 1);
  refuse (deep, SL_ERROR_UNSUPPORTED, "1000000 dimensions");
}

static void
test_storage_refused (void)
{
  Emit *proto = emit_tensor ("bad", 1, 1, one_dim, "123456789012", 12);
  emit_float (proto, 4, 1);
  refuse (proto, SL_ERROR_MALFORMED, "more than one place");

  proto = emit_tensor ("bad", 1, 0, NULL, NULL, 0);
  emit_int (proto, 5, 1);
  refuse (proto, SL_ERROR_MALFORMED, "is float32, but its data stand in field 5");

  proto = emit_tensor ("bad", 6, 0, NULL, NULL, 0);
  emit_int (proto, 5, 1);
  emit_int (proto, 7, 1);
  refuse (proto, SL_ERROR_MALFORMED, "fields 5 and 7");

  proto = emit_tensor ("bad", 3, 0, NULL, NULL, 0);
  emit_int (proto, 5, 128);
  refuse (proto, SL_ERROR_MALFORMED, "128 is no int8");

  proto = emit_tensor ("bad", 12, 0, NULL, NULL, 0);
  emit_int (proto, 11, 1LL << 32);
  refuse (proto, SL_ERROR_MALFORMED, "is no uint32");

  refuse (emit_tensor ("bad", 9, 1, one_dim, "\1\2\0", 3), SL_ERROR_MALFORMED,
          "element 1 is 2 (expected 0 or 1)");
  refuse (emit_tensor ("bad", 0, 0, NULL, "1234", 4), SL_ERROR_MALFORMED, "unknown element type 0");
  refuse (emit_tensor ("bad", 99, 0, NULL, "1234", 4), SL_ERROR_MALFORMED, "type 99");
  refuse (emit_tensor ("bad", 14, 0, NULL, "12345678", 8), SL_ERROR_UNSUPPORTED, "complex64");
  refuse (emit_tensor ("bad", 22, 0, NULL, "1", 1), SL_ERROR_UNSUPPORTED, "int4");

  proto = emit_tensor ("bad", 8, 0, NULL, NULL, 0);
  emit_text (proto, 6, "text");
  refuse (proto, SL_ERROR_UNSUPPORTED, "holds strings");

  proto = emit_tensor ("bad", 1, 0, NULL, "1234", 4);
  emit_message (proto, 3, emit_new ());
  refuse (proto, SL_ERROR_UNSUPPORTED, "is a segment");

  proto = emit_tensor ("bad", 1, 0, NULL, NULL, 0);
  emit_bytes (proto, 4, "123", 3);
  refuse (proto, SL_ERROR_MALFORMED, "packs 3 bytes (expected a multiple of 4)");

  /* The last of the packed numbers has no end. */
  proto = emit_tensor ("bad", 6, 1, one_dim, NULL, 0);
  emit_bytes (proto, 5, "\1\2\3\x80", 4);
  refuse (proto, SL_ERROR_MALFORMED, "cut off");

  proto = emit_tensor ("bad", 1, 0, NULL, NULL, 0);
  emit_int (proto, 14, 7);
  refuse (proto, SL_ERROR_MALFORMED, "data_location 7");
}

static void
test_file (void)
{
  GError *error = NULL;
  g_autofree char *path = NULL;
  const int fd = g_file_open_tmp ("sightline-XXXXXX.pb", &path, &error);
  g_assert_no_error (error);
  g_assert_true (g_close (fd, NULL));
  const float value = 2.5f;
  g_autoptr (GByteArray) proto = emit_tensor ("t", 1, 0, NULL, &value, sizeof value);
  g_assert_true (g_file_set_contents (path, (const char *)proto->data, proto->len, NULL));
  g_autoptr (SlTensor) tensor = sl_tensor_load_pb (path, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (sl_tensor_get_double (tensor, 0), ==, 2.5);

  g_assert_true (g_file_set_contents (path, (const char *)proto->data, proto->len - 1, NULL));
  g_assert_null (sl_tensor_load_pb (path, &error));
  g_assert_true (g_str_has_prefix (error->message, path));
  check_error (g_steal_pointer (&error), SL_ERROR_MALFORMED, "states 4 bytes where 3 are left");
  g_assert_cmpint (g_unlink (path), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/onnx/tensor/typed", test_typed);
  g_test_add_func ("/onnx/tensor/floats", test_floats);
  g_test_add_func ("/onnx/tensor/raw", test_raw);
  g_test_add_func ("/onnx/tensor/empty", test_empty);
  g_test_add_func ("/onnx/tensor/shapes-refused", test_shapes_refused);
  g_test_add_func ("/onnx/tensor/storage-refused", test_storage_refused);
  g_test_add_func ("/onnx/tensor/file", test_file);
  return g_test_run ();
}
