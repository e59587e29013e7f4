/* A product on a CPU that plays a GPU: an invocation, a lane of a vector, has ROWS rows by PANELS panels of columns in
 * registers, and there is neither shared memory nor a barrier. What takes time is fetching; so each vector of weights,
 * whose address is the same for all lanes, serves ROWS rows, and each of the input all columns. Workgroups: blocks of
 * panels (first, so that the input's rows stay in the cache), of rows, groups. */

#define FOURS (PANELS * PANEL / 4) /* vectors of columns */

/* Where each row's channels of the present tap begin. */
uint at[ROWS];
bool inside[ROWS];

vec4 sums[ROWS][FOURS];

/* Adds what depth `j` of each row's vector makes with a row of the panels. */
void
multiply (float a[ROWS], uint panels[PANELS], uint depth)
{
  [[unroll]] for (uint q = 0; q < FOURS; q++) {
    vec4 b = FOUR_OF (weights, panels[q / (PANEL / 4)] + depth * PANEL + q % (PANEL / 4) * 4);
    [[unroll]] for (uint r = 0; r < ROWS; r++)
      sums[r][q] = fma (vec4 (a[r]), b, sums[r][q]);
  }
}

/* Adds a tap's `n` channels; `depth`: of its first. */
void
add_tap (uint panels[PANELS], uint depth, uint n)
{
  float a[ROWS];
  if (reads_fours)
    for (uint i = 0; i < n; i += 4) {
      vec4 four[ROWS];
      [[unroll]] for (uint r = 0; r < ROWS; r++)
        four[r] = mix (vec4 (0), FOUR_OF (source, at[r] + i), bvec4 (inside[r]));
      [[unroll]] for (uint j = 0; j < 4; j++) {
        [[unroll]] for (uint r = 0; r < ROWS; r++)
          a[r] = four[r][j];
        multiply (a, panels, depth + i + j);
      }
    }
  else
    for (uint i = 0; i < n; i++) {
      [[unroll]] for (uint r = 0; r < ROWS; r++)
        a[r] = mix (0, ONE_OF (source, at[r] + i), inside[r]);
      multiply (a, panels, depth + i);
    }
}

void
main ()
{
  uint group = gl_WorkGroupID.z, first = gl_WorkGroupID.x * PANELS, row[ROWS], panels[PANELS];
  Window window[ROWS];

  [[unroll]] for (uint p = 0; p < PANELS; p++)
    panels[p] = panel_at (min (first + p, (cols - 1) / PANEL), group);
  [[unroll]] for (uint r = 0; r < ROWS; r++) {
    row[r] = (gl_WorkGroupID.y * ROWS + r) * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    window[r] = window_of (min (row[r], rows - 1), group);
  }
  [[unroll]] for (uint q = 0; q < FOURS; q++) {
    vec4 start = bias_of (first * PANEL + q * 4, group);
    [[unroll]] for (uint r = 0; r < ROWS; r++)
      sums[r][q] = start;
  }
  uint n = channels, depth = 0; /* a variable: push constants are slow in loops (README.md) */
  for (uint ty = 0; ty < taps_h; ty++)
    for (uint tx = 0; tx < taps_w; tx++, depth += n) {
      [[unroll]] for (uint r = 0; r < ROWS; r++)
        inside[r] = find_tap (window[r], ty, tx, at[r]);
      add_tap (panels, depth, n);
    }
  [[unroll]] for (uint r = 0; r < ROWS; r++)
    if (row[r] < rows)
      [[unroll]] for (uint q = 0; q < FOURS; q++)
        store (row[r], first * PANEL + q * 4, group, sums[r][q]);
}
