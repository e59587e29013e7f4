/* Loads a model beside the streaming thread and tells the bus how it goes. */
#pragma once

#include <gst/gst.h>
#include <sightline-gst/classifier.h>

/* What a load needs to know, as the properties state it; strings may be NULL. */
typedef struct GstSlLoadSettings {
  gchar *model_file; /* NULL: the environment's, else the built-in network */
  gchar *label_file;
  gchar *preprocess_file;
  gchar *device;
  guint threads;     /* 0: all */
  gchar **overrides; /* "key=value", NULL-ended: beat every other source of preprocessing rules */
} GstSlLoadSettings;

void gst_sl_load_settings_clear (GstSlLoadSettings *settings);

/* Everything that a load made; lives until gst_sl_loader_stop(). */
typedef struct GstSlLoaded {
  SlModel *model;
  SlModelRules *rules;
  SlClassifier *classifier;
} GstSlLoaded;

/* Both are called in the loading thread. */
typedef struct GstSlLoaderFuncs {
  /* The model is read, but not compiled: what else is wanted of it? FALSE with an error. */
  gboolean (*prepare) (GstElement *element, SlModel *model, SlClassifierOptions *options,
                       GError **error);
  /* All went well; nobody who waits is woken yet. */
  void (*loaded) (GstElement *element, const GstSlLoaded *loaded);
} GstSlLoaderFuncs;

typedef enum {
  GST_SL_LOAD_NONE,
  GST_SL_LOAD_RUNNING,
  GST_SL_LOAD_DONE,
  GST_SL_LOAD_FAILED
} GstSlLoadState;

/* Embedded in its element. start and stop are for the thread that changes the state; the rest for
 * any. */
typedef struct GstSlLoader {
  GstElement *element; /* not a reference: the loader is a part of it */
  const GstSlLoaderFuncs *funcs;
  GstSlLoadSettings settings;
  guint n_slots;
  GThread *thread;
  gint cancelled; /* atomic */

  GMutex lock; /* of what follows */
  GCond changed;
  GstSlLoadState state;
  gboolean flushing;
  GstSlLoaded loaded;
} GstSlLoader;

void gst_sl_loader_init (GstSlLoader *loader, GstElement *element, const GstSlLoaderFuncs *funcs);
void gst_sl_loader_clear (GstSlLoader *loader);

/* Posts PROGRESS start and begins; takes over what `settings` holds. The classifier will have
 * `n_slots`. */
void gst_sl_loader_start (GstSlLoader *loader, GstSlLoadSettings *settings, guint n_slots);

/* Cancels a load that is under way, waits for its thread (at most the stage it is in), frees what
 * was made. */
void gst_sl_loader_stop (GstSlLoader *loader);

/* While flushing, nobody waits. */
void gst_sl_loader_set_flushing (GstSlLoader *loader, gboolean flushing);

/* Waits for the end of the load. OK with *ret_loaded; FLUSHING; or ERROR, which is on the bus
 * already. */
GstFlowReturn gst_sl_loader_wait (GstSlLoader *loader, const GstSlLoaded **ret_loaded);

/* The same without waiting: OK with *ret_loaded NULL while the load is under way. */
GstFlowReturn gst_sl_loader_peek (GstSlLoader *loader, const GstSlLoaded **ret_loaded);
