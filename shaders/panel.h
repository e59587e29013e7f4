/* Columns of a panel of packed weights, for C and GLSL: SlTarget.panel_width on GPUs. */
#ifndef SL_PANEL_H
#define SL_PANEL_H

#define PANEL 16

#endif
