/* Invocations of a workgroup, for C and GLSL, where the shader has no reason for another number:
 * every device has at least so many. */
#ifndef SL_GROUP_H
#define SL_GROUP_H

#define GROUP 128

#endif
