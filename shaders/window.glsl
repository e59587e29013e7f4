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

/* Windows one after the other, without a division. What it goes by stands in variables, since a CPU that plays a GPU
 * reads push constants anew, and slowly, in every turn of a loop. */
struct Walk
{
  int y, x;                            /* of the first tap */
  uint at;                             /* where its channels would begin, inside or not */
  int stride_y, stride_x, y_first, x_first, y_end, x_end;
  uint in_y, in_x;                     /* sizes of the image */
  uint right, next_row, next_image;    /* elements to the next window, and to one in the row, image below besides */
};

Walk
walk_from (uint output_index, uint group)
{
  Window window = window_of (output_index, group);
  Walk walk;
  uint across = uint (stride_w) * in_pixel, row = in_w * in_pixel, height = pixels / width;
  walk.y = window.y;
  walk.x = window.x;
  walk.at = window.image + uint (window.y) * row + uint (window.x) * in_pixel;
  walk.stride_y = stride_h;
  walk.stride_x = stride_w;
  walk.y_first = -pad_h;
  walk.x_first = -pad_w;
  walk.y_end = int (height) * stride_h - pad_h;
  walk.x_end = int (width) * stride_w - pad_w;
  walk.in_y = in_h;
  walk.in_x = in_w;
  walk.right = across;
  walk.next_row = uint (stride_h) * row - width * across;
  walk.next_image = in_image - height * uint (stride_h) * row;
  return walk;
}

void
go_on (inout Walk walk)
{
  walk.x += walk.stride_x;
  walk.at += walk.right;
  bool below = walk.x == walk.x_end;
  walk.x = below ? walk.x_first : walk.x;
  walk.y += below ? walk.stride_y : 0;
  walk.at += below ? walk.next_row : 0;
  bool beyond = walk.y == walk.y_end;
  walk.y = beyond ? walk.y_first : walk.y;
  walk.at += beyond ? walk.next_image : 0;
}

/* TRUE if what lies so far from the first tap is inside of the image. */
bool
sees (Walk walk, int y, int x)
{
  return uint (walk.y + y) < walk.in_y && uint (walk.x + x) < walk.in_x;
}

#endif
