/* What products on a GPU bring into shared memory, DEPTH of the depth at a time, and what becomes of the sums of a
 * tile. STAGED: a vector of four as it is kept there; STAGED_FOUR, STAGED_ONE read it. */
#ifndef GEMM_STAGE_GLSL
#define GEMM_STAGE_GLSL

#define DEPTH 16
#define FOURS (DEPTH / 4) /* vectors in the depth */

#ifdef HALF
#define PARTS4 result_wide4 /* sums of a part of the depth are float32 */
#else
#define PARTS4 result4
#endif

/* A place in the depth. */
struct Spot
{
  uint channel, tx, ty;
};

Spot
spot_of (uint depth)
{
  uint tap = depth / channels;
  return Spot (depth % channels, tap % taps_w, tap / taps_w);
}

void
advance (inout Spot spot, uint by)
{
  for (spot.channel += by; spot.channel >= channels; spot.channel -= channels)
    if (++spot.tx == taps_w) {
      spot.tx = 0;
      spot.ty++;
    }
}

/* Four of the depth, from `depth` at `spot`, which is at most `end`. */
STAGED
four_of_row (Window window, Spot spot, uint depth, uint end)
{
  uint at;
  STAGED found = STAGED (0);
  if (reads_fours) {
    if (depth < end && find_tap (window, spot.ty, spot.tx, at))
      found = STAGED_FOUR (source, at + spot.channel);
    return found;
  }
  [[unroll]] for (uint j = 0; j < 4; j++, advance (spot, 1))
    if (depth + j < end && find_tap (window, spot.ty, spot.tx, at))
      found[j] = STAGED_ONE (source, at + spot.channel);
  return found;
}

/* Vector number `index` of a stage of weights: [panel][depth][PANEL]. */
STAGED
four_of_weights (uint index, uint depth, uint end, uint group)
{
  uint panel = min (gl_WorkGroupID.x * (TILE / PANEL) + index / (DEPTH * PANEL / 4), (cols - 1) / PANEL);
  depth += index / (PANEL / 4) % DEPTH;
  if (depth >= end)
    return STAGED (0);
  return STAGED_FOUR (weights, panel_at (panel, group) + depth * PANEL + index % (PANEL / 4) * 4);
}

/* Four columns of a row: the result, or what a part of the depth came to. `start`: bias_of(). */
void
put (uint row, uint col, uint group, uint split, vec4 start, vec4 sum)
{
  uint all = (cols + PANEL - 1) / PANEL * PANEL;
  if (row >= rows || col >= all)
    return;
  if (splits == 1)
    store (row, col, group, start + sum);
  else
    PARTS4[(at_out + ((split * (gl_NumWorkGroups.z / splits) + group) * rows + row) * all + col) / 4] = sum;
}

#endif
