#include "gstslsteps.h"

#include <gst/gsttracerrecord.h>

struct _GstSlSteps {
  GstTracer parent;
};

G_DEFINE_FINAL_TYPE (GstSlSteps, gst_sl_steps, GST_TYPE_TRACER)

static gint n_tracers;
static GstTracerRecord *record;

gboolean
gst_sl_steps_is_active (void)
{
  return g_atomic_int_get (&n_tracers) > 0;
}

/* The record puts strings into its text as they are, but names are anything: quoted, if it takes
 * that to read them again. */
static gchar *
quote (const gchar *text)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_STRING);
  g_value_set_string (&value, text);
  return gst_value_serialize (&value);
}

void
gst_sl_steps_log (GstElement *element, SlProgram *program, guint64 frame, const guint64 *ns)
{
  const gchar *device = sl_program_get_device (program)->id;
  guint n = sl_program_get_n_steps (program);
  g_autofree gchar *name = quote (GST_OBJECT_NAME (element));

  if (!gst_sl_steps_is_active ())
    return;
  for (guint i = 0; i < n; i++) {
    g_autofree gchar *layer_name = NULL;
    SlStepInfo step;
    SlLayer layer;

    sl_program_get_step (program, i, &step);
    sl_program_get_layer (program, step.layer, &layer);
    layer_name = quote (layer.name);
    gst_tracer_record_log (record, name, device, frame, i, layer_name, layer.op, step.kernel,
                           ns[i]);
  }
}

static void
ignore (void)
{
}

/* GStreamer keeps a tracer alive for the hooks that it has, and by nothing else. */
static void
gst_sl_steps_init (GstSlSteps *self)
{
  gst_tracing_register_hook (GST_TRACER (self), "element-new", G_CALLBACK (ignore));
  g_atomic_int_inc (&n_tracers);
}

static void
gst_sl_steps_finalize (GObject *object)
{
  g_atomic_int_add (&n_tracers, -1);
  G_OBJECT_CLASS (gst_sl_steps_parent_class)->finalize (object);
}

/* The description of a field, as gst_tracer_record_new() takes it. */
static GstStructure *
field (GType type, GstTracerValueScope scope, const gchar *description)
{
  return gst_structure_new ("value", "type", G_TYPE_GTYPE, type, "description", G_TYPE_STRING,
                            description, "related-to", GST_TYPE_TRACER_VALUE_SCOPE, scope, NULL);
}

static void
gst_sl_steps_class_init (GstSlStepsClass *klass)
{
  const GstTracerValueScope element = GST_TRACER_VALUE_SCOPE_ELEMENT,
                            process = GST_TRACER_VALUE_SCOPE_PROCESS;

  G_OBJECT_CLASS (klass)->finalize = gst_sl_steps_finalize;
  record = gst_tracer_record_new (
      "slsteps.class", "element", GST_TYPE_STRUCTURE,
      field (G_TYPE_STRING, element, "the element whose network it is"), "device",
      GST_TYPE_STRUCTURE, field (G_TYPE_STRING, process, "what it runs on"), "frame",
      GST_TYPE_STRUCTURE, field (G_TYPE_UINT64, element, "number of the frame"), "step",
      GST_TYPE_STRUCTURE, field (G_TYPE_UINT, element, "number of the step, in order"), "layer",
      GST_TYPE_STRUCTURE, field (G_TYPE_STRING, element, "name of the layer that it is of"), "op",
      GST_TYPE_STRUCTURE, field (G_TYPE_STRING, element, "the layer's operator"), "kernel",
      GST_TYPE_STRUCTURE, field (G_TYPE_STRING, element, "what computes it"), "time",
      GST_TYPE_STRUCTURE, field (G_TYPE_UINT64, element, "nanoseconds that it took"), NULL);
  GST_OBJECT_FLAG_SET (record, GST_OBJECT_FLAG_MAY_BE_LEAKED);
}
