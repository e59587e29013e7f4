/* Arbitrary bytes as an ONNX file. */
#include "fuzz.h"
#include "whole.h"

#include "graph/op.h"
#include "onnx/emit.h"

#include <string.h>

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  fuzz_try_model (data, size, "fuzz");
  return 0;
}

/* A small network in the given opset; the cases of tests/ops/ are the other seeds. */
GByteArray *
fuzz_seed (unsigned index)
{
  static const int opsets[] = {6, 9, 11, 13, 18, 21};
  return index < G_N_ELEMENTS (opsets) ? emit_model (emit_network (), opsets[index]) : NULL;
}

/* A string field: its length, then the text. */
static void
add_word (GString *to, GHashTable *seen, const char *word)
{
  if (word == NULL || word[0] == '.' || strlen (word) > 64 ||
      !g_hash_table_add (seen, (void *)word))
    return;
  g_string_append_printf (to, "\"\\x%02x%s\"\n", (unsigned)strlen (word), word);
}

void
fuzz_dictionary (GString *ret)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  for (const SlOpClass *const *const *family = sl_op_families; *family != NULL; family++) {
    for (const SlOpClass *const *op = *family; *op != NULL; op++) {
      add_word (ret, seen, (*op)->name);
      add_word (ret, seen, (*op)->domain);
      for (const SlOnnxForm *form = (*op)->forms; form != NULL && form->since > 0; form++) {
        add_word (ret, seen, form->op_type);
        add_word (ret, seen, form->domain);
      }
      for (const SlAttrSpec *spec = (*op)->attrs; spec != NULL && spec->name != NULL; spec++) {
        add_word (ret, seen, spec->name);
        for (const char *const *choice = spec->choices; choice != NULL && *choice != NULL; choice++)
          add_word (ret, seen, *choice);
      }
    }
  }
}
