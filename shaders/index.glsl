/* Which element is this invocation's. */
#ifndef INDEX_GLSL
#define INDEX_GLSL

#include "group.h"

/* The number of the workgroup: what does not fit the first dimension goes on in the second. */
uint
group_index ()
{
  return gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
}

/* The number of the invocation, in shaders whose workgroups are GROUP wide. */
uint
invocation_index ()
{
  return group_index () * GROUP + gl_LocalInvocationID.x;
}

#endif
