#include "data/eigen.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define MAX_SWEEPS 60 /* for one eigenvalue; two are usual */

/* In eight sums, which fill vector registers. */
static double
dot (const double *a, const double *b, gsize n)
{
  double sums[8] = {0}, sum = 0;
  gsize i = 0;
  for (; i + 8 <= n; i += 8)
    for (int k = 0; k < 8; k++)
      sums[k] += a[i + k] * b[i + k];
  for (; i < n; i++)
    sum += a[i] * b[i];
  for (int k = 0; k < 8; k++)
    sum += sums[k];
  return sum;
}

/* One step of the reduction: the Householder vector of row i is in d, its half square is h. */
static void
reflect (double *v, gsize n, gsize i, double h, double *d, double *e)
{
  memset (e, 0, i * sizeof *e);
  for (gsize j = 0; j < i; j++) {
    double *row = v + j * n, f = d[j];
    v[i * n + j] = f;
    e[j] += row[j] * f + dot (row + j + 1, d + j + 1, i - j - 1);
    for (gsize k = j + 1; k < i; k++)
      e[k] += row[k] * f;
  }
  for (gsize j = 0; j < i; j++)
    e[j] /= h;
  double part = dot (e, d, i) / (h + h);
  for (gsize j = 0; j < i; j++)
    e[j] -= part * d[j];
  for (gsize j = 0; j < i; j++) {
    double *row = v + j * n, f = d[j], g = e[j];
    for (gsize k = j; k < i; k++)
      row[k] -= f * e[k] + g * d[k];
    d[j] = row[i - 1];
    row[i] = 0;
  }
}

/* To three diagonals: d and, from 1 on, e; row i of v becomes what row i of the result is made of.
 * v[j][k] stands for what EISPACK calls V(k, j). */
static void
reduce (double *v, gsize n, double *d, double *e)
{
  for (gsize j = 0; j < n; j++)
    d[j] = v[j * n + n - 1];
  for (gsize i = n - 1; i > 0; i--) {
    double scale = 0, h = 0;
    for (gsize k = 0; k < i; k++)
      scale += fabs (d[k]);
    if (scale == 0) {
      e[i] = d[i - 1];
      for (gsize j = 0; j < i; j++) {
        d[j] = v[j * n + i - 1];
        v[j * n + i] = 0;
        v[i * n + j] = 0;
      }
    } else {
      for (gsize k = 0; k < i; k++)
        d[k] /= scale;
      h = dot (d, d, i);
      double f = d[i - 1], g = f > 0 ? -sqrt (h) : sqrt (h);
      double below = scale * g;
      h -= f * g;
      d[i - 1] = f - g;
      reflect (v, n, i, h, d, e);
      e[i] = below;
    }
    d[i] = h;
  }
}

/* Multiplies the reflections out. */
static void
accumulate (double *v, gsize n, double *d)
{
  for (gsize i = 0; i + 1 < n; i++) {
    double *next = v + (i + 1) * n, h = d[i + 1];
    v[i * n + n - 1] = v[i * n + i];
    v[i * n + i] = 1;
    if (h != 0) {
      for (gsize k = 0; k <= i; k++)
        d[k] = next[k] / h;
      for (gsize j = 0; j <= i; j++) {
        double *row = v + j * n, g = dot (next, row, i + 1);
        for (gsize k = 0; k <= i; k++)
          row[k] -= g * d[k];
      }
    }
    memset (next, 0, (i + 1) * sizeof *next);
  }
  for (gsize j = 0; j < n; j++) {
    d[j] = v[j * n + n - 1];
    v[j * n + n - 1] = 0;
  }
  v[n * n - 1] = 1;
}

/* One sweep with implicit shift from m up to l. */
static void
sweep (double *v, gsize n, double *d, double *e, gsize l, gsize m, double next_d, double next_e)
{
  double p = d[m], c = 1, c2 = 1, c3 = 1, s = 0, s2 = 0;
  for (gsize i = m; i-- > l;) {
    double *low = v + i * n, *high = low + n;
    c3 = c2;
    c2 = c;
    s2 = s;
    double g = c * e[i], h = c * p, r = hypot (p, e[i]);
    e[i + 1] = s * r;
    s = e[i] / r;
    c = p / r;
    p = c * d[i] - s * g;
    d[i + 1] = h + s * (c * g + s * d[i]);
    for (gsize k = 0; k < n; k++) {
      double upper = high[k];
      high[k] = s * low[k] + c * upper;
      low[k] = c * low[k] - s * upper;
    }
  }
  p = -s * s2 * c3 * next_e * e[l] / next_d;
  e[l] = s * p;
  d[l] = c * p;
}

static gboolean
diagonalize (double *v, gsize n, double *d, double *e)
{
  double shift = 0, largest = 0;
  for (gsize i = 1; i < n; i++)
    e[i - 1] = e[i];
  e[n - 1] = 0;
  for (gsize l = 0; l < n; l++) {
    gsize m = l;
    largest = MAX (largest, fabs (d[l]) + fabs (e[l]));
    while (m + 1 < n && fabs (e[m]) > DBL_EPSILON * largest)
      m++;
    for (int sweeps = 0; m > l && fabs (e[l]) > DBL_EPSILON * largest; sweeps++) {
      if (sweeps == MAX_SWEEPS)
        return FALSE;
      double g = d[l], p = (d[l + 1] - g) / (2 * e[l]), r = hypot (p, 1);
      r = p < 0 ? -r : r;
      d[l] = e[l] / (p + r);
      d[l + 1] = e[l] * (p + r);
      double by = g - d[l], next_d = d[l + 1], next_e = e[l + 1];
      for (gsize i = l + 2; i < n; i++)
        d[i] -= by;
      shift += by;
      sweep (v, n, d, e, l, m, next_d, next_e);
    }
    d[l] += shift;
    e[l] = 0;
  }
  return TRUE;
}

/* Falling values, and signs that do not depend on the way. */
static void
order (double *v, gsize n, double *d)
{
  for (gsize i = 0; i < n; i++) {
    gsize best = i, top = 0;
    for (gsize j = i + 1; j < n; j++)
      best = d[j] > d[best] ? j : best;
    double value = d[best], *row = v + i * n, *other = v + best * n;
    d[best] = d[i];
    d[i] = value;
    for (gsize k = 0; k < n && best != i; k++) {
      double kept = row[k];
      row[k] = other[k];
      other[k] = kept;
    }
    for (gsize k = 1; k < n; k++)
      top = fabs (row[k]) > fabs (row[top]) ? k : top;
    for (gsize k = 0, flip = row[top] < 0; k < n && flip; k++)
      row[k] = -row[k];
  }
}

gboolean
sl_eigen_symmetric (double *matrix, gsize n, double *ret_values)
{
  g_autofree double *e = g_new0 (double, n);
  reduce (matrix, n, ret_values, e);
  accumulate (matrix, n, ret_values);
  if (!diagonalize (matrix, n, ret_values, e))
    return FALSE;
  order (matrix, n, ret_values);
  return TRUE;
}
