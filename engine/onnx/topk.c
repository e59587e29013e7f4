#include <sightline/metadata.h>

#include <math.h>

/* What the softmax of one score is made of: exp (score - max) / sum, where infinities share the
 * whole. */
static double
weight (float score, float max)
{
  return score == max ? 1 : exp ((double)score - (double)max);
}

static float
find_max (const float *scores, uint32_t n)
{
  float max = -INFINITY;
  for (uint32_t i = 0; i < n; i++)
    if (scores[i] > max)
      max = scores[i];
  return max;
}

uint32_t
sl_top_k (const float *scores, uint32_t n, uint32_t k, float threshold, gboolean softmax,
          SlClassScore *ret)
{
  g_return_val_if_fail ((scores != NULL || n == 0) && (ret != NULL || k == 0), 0);

  uint32_t found = 0;
  for (uint32_t i = 0; i < n && k > 0; i++) {
    if (isnan (scores[i]) || (found == k && scores[i] <= ret[k - 1].score))
      continue;
    uint32_t at = found < k ? found++ : k - 1;
    for (; at > 0 && ret[at - 1].score < scores[i]; at--)
      ret[at] = ret[at - 1];
    ret[at] = (SlClassScore){.index = i, .score = scores[i]};
  }

  if (softmax && found > 0) {
    const float max = find_max (scores, n);
    double sum = 0;
    for (uint32_t i = 0; i < n; i++)
      sum += isnan (scores[i]) ? 0 : weight (scores[i], max);
    for (uint32_t i = 0; i < found; i++)
      ret[i].score = (float)(weight (ret[i].score, max) / sum);
  }
  while (found > 0 && ret[found - 1].score < threshold)
    found--;
  return found;
}
