#include <sightline/heat.h>

#include <math.h>
#include <string.h>

/* Every fifth of 256 colours, 0xRRGGBB; between them straight lines, which leave the originals by
 * at most 1 of 255. */
#define STEP 5
#define N_POINTS (255 / STEP + 1)

/* By Nathaniel J. Smith, Stefan van der Walt and Eric Firing, for matplotlib; CC0. */
static const uint32_t viridis[N_POINTS] = {
    0x440154, 0x46085c, 0x471063, 0x481769, 0x481d6f, 0x482475, 0x472a7a, 0x46307e, 0x453781,
    0x433d84, 0x414287, 0x3f4889, 0x3d4e8a, 0x3a538b, 0x38598c, 0x355e8d, 0x33638d, 0x31688e,
    0x2e6d8e, 0x2c718e, 0x2a768e, 0x297b8e, 0x27808e, 0x25848e, 0x23898e, 0x218e8d, 0x20928c,
    0x1f978b, 0x1e9c89, 0x1fa188, 0x21a585, 0x24aa83, 0x28ae80, 0x2eb37c, 0x35b779, 0x3dbc74,
    0x46c06f, 0x50c46a, 0x5ac864, 0x65cb5e, 0x70cf57, 0x7cd250, 0x89d548, 0x95d840, 0xa2da37,
    0xb0dd2f, 0xbddf26, 0xcae11f, 0xd8e219, 0xe5e419, 0xf1e51d, 0xfde725,
};

/* As above. */
static const uint32_t inferno[N_POINTS] = {
    0x000004, 0x02020c, 0x050417, 0x0a0722, 0x10092d, 0x160b39, 0x1e0c45, 0x260c51, 0x2f0a5b,
    0x380962, 0x400a67, 0x490b6a, 0x510e6c, 0x59106e, 0x61136e, 0x69166e, 0x71196e, 0x781c6d,
    0x801f6c, 0x88226a, 0x902568, 0x982766, 0xa02a63, 0xa82e5f, 0xb0315b, 0xb73557, 0xbf3952,
    0xc63d4d, 0xcc4248, 0xd34743, 0xd94d3d, 0xdf5337, 0xe45a31, 0xe9612b, 0xed6925, 0xf1711f,
    0xf47918, 0xf78212, 0xf98b0b, 0xfa9407, 0xfb9d07, 0xfca60c, 0xfcb014, 0xfbba1f, 0xfac42a,
    0xf8cd37, 0xf6d746, 0xf4e156, 0xf2ea69, 0xf2f27d, 0xf5f992, 0xfcffa4,
};

/* By Anton Mikhailov, "Turbo, An Improved Rainbow Colormap for Visualization", 2019; Apache-2.0. */
static const uint32_t turbo[N_POINTS] = {
    0x30123b, 0x36215f, 0x3b2f80, 0x3f3e9c, 0x424bb5, 0x4559cb, 0x4666dd, 0x4773eb, 0x4680f6,
    0x458cfd, 0x4099ff, 0x38a5fb, 0x2fb2f4, 0x27bee9, 0x1fc9dd, 0x1ad4d0, 0x18ddc2, 0x1ae4b6,
    0x22ebaa, 0x2ff19b, 0x3ff68a, 0x52fa7a, 0x65fd69, 0x79fe59, 0x8bff4b, 0x9cfe40, 0xa9fb39,
    0xb7f735, 0xc3f134, 0xd0ea34, 0xdbe236, 0xe5d938, 0xeecf3a, 0xf5c53a, 0xfaba39, 0xfdae35,
    0xfea130, 0xfe932a, 0xfc8423, 0xf9751d, 0xf46617, 0xef5811, 0xe84b0c, 0xe14109, 0xd83706,
    0xce2d04, 0xc32503, 0xb71d02, 0xa91601, 0x9b0f01, 0x8b0902, 0x7a0403,
};

static void
fill_points (const uint32_t points[N_POINTS], uint8_t ret[SL_COLORMAP_SIZE][3])
{
  for (int i = 0; i < SL_COLORMAP_SIZE; i++) {
    int k = i / STEP, part = i % STEP;
    uint32_t here = points[k], next = points[part ? k + 1 : k];
    for (int c = 0; c < 3; c++) {
      int shift = 16 - 8 * c;
      int a = here >> shift & 255, b = next >> shift & 255;
      ret[i][c] = (uint8_t)((a * (STEP - part) + b * part + STEP / 2) / STEP);
    }
  }
}

/* MATLAB's: each channel a trapezoid of height 1 around 3/4, 1/2 and 1/4. */
static void
fill_jet (uint8_t ret[SL_COLORMAP_SIZE][3])
{
  for (int i = 0; i < SL_COLORMAP_SIZE; i++)
    for (int c = 0; c < 3; c++) {
      double value = 1.5 - fabs (4.0 * i / 255 - (3 - c));
      ret[i][c] = (uint8_t)(CLAMP (value, 0, 1) * 255 + 0.5);
    }
}

static void
fill_grey (uint8_t ret[SL_COLORMAP_SIZE][3])
{
  for (int i = 0; i < SL_COLORMAP_SIZE; i++)
    ret[i][0] = ret[i][1] = ret[i][2] = (uint8_t)i;
}

static const struct {
  const char *name;
  const uint32_t *points; /* or: */
  void (*fill) (uint8_t ret[SL_COLORMAP_SIZE][3]);
} maps[SL_COLORMAP_COUNT] = {
    [SL_COLORMAP_VIRIDIS] = {"viridis", viridis, NULL},
    [SL_COLORMAP_TURBO] = {"turbo", turbo, NULL},
    [SL_COLORMAP_INFERNO] = {"inferno", inferno, NULL},
    [SL_COLORMAP_JET] = {"jet", NULL, fill_jet},
    [SL_COLORMAP_GREY] = {"grey", NULL, fill_grey},
};

const char *
sl_colormap_get_name (SlColormap map)
{
  g_return_val_if_fail ((unsigned)map < SL_COLORMAP_COUNT, NULL);
  return maps[map].name;
}

gboolean
sl_colormap_from_name (const char *name, SlColormap *ret)
{
  g_return_val_if_fail (name && ret, FALSE);
  for (int i = 0; i < SL_COLORMAP_COUNT; i++)
    if (!strcmp (name, maps[i].name)) {
      *ret = (SlColormap)i;
      return TRUE;
    }
  return FALSE;
}

void
sl_colormap_get (SlColormap map, uint8_t ret[SL_COLORMAP_SIZE][3])
{
  g_return_if_fail ((unsigned)map < SL_COLORMAP_COUNT && ret);
  if (maps[map].points)
    fill_points (maps[map].points, ret);
  else
    maps[map].fill (ret);
}
