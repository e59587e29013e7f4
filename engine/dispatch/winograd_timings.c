#include "dispatch/dispatch.h"

/* lavapipe (Mesa 22.3.6, vectors of 8) on two cores of an Intel Xeon (Sapphire Rapids), by
 * `sightline bench --profile` on single layers, November 2026. Only the ratios in a row decide. */
static const SlWinogradTiming on_cpu[] = {
    {7, 32, 32, 241, 588, 418},
    {7, 64, 64, 535, 1114, 1189},
    {7, 128, 128, 1873, 2909, 4000},
    {7, 256, 256, 6265, 10134, 24097},
    {7, 512, 512, 71444, 88488, 87667},
    {14, 16, 16, 263, 316, 349},
    {14, 32, 32, 571, 497, 551},
    {14, 64, 64, 1863, 1611, 1057},
    {14, 256, 256, 51790, 33548, 37859},
    {14, 512, 512, 318963, 123464, 199398},
    {28, 16, 16, 1099, 1000, 668},
    {28, 32, 32, 3954, 3387, 1896},
    {28, 64, 64, 7997, 3777, 2051},
    {28, 128, 128, 97452, 46585, 26347},
    {28, 256, 256, 308018, 171507, 71377},
    {28, 512, 512, 1532062, 602255, 331805},
    {56, 64, 64, 49038, 22881, 13843},
    {56, 128, 128, 259190, 111810, 78259},
    {56, 256, 256, 935428, 479685, 336205},
    {112, 64, 64, 238593, 129656, 119357},
    {112, 64, 128, 442881, 268959, 192044},
    {112, 128, 128, 952558, 521583, 322502},
    {224, 64, 64, 793428, 665052, 330340},
    {0},
};

/* Not measured: nobody had one. A form whose matrices go through memory pays where there are many
 * channels and tiles (A. Lavin and S. Gray, arXiv 1509.09308, table 5 ff., for a form that keeps
 * them in shared memory; ncnn's Vulkan backend takes it from 16 channels on); on small maps it is
 * as fast as weights of four times the size come from memory. */
static const SlWinogradTiming on_gpu[] = {
    {7, 32, 32, 1, 1, 1},           {7, 128, 128, 1, 1, 1},
    {7, 512, 512, 1, 1, 1},         {14, 32, 32, 1, 1, 1},
    {14, 128, 128, 1, 1, 1},        {14, 512, 512, 1, 1, 1},
    {28, 32, 32, 1, 1, 1},          {28, 64, 64, 1, 1, 0.8f},
    {28, 128, 128, 1, 0.9f, 0.7f},  {28, 512, 512, 1, 0.8f, 0.6f},
    {112, 32, 32, 1, 1, 1},         {112, 64, 64, 1, 0.9f, 0.7f},
    {112, 128, 128, 1, 0.8f, 0.6f}, {0},
};

const SlWinogradTiming *
sl_dispatch_get_winograd (bool is_cpu)
{
  return is_cpu ? on_cpu : on_gpu;
}
