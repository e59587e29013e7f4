#include "gstslloader.h"

#include "gstslerror.h"

#include <sightline-gst/shared-model.h>

void
gst_sl_load_settings_clear (GstSlLoadSettings *settings)
{
  g_free (settings->model_file);
  g_free (settings->label_file);
  g_free (settings->preprocess_file);
  g_free (settings->device);
  g_strfreev (settings->overrides);
  *settings = (GstSlLoadSettings){0};
}

static void
loaded_clear (GstSlLoaded *loaded)
{
  /* The classifier reads rules and model. */
  g_clear_pointer (&loaded->classifier, sl_classifier_free);
  g_clear_pointer (&loaded->rules, sl_model_rules_free);
  g_clear_pointer (&loaded->model, sl_model_unref);
}

static void
post_progress (GstSlLoader *loader, GstProgressType type, const gchar *verb)
{
  const gchar *file = loader->settings.model_file;
  g_autofree gchar *text = g_strdup_printf ("%s %s", verb, file ? file : "the default network");

  gst_element_post_message (loader->element, gst_message_new_progress (GST_OBJECT (loader->element),
                                                                       type, "model", text));
}

static gboolean
is_cancelled (GstSlLoader *loader, GError **error)
{
  if (!g_atomic_int_get (&loader->cancelled))
    return FALSE;
  g_set_error_literal (error, SL_ERROR, SL_ERROR_CANCELLED, "loading was cancelled");
  return TRUE;
}

static gboolean
apply_overrides (SlModelRules *rules, gchar **overrides, GError **error)
{
  for (gchar **item = overrides; *item; item++) {
    g_auto (GStrv) pair = g_strsplit (*item, "=", 2);

    if (!sl_model_rules_set (rules, pair[0], pair[1], error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
load (GstSlLoader *loader, GstSlLoaded *ret, GError **error)
{
  const GstSlLoadSettings *settings = &loader->settings;
  SlClassifierOptions options = {.threads = settings->threads, .n_slots = loader->n_slots};

  if (!sl_device_is_auto (settings->device) &&
      !(options.device = sl_device_find (settings->device, error)))
    return FALSE;
  if (is_cancelled (loader, error))
    return FALSE;
  if (!(ret->model = sl_shared_model_load (settings->model_file, error)))
    return FALSE;
  if (is_cancelled (loader, error))
    return FALSE;
  ret->rules =
      sl_model_rules_new (ret->model, settings->preprocess_file, settings->label_file, error);
  if (!ret->rules || !apply_overrides (ret->rules, settings->overrides, error))
    return FALSE;
  if (!loader->funcs->prepare (loader->element, ret->model, &options, error))
    return FALSE;
  ret->classifier = sl_classifier_new (ret->model, ret->rules, &options, error);
  return ret->classifier && !is_cancelled (loader, error);
}

static void
report_failure (GstSlLoader *loader, const GError *error)
{
  if (g_error_matches (error, SL_ERROR, SL_ERROR_CANCELLED)) {
    post_progress (loader, GST_PROGRESS_TYPE_CANCELED, "No longer loading");
    return;
  }
  post_progress (loader, GST_PROGRESS_TYPE_ERROR, "Could not load");
  gst_sl_element_error (loader->element, error, "while loading the model");
}

static gpointer
load_thread (gpointer data)
{
  GstSlLoader *loader = data;
  g_autoptr (GError) error = NULL;
  GstSlLoaded loaded = {0};
  gboolean ok = load (loader, &loaded, &error);

  /* Who waits finds the error on the bus; who is told that all is well finds it so. */
  if (ok)
    loader->funcs->loaded (loader->element, &loaded);
  else
    report_failure (loader, error);

  g_mutex_lock (&loader->lock);
  if (ok)
    loader->loaded = loaded;
  loader->state = ok ? GST_SL_LOAD_DONE : GST_SL_LOAD_FAILED;
  g_cond_broadcast (&loader->changed);
  g_mutex_unlock (&loader->lock);

  if (ok)
    post_progress (loader, GST_PROGRESS_TYPE_COMPLETE, "Loaded");
  else
    loaded_clear (&loaded);
  return NULL;
}

void
gst_sl_loader_init (GstSlLoader *loader, GstElement *element, const GstSlLoaderFuncs *funcs)
{
  *loader = (GstSlLoader){.element = element, .funcs = funcs};
  g_mutex_init (&loader->lock);
  g_cond_init (&loader->changed);
}

void
gst_sl_loader_clear (GstSlLoader *loader)
{
  gst_sl_loader_stop (loader);
  g_cond_clear (&loader->changed);
  g_mutex_clear (&loader->lock);
}

void
gst_sl_loader_start (GstSlLoader *loader, GstSlLoadSettings *settings, guint n_slots)
{
  g_return_if_fail (loader->thread == NULL);

  loader->settings = *settings;
  *settings = (GstSlLoadSettings){0};
  loader->n_slots = n_slots;
  g_atomic_int_set (&loader->cancelled, FALSE);
  loader->state = GST_SL_LOAD_RUNNING;
  loader->flushing = FALSE;
  post_progress (loader, GST_PROGRESS_TYPE_START, "Loading");
  loader->thread = g_thread_new ("sl-load", load_thread, loader);
}

void
gst_sl_loader_stop (GstSlLoader *loader)
{
  if (!loader->thread)
    return;
  g_atomic_int_set (&loader->cancelled, TRUE);
  g_thread_join (g_steal_pointer (&loader->thread));
  loaded_clear (&loader->loaded);
  gst_sl_load_settings_clear (&loader->settings);
  loader->state = GST_SL_LOAD_NONE;
}

void
gst_sl_loader_set_flushing (GstSlLoader *loader, gboolean flushing)
{
  g_mutex_lock (&loader->lock);
  loader->flushing = flushing;
  g_cond_broadcast (&loader->changed);
  g_mutex_unlock (&loader->lock);
}

/* Under the lock. */
static GstFlowReturn
get_loaded (GstSlLoader *loader, const GstSlLoaded **ret_loaded)
{
  *ret_loaded = NULL;
  if (loader->flushing)
    return GST_FLOW_FLUSHING;
  if (loader->state == GST_SL_LOAD_FAILED)
    return GST_FLOW_ERROR;
  if (loader->state == GST_SL_LOAD_DONE)
    *ret_loaded = &loader->loaded;
  return GST_FLOW_OK;
}

GstFlowReturn
gst_sl_loader_wait (GstSlLoader *loader, const GstSlLoaded **ret_loaded)
{
  GstFlowReturn flow;

  g_mutex_lock (&loader->lock);
  while (loader->state == GST_SL_LOAD_RUNNING && !loader->flushing)
    g_cond_wait (&loader->changed, &loader->lock);
  flow = get_loaded (loader, ret_loaded);
  g_mutex_unlock (&loader->lock);
  return flow;
}

GstFlowReturn
gst_sl_loader_peek (GstSlLoader *loader, const GstSlLoaded **ret_loaded)
{
  GstFlowReturn flow;

  g_mutex_lock (&loader->lock);
  flow = get_loaded (loader, ret_loaded);
  g_mutex_unlock (&loader->lock);
  return flow;
}
