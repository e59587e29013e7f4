#include "emit.h"

#include "onnx/wire.h"

#include <float.h>
#include <string.h>

/* Walks all fields; what the walk says, or NULL for no error. */
static GError *
walk (const void *data, gsize size)
{
  g_autofree guint8 *copy = g_memdup2 (data, size);
  GError *error = NULL;
  SlWire wire;
  SlWireField field;
  sl_wire_init (&wire, copy, size, "Message", &error);
  while (sl_wire_next (&wire, &field))
    g_assert_cmpuint (field.offset + field.length, <=, size);
  g_assert_true (wire.failed == (error != NULL));
  g_assert_cmpuint (wire.pos, ==, wire.end);
  return error;
}

static void
refuse (const char *data, gsize size, const char *text)
{
  check_error (walk (data, size), SL_ERROR_MALFORMED, text);
}

static void
test_refusals (void)
{
  refuse ("\x08", 1, "Message at byte 1: a number is cut off");
  refuse ("\x08\x80", 2, "cut off");
  refuse ("\x80", 1, "Message at byte 0: a number is cut off");
  refuse ("\x00\x01", 2, "impossible number");
  refuse ("\x80\x80\x80\x80\x10\x00", 6, "impossible number");
  refuse ("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11, "more than 64 bits");
  refuse ("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12, "more than 64 bits");
  refuse ("\x0b\x0c", 2, "field 1 has wire type 3");
  refuse ("\x0c", 1, "wire type 4");
  refuse ("\x0e", 1, "wire type 6");
  refuse ("\x0f", 1, "wire type 7");
  refuse ("\x0d\1\2\3", 4, "cut off");
  refuse ("\x09\1\2\3\4\5\6\7", 8, "cut off");
  refuse ("\x0a\x05\1\2\3\4", 6, "field 1 states 5 bytes where 4 are left");
  refuse ("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, "where 0 are left");
  g_assert_no_error (walk ("", 0));
  g_assert_no_error (walk ("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11));
}

static void
test_types (void)
{
  g_autoptr (GByteArray) data = emit_new ();
  g_autofree char *text = NULL;
  GError *error = NULL;
  SlWire wire, child;
  SlWireField field;
  gint64 number;
  float real;
  size_t count;
  emit_text (data, 1, "text");
  emit_int (data, 2, -3);
  emit_float (data, 3, 0.5f);
  emit_bytes (data, 4, "a\0b", 3);
  emit_bytes (data, 5, "\xff\xfe", 2);
  emit_bytes (data, 6, "a\nb", 3);

  static const struct {
    guint field;
    int asked; /* 0 int, 1 float, 2 text, 3 name, 4 message, 5 packed fixed32, 6 short text */
    const char *problem;
  } cases[] = {
      {1, 0, "field 1 has wire type 2 (expected 0)"},
      {1, 1, "(expected 5)"},
      {1, 2, NULL},
      {1, 4, NULL},
      {2, 0, NULL},
      {2, 2, "(expected 2)"},
      {2, 4, "(expected 2)"},
      {2, 5, "(expected 5)"},
      {3, 1, NULL},
      {4, 2, "is not text"},
      {5, 2, "is not text"},
      {6, 2, NULL},
      {6, 3, "control character"},
      {6, 6, "field 6 has 3 bytes of text (limit is 2)"},
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    sl_wire_init (&wire, data->data, data->len, "Message", &error);
    do
      g_assert_true (sl_wire_next (&wire, &field));
    while (field.number != cases[i].field);
    bool ok = cases[i].asked == 0   ? sl_wire_int (&wire, &field, &number)
              : cases[i].asked == 1 ? sl_wire_float (&wire, &field, &real)
              : cases[i].asked == 2 ? sl_wire_text (&wire, &field, 8, &text)
              : cases[i].asked == 6 ? sl_wire_text (&wire, &field, 2, &text)
              : cases[i].asked == 3 ? sl_wire_name (&wire, &field, &text)
              : cases[i].asked == 4
                  ? sl_wire_enter (&wire, &field, "Child", &child)
                  : sl_wire_numbers (&wire, &field, SL_WIRE_FIXED32, &child, &count);
    g_assert_true (ok == (cases[i].problem == NULL));
    if (!ok)
      check_error (g_steal_pointer (&error),
                   cases[i].asked == 6 ? SL_ERROR_LIMIT : SL_ERROR_MALFORMED, cases[i].problem);
  }
  g_assert_cmpint (number, ==, -3);
  g_assert_cmpfloat (real, ==, 0.5f);
  g_assert_cmpstr (text, ==, "a\nb");
}

static void
test_long_name (void)
{
  g_autoptr (GByteArray) data = emit_new ();
  g_autofree char *name = g_strnfill (SL_WIRE_MAX_NAME + 1, 'n');
  char *ret = NULL;
  GError *error = NULL;
  SlWire wire;
  SlWireField field;
  emit_text (data, 1, name);
  sl_wire_init (&wire, data->data, data->len, "Message", &error);
  g_assert_true (sl_wire_next (&wire, &field));
  g_assert_false (sl_wire_name (&wire, &field, &ret));
  check_error (error, SL_ERROR_LIMIT, "65537 bytes");
}

/* What the writer puts, the reader gets; lengths around every change in the size of a prefix. */
static void
test_written (void)
{
  static const gsize lengths[] = {0, 1, 126, 127, 128, 129, 16382, 16383, 16384, 70000};
  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++) {
    g_autofree char *filling = g_strnfill (lengths[i], 'f');
    g_autofree char *text = NULL;
    SlWireOut out = {0};
    SlWire wire, child;
    SlWireField field;
    gint64 number;
    float real;
    const size_t outer = sl_wire_begin (&out, 1);
    const size_t inner = sl_wire_begin (&out, 2);
    sl_wire_put_text (&out, 3, filling);
    sl_wire_end (&out, inner);
    sl_wire_put_int (&out, 4, INT64_MIN);
    sl_wire_end (&out, outer);
    sl_wire_put_float (&out, 500000, FLT_MAX);
    g_assert_false (out.failed);

    sl_wire_init (&wire, out.data, out.length, "Message", NULL);
    g_assert_true (sl_wire_next (&wire, &field) && field.number == 1);
    g_assert_true (sl_wire_enter (&wire, &field, "Outer", &child));
    g_assert_true (sl_wire_next (&child, &field) && field.number == 2);
    SlWire leaf;
    SlWireField part;
    g_assert_true (sl_wire_enter (&child, &field, "Inner", &leaf));
    g_assert_true (sl_wire_next (&leaf, &part) && sl_wire_text (&leaf, &part, 1 << 20, &text));
    g_assert_cmpstr (text, ==, filling);
    g_assert_false (sl_wire_next (&leaf, &part));
    g_assert_true (sl_wire_next (&child, &field) && sl_wire_int (&child, &field, &number));
    g_assert_cmpint (number, ==, INT64_MIN);
    g_assert_true (sl_wire_next (&wire, &field) && field.number == 500000);
    g_assert_true (sl_wire_float (&wire, &field, &real) && real == FLT_MAX);
    g_assert_false (sl_wire_next (&wire, &field) || wire.failed);
    sl_wire_out_clear (&out);
  }
}

static void
test_no_memory (void)
{
  SlWireOut out = {0};
  sl_wire_put_int (&out, 1, 1);
  sl_wire_out_reserve (&out, SIZE_MAX / 2);
  g_assert_true (out.failed);
  sl_wire_put_text (&out, 2, "ignored");
  sl_wire_end (&out, sl_wire_begin (&out, 3));
  g_assert_cmpuint (out.length, ==, 2);
  sl_wire_out_clear (&out);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/onnx/wire/refusals", test_refusals);
  g_test_add_func ("/onnx/wire/types", test_types);
  g_test_add_func ("/onnx/wire/long-name", test_long_name);
  g_test_add_func ("/onnx/wire/written", test_written);
  g_test_add_func ("/onnx/wire/no-memory", test_no_memory);
  return g_test_run ();
}
