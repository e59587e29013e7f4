/* Words of the rules, for the targets that read them. */
#include "fuzz.h"

#include "onnx/keys.h"

void
fuzz_dictionary (GString *ret)
{
  static const char *const words[] = {
      "[sightline]",
      "sightline.",
      "rgb",
      "bgr",
      "gray",
      "0..1",
      "0..255",
      "-1..1",
      "stretch",
      "crop",
      "letterbox",
      "probabilities",
      "logits",
      "true",
      "1e30",
      "-1e-30",
      "nan",
      "inf",
      "16384",
      "x",
      ",",
      "\\\\n",
      "\\xef\\xbb\\xbf",
      "\\xe2\\x80\\xa8",
      "n01440764 ",
      "Image.BitmapPixelFormat",
      "Image.NominalPixelRange",
  };
  for (guint i = 0; sl_rule_keys[i].name != NULL; i++)
    g_string_append_printf (ret, "\"%s=\"\n", sl_rule_keys[i].name);
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    g_string_append_printf (ret, "\"%s\"\n", words[i]);
}
