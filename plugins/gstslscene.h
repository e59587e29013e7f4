/* Properties that say what a synthetic scene looks like. */
#pragma once

#include "scene.h"

#include <glib-object.h>

G_BEGIN_DECLS

#define GST_SL_N_SCENE_PROPS 11

/* Their values. Parts of the scene's difficulty below 0 stand for `difficulty`. */
typedef struct GstSlScene {
  SlScene scene;
  gdouble difficulty;
} GstSlScene;

/* Adds them, with ids from `first_id` on; all change while playing. */
void gst_sl_scene_install (GObjectClass *klass, guint first_id);

void gst_sl_scene_init (GstSlScene *self);
/* `index` counts from the first property. */
void gst_sl_scene_set (GstSlScene *self, guint index, const GValue *value);
void gst_sl_scene_get (const GstSlScene *self, guint index, GValue *ret_value);

/* The scene with every part of its difficulty, for sl_scene_draw (). */
SlScene gst_sl_scene_resolve (const GstSlScene *self);

G_END_DECLS
