/* Synthetic scenes with a known truth: one shape of a known class, somewhere over a moving backdrop
 * with clutter. They are the demo's footage, the fixture of element tests, and what the `scenes`
 * network is trained on.
 *
 * A picture is a pure function of the scene, the size and the time: nothing is kept between calls,
 * any time may be asked for in any order and from any thread, and equal arguments draw equal pixels
 * with one build of cairo. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Instead of a class: the scene's turns go through all of them, each round in another order. */
#define SL_SCENE_EVERY_CLASS (-1)

/* The largest width or height, in pixels. */
#define SL_SCENE_MAX_SIZE 16384

/* The diameters that shapes have where a scene does not say, in units of the picture's short side,
 * and the largest that fits into it however the shape turns. */
#define SL_SCENE_MIN_DIAMETER 0.44
#define SL_SCENE_MAX_DIAMETER 0.84
#define SL_SCENE_DIAMETER_LIMIT 0.9

/* What makes a scene hard, each from 0 (easy) to 1. */
typedef struct SlSceneDifficulty {
  double clutter; /* scraps and wires, behind the shape and before it */
  double dimness; /* little contrast between shape and backdrop, a wrong exposure */
  double blur;    /* the camera is out of focus */
  double noise;   /* grain of its sensor */
} SlSceneDifficulty;

/* All of them alike. */
#define SL_SCENE_DIFFICULTY(d) ((SlSceneDifficulty){(d), (d), (d), (d)})

typedef struct SlScene {
  uint64_t seed; /* of everything that is random */
  SlSceneDifficulty difficulty;
  int klass;      /* index of a class, or SL_SCENE_EVERY_CLASS */
  double turn;    /* seconds until another shape is drawn, 0: it stays */
  double session; /* seconds until backdrop, clutter and camera change; 0: with each turn */
  double min_diameter, max_diameter; /* of shapes, up to SL_SCENE_DIAMETER_LIMIT; 0: as above */
} SlScene;

/* What the picture shows. The box encloses the shape with its outline but without its shadow, in
 * pixels from the picture's top left corner. It lies within the picture; the class "nothing" has an
 * empty one. */
typedef struct SlSceneTruth {
  int klass;
  double x, y, width, height;
} SlSceneTruth;

/* The number of classes. */
int sl_scene_n_classes (void);

/* The label of class 0 ≤ @klass < sl_scene_n_classes (): lower-case English, static. */
const char *sl_scene_label (int klass);

/* Draws @scene at @seconds (finite; negative times are taken as 0) into @pixels: @height rows of
 * @width native-endian 32-bit words 0xffRRGGBB (GStreamer's BGRx or BGRA on little-endian machines,
 * cairo's RGB24), rows @stride bytes apart, pixels and stride aligned to 4. 1 ≤ width, height ≤
 * SL_SCENE_MAX_SIZE. @truth may be NULL. Returns false, with pixels undefined, when memory runs
 * out. */
bool sl_scene_draw (const SlScene *scene, double seconds, uint8_t *pixels, int width, int height,
                    size_t stride, SlSceneTruth *truth);

G_END_DECLS
