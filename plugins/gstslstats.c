#include "gstslstats.h"

void
gst_sl_stats_add_run (GstSlStats *self, GstClockTime time)
{
  self->time_min = self->inferred > 0 ? MIN (self->time_min, time) : time;
  self->time_max = MAX (self->time_max, time);
  self->time_last = time;
  self->time_sum += time;
  self->inferred++;
}

void
gst_sl_stats_add_age (GstSlStats *self, guint64 age)
{
  self->age_last = age;
  self->age_max = MAX (self->age_max, age);
}

GstStructure *
gst_sl_stats_describe (const GstSlStats *self, GstClockTime latency, GstSlLatePolicy policy)
{
  g_autoptr (GEnumClass) policies = g_type_class_ref (GST_TYPE_SL_LATE_POLICY);
  GstClockTime average = self->inferred > 0 ? self->time_sum / self->inferred : 0;

  return gst_structure_new (
      "stats", "frames", G_TYPE_UINT64, self->frames, "inferred", G_TYPE_UINT64, self->inferred,
      "skipped", G_TYPE_UINT64, self->skipped, "errors", G_TYPE_UINT64, self->errors, "time-last",
      G_TYPE_UINT64, self->time_last, "time-average", G_TYPE_UINT64, average, "time-min",
      G_TYPE_UINT64, self->time_min, "time-max", G_TYPE_UINT64, self->time_max, "age-last",
      G_TYPE_UINT64, self->age_last, "age-max", G_TYPE_UINT64, self->age_max, "latency",
      G_TYPE_UINT64, latency, "policy", G_TYPE_STRING,
      g_enum_get_value (policies, policy)->value_nick, "copy-path", G_TYPE_STRING,
      self->copy_path ? self->copy_path : "none", NULL);
}
