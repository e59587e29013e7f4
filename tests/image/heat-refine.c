/* Maps refined for painting, against what the curve is by hand. */
#include <glib.h>
#include <sightline/heat.h>

/* Straight slopes stay straight, peaks stay peaks, and cold stays cold. */
static void
test_refine (void)
{
  enum { WIDTH = 5, HEIGHT = 3, STEPS = 4 };
  float slope[HEIGHT][WIDTH], fine[HEIGHT * STEPS][WIDTH * STEPS];
  float peak[HEIGHT][WIDTH] = {{0}, {0, 0, 1, 0, 0}, {0}}, one = 0.25f;

  for (int y = 0; y < HEIGHT; y++)
    for (int x = 0; x < WIDTH; x++)
      slope[y][x] = 0.1f + 0.15f * (float)x;
  sl_heat_refine (slope[0], WIDTH, HEIGHT, STEPS, fine[0]);
  for (int y = 0; y < HEIGHT * STEPS; y++)
    for (int x = STEPS * 3 / 2; x < (WIDTH - 1) * STEPS - STEPS / 2; x++) {
      float place = ((float)x + 0.5f) / STEPS - 0.5f;
      g_assert_cmpfloat_with_epsilon (fine[y][x], 0.1f + 0.15f * place, 1e-6f);
    }

  sl_heat_refine (peak[0], WIDTH, HEIGHT, STEPS, fine[0]);
  for (int y = 0; y < HEIGHT * STEPS; y++)
    for (int x = 0; x < WIDTH * STEPS; x++) {
      /* From the peak's centre, in cells; the curve falls below 0 beyond 1, and is cut off there.
       */
      float across = ABS (((float)x + 0.5f) / STEPS - 2.5f);
      float down = ABS (((float)y + 0.5f) / STEPS - 1.5f);
      g_assert_cmpfloat (fine[y][x], >=, 0);
      if (across >= 1 || down >= 1)
        g_assert_cmpfloat (fine[y][x], ==, 0);
      else if (across < 0.2f && down < 0.2f)
        /* (1.5 t^3 - 2.5 t^2 + 1)^2 at t = 1/8 */
        g_assert_cmpfloat_with_epsilon (fine[y][x], 0.929040f, 1e-5f);
      else
        g_assert_cmpfloat (fine[y][x], <, 0.93f);
    }

  sl_heat_refine (&one, 1, 1, STEPS, fine[0]);
  for (int i = 0; i < STEPS * STEPS; i++)
    g_assert_cmpfloat_with_epsilon (fine[0][i], 0.25f, 1e-6f);
  sl_heat_refine (slope[0], WIDTH, HEIGHT, 1, fine[0]);
  for (int x = 0; x < WIDTH; x++)
    g_assert_cmpfloat (fine[0][x], ==, slope[0][x]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/image/heat-refine/known", test_refine);
  return g_test_run ();
}
