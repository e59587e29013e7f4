#include "gstslscene.h"

#include <gst/gst.h>

#define DEFAULT_SEED 1
#define DEFAULT_DIFFICULTY 0.4
#define AS_DIFFICULTY -1.0
#define DEFAULT_TURN 2.0
#define MAX_SPELL 1e6 /* seconds */
#define LEAST_DIAMETER 0.02

typedef struct NumberProp {
  const gchar *name, *nick, *blurb;
  gdouble min, max, initial;
  gsize offset; /* into GstSlScene */
} NumberProp;

#define SPELL(field, initial) 0, MAX_SPELL, initial, G_STRUCT_OFFSET (GstSlScene, scene.field)
#define SIZE(field, initial) \
  LEAST_DIAMETER, SL_SCENE_DIAMETER_LIMIT, initial, G_STRUCT_OFFSET (GstSlScene, scene.field)
#define PART(field) \
  AS_DIFFICULTY, 1, AS_DIFFICULTY, G_STRUCT_OFFSET (GstSlScene, scene.difficulty.field)

static const NumberProp numbers[] = {
    {"turn", "Turn", "Seconds until another shape is drawn; 0: the first one stays",
     SPELL (turn, DEFAULT_TURN)},
    {"session", "Session", "Seconds until backdrop, clutter and camera change; 0: with each turn",
     SPELL (session, 0)},
    {"min-size", "Least size", "Least diameter of shapes, share of the frame's shorter side",
     SIZE (min_diameter, SL_SCENE_MIN_DIAMETER)},
    {"max-size", "Greatest size", "Greatest diameter of shapes, share of the frame's shorter side",
     SIZE (max_diameter, SL_SCENE_MAX_DIAMETER)},
    {"difficulty", "Difficulty",
     "How hard scenes are: clutter, dimness, blur and noise that are not set themselves", 0, 1,
     DEFAULT_DIFFICULTY, G_STRUCT_OFFSET (GstSlScene, difficulty)},
    {"clutter", "Clutter", "Scraps and wires about the shape; below 0: as difficulty",
     PART (clutter)},
    {"dimness", "Dimness", "Weak contrast and wrong exposure; below 0: as difficulty",
     PART (dimness)},
    {"blur", "Blur", "Pictures out of focus; below 0: as difficulty", PART (blur)},
    {"noise", "Noise", "Grain of the camera; below 0: as difficulty", PART (noise)},
};

/* Before the numbers. */
enum { SEED, CLASS, N_OTHERS };
G_STATIC_ASSERT (N_OTHERS + G_N_ELEMENTS (numbers) == GST_SL_N_SCENE_PROPS);

/* "every", then the classes. */
static GType
get_class_type (void)
{
  static gsize type;

  if (g_once_init_enter (&type)) {
    gint n = sl_scene_n_classes ();
    GEnumValue *values = g_new0 (GEnumValue, n + 2); /* the type refers to it for ever */

    values[0] = (GEnumValue){SL_SCENE_EVERY_CLASS, "All in turn, in random order", "every"};
    for (gint i = 0; i < n; i++)
      values[i + 1] = (GEnumValue){i, sl_scene_label (i), sl_scene_label (i)};
    g_once_init_leave (&type, g_enum_register_static ("GstSlTestSrcShape", values));
  }
  return type;
}

void
gst_sl_scene_install (GObjectClass *klass, guint first_id)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;

  gst_type_mark_as_plugin_api (get_class_type (), 0);
  g_object_class_install_property (
      klass, first_id + SEED,
      g_param_spec_uint64 ("seed", "Seed", "Of all that is random: same seed, same pictures", 0,
                           G_MAXUINT64, DEFAULT_SEED, flags));
  g_object_class_install_property (klass, first_id + CLASS,
                                   g_param_spec_enum ("class", "Class", "What is shown",
                                                      get_class_type (), SL_SCENE_EVERY_CLASS,
                                                      flags));
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++) {
    const NumberProp *n = &numbers[i];

    g_object_class_install_property (
        klass, first_id + N_OTHERS + i,
        g_param_spec_double (n->name, n->nick, n->blurb, n->min, n->max, n->initial, flags));
  }
}

static gdouble *
get_number (const GstSlScene *self, guint index)
{
  return G_STRUCT_MEMBER_P (self, numbers[index - N_OTHERS].offset);
}

void
gst_sl_scene_init (GstSlScene *self)
{
  *self = (GstSlScene){.scene = {.seed = DEFAULT_SEED, .klass = SL_SCENE_EVERY_CLASS}};
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    *get_number (self, N_OTHERS + i) = numbers[i].initial;
}

void
gst_sl_scene_set (GstSlScene *self, guint index, const GValue *value)
{
  if (index == SEED)
    self->scene.seed = g_value_get_uint64 (value);
  else if (index == CLASS)
    self->scene.klass = g_value_get_enum (value);
  else
    *get_number (self, index) = g_value_get_double (value);
}

void
gst_sl_scene_get (const GstSlScene *self, guint index, GValue *ret_value)
{
  if (index == SEED)
    g_value_set_uint64 (ret_value, self->scene.seed);
  else if (index == CLASS)
    g_value_set_enum (ret_value, self->scene.klass);
  else
    g_value_set_double (ret_value, *get_number (self, index));
}

SlScene
gst_sl_scene_resolve (const GstSlScene *self)
{
  SlScene scene = self->scene;
  gdouble *parts[] = {&scene.difficulty.clutter, &scene.difficulty.dimness, &scene.difficulty.blur,
                      &scene.difficulty.noise};

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    if (*parts[i] < 0)
      *parts[i] = self->difficulty;
  return scene;
}
