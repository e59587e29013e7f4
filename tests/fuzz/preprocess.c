/* Rules for pictures: lines KEY=VALUE, as metadata of a network, or after the line "--" set one by
 * one as properties are. The first byte chooses the network. */
#include "rules.h"

#include <string.h>

static SlModel *
network (uint8_t choice, const char *metadata)
{
  return fuzz_network (choice & 1 ? 1 : 3, choice & 2 ? -1 : 9, choice & 4 ? "Sigmoid" : "Relu",
                       metadata);
}

static void
set_rules (SlModelRules *rules, const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL; line++) {
    char *equals = strchr (*line, '=');
    GError *error = NULL;
    if (equals == NULL)
      continue;
    *equals = '\0';
    if (!sl_model_rules_set (rules, *line, equals + 1, &error))
      fuzz_check_error (error);
  }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  if (size == 0)
    return 0;
  g_autofree char *text = g_strndup ((const char *)data + 1, size - 1);
  char *properties = strstr (text, "--\n");
  if (properties != NULL)
    *properties = '\0';
  g_autoptr (SlModel) model = network (data[0], text);
  if (model == NULL)
    return 0;
  GError *error = NULL;
  SlModelRules *rules = sl_model_rules_new (model, NULL, NULL, &error);
  if (rules != NULL && properties != NULL)
    set_rules (rules, properties + 3);
  fuzz_check_rules (rules, error);
  return 0;
}

GByteArray *
fuzz_seed (unsigned index)
{
  static const char *const seeds[] = {
      "0sightline.mean=0.485,0.456,0.406\nsightline.std=0.229,0.224,0.225\n",
      "0sightline.color=bgr\nsightline.range=0..255\nsightline.mean=104,117,123\n",
      "0sightline.resize=crop\nsightline.resize-size=12\nsightline.pad=1,2,3\n--\ncolor=bgr\n",
      "0sightline.labels=a\\nb\\nc\nsightline.output=probabilities\n--\nresize=letterbox\n",
      "1sightline.color=gray\nsightline.range=-1..1\nsightline.antialias=true\n",
      "2sightline.size=11x6\nsightline.version=1\n--\nsize=8\n",
      "4Image.BitmapPixelFormat=Bgr8\nImage.NominalPixelRange=NominalRange_0_255\n",
      "5Image.BitmapPixelFormat=Gray8\nImage.NominalPixelRange=Normalized_1_1\n--\nmean=1e3\nstd="
      "7\n",
      "0sightline.golden-input=AAAA\nsightline.golden-output=1,2\nsightline.future=x\n",
  };
  if (index >= G_N_ELEMENTS (seeds))
    return NULL;
  GByteArray *seed = g_byte_array_new ();
  g_byte_array_append (seed, (const guint8 *)seeds[index], (guint)strlen (seeds[index]));
  return seed;
}
