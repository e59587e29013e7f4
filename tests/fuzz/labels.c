/* Label files and side files. The first byte says as which the rest is read. */
#include "rules.h"

#include "onnx/labels.h"

#include <string.h>
#include <unistd.h>

enum { LABELS = 'l', SIDE_FILE = 's', OVERRIDE = 'o' };

static void
check_label (const char *label)
{
  if (label[0] == '\0' || !g_utf8_validate (label, -1, NULL))
    fuzz_fail ("a label is empty or no text");
  for (const char *at = label; *at != '\0'; at = g_utf8_next_char (at))
    if (g_unichar_iscntrl (g_utf8_get_char (at)))
      fuzz_fail ("a label holds a control character");
}

static void
read_labels (const char *text, size_t size)
{
  GError *error = NULL;
  uint32_t n = 0;
  /* A copy of exactly this size, so that a sanitizer sees a byte read too far. */
  g_autofree char *copy = g_memdup2 (text, size);
  g_auto (GStrv) labels = sl_labels_parse (copy, size, "labels", &n, &error);
  if (labels == NULL) {
    fuzz_check_error (error);
    return;
  }
  if (n == 0 || g_strv_length (labels) != n)
    fuzz_fail ("%u labels are not that many", n);
  for (char **label = labels; *label != NULL; label++)
    check_label (*label);
}

static void
read_rules (const char *text, size_t size, gboolean is_list)
{
  static const struct {
    int channels, size;
    const char *last;
  } networks[] = {{3, 8, "Relu"}, {1, 5, "Sigmoid"}, {3, -1, "Softmax"}};
  static SlModel *models[G_N_ELEMENTS (networks)];
  char path[64];
  int fd = fuzz_memory_file (text, size, path);
  for (guint i = 0; i < G_N_ELEMENTS (networks); i++) {
    GError *error = NULL;
    if (models[i] == NULL)
      models[i] = fuzz_network (networks[i].channels, networks[i].size, networks[i].last, NULL);
    SlModelRules *rules =
        sl_model_rules_new (models[i], is_list ? NULL : path, is_list ? path : NULL, &error);
    fuzz_check_rules (rules, error);
  }
  close (fd);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  if (size == 0)
    return 0;
  const char *text = (const char *)data + 1;
  if (data[0] == SIDE_FILE)
    read_rules (text, size - 1, FALSE);
  else if (data[0] == OVERRIDE)
    read_rules (text, size - 1, TRUE);
  else
    read_labels (text, size - 1);
  return 0;
}

GByteArray *
fuzz_seed (unsigned index)
{
  static const char *const seeds[] = {
      "lcat\ndog\n",
      "l\xef\xbb\xbf\x63\x61t\r\ndog\r\n\r\n",
      "ln01440764 tench, Tinca tinca\nn01443537 goldfish, Carassius auratus\nn0 short\n",
      "l  \xc3\xa9toile \nz\xe2\x80\xa8\n\n",
      "oa\nb\nc\n",
      "oone\n",
      "s[sightline]\nversion=1\nlabels=a\\nb\\nc\ncolor=rgb\nrange=0..1\n",
      "s[sightline]\nmean=0.485,0.456,0.406\nstd=0.229,0.224,0.225\nresize=crop\nresize-size=256\n",
      "s[sightline]\ncolor=bgr\nrange=0..255\nmean=104,117,123\nstd=1\npad=1,2,3\nsize=9x7\n",
      "s[sightline]\ncolor=gray\nrange=-1..1\nresize=letterbox\nantialias=true\noutput=logits\n",
      "s# comment\n[sightline]\nsize=12\norigin=here\nlicense=free\nscores=good\nlabels=x\n",
      "s[sightline]\nlabel-file=nowhere.txt\noutput=probabilities\nresize=stretch\n",
      "s[sightline]\ngolden-input=AAAA\ngolden-output=0.5,0.25,0.25\n[other]\na=b\n",
  };
  if (index >= G_N_ELEMENTS (seeds))
    return NULL;
  GByteArray *seed = g_byte_array_new ();
  g_byte_array_append (seed, (const guint8 *)seeds[index], (guint)strlen (seeds[index]));
  return seed;
}
