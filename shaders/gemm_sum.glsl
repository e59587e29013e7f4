/* Adds what the parts of a split depth came to (gemm_tiles.glsl), in their order: an invocation has four columns of a
 * row. The source is [split][group][row][column of a whole panel]. Workgroups: blocks of these, folded, and groups. */

void
main ()
{
  uint group = gl_WorkGroupID.z, fours = (cols + PANEL - 1) / PANEL * (PANEL / 4);
  uint i = (gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
  if (i >= rows * fours)
    return;
  vec4 sum = vec4 (0);
  for (uint s = 0; s < splits; s++)
    sum += FOUR_OF (source, at_in + ((s * gl_NumWorkGroups.z + group) * rows * fours + i) * 4);
  uint col = i % fours * 4;
  store (i / fours, col, group, bias_of (col, group) + sum);
}
