/* Where windows lie in pictures. The shader's push constants have: pixels, width (outputs of an image, and of a row of
 * it); in_h, in_w, in_pixel, in_image, in_group, at_in; stride_h, stride_w, step_h, step_w, pad_h, pad_w. */
#ifndef WINDOW_GLSL
#define WINDOW_GLSL

/* Where an output's window begins, and its image. */
struct Window
{
  int y, x;
  uint image;
};

Window
window_of (uint output_index, uint group)
{
  uint image = output_index / pixels, pixel = output_index % pixels;
  return Window (int (pixel / width) * stride_h - pad_h, int (pixel % width) * stride_w - pad_w,
                 at_in + group * in_group + image * in_image);
}

/* Where the channels of a tap begin; false: outside of the image. */
bool
find_tap (Window window, uint ty, uint tx, out uint ret_at)
{
  int y = window.y + int (ty) * step_h, x = window.x + int (tx) * step_w;
  bool inside = y >= 0 && y < int (in_h) && x >= 0 && x < int (in_w);
  ret_at = window.image + (inside ? (uint (y) * in_w + uint (x)) * in_pixel : 0);
  return inside;
}

#endif
