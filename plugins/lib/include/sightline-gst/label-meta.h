/* Class labels of a frame, as buffer metadata that survives conversion, scaling, cropping and
 * flipping. */
#pragma once

#include <gst/gst.h>
#include <sightline/error.h>

G_BEGIN_DECLS

/* Raised when fields change meaning; readers refuse what is newer than they know. */
#define SL_LABEL_META_VERSION 1

#define SL_LABEL_META_API_TYPE (sl_label_meta_api_get_type ())
#define SL_LABEL_META_INFO (sl_label_meta_get_info ())

typedef struct SlLabel {
  guint index;  /* class number in the network's output */
  gfloat score; /* 0 … 1 where the rules make probabilities */
  gchar *label; /* never NULL: the number as text where nobody gave labels */
} SlLabel;

/* A buffer may carry several, one for each producing element. Tag-less: labels hold for the whole
 * frame and stay true under scaling and cropping. Read-only once attached. */
typedef struct SlLabelMeta {
  GstMeta meta;
  guint version;
  gchar *producer; /* name of the element */
  gchar *model;    /* SHA-256 of the model file, hexadecimal; NULL: the truth (a synthetic source, a
                      person), not a network's result */
  guint64 frame;   /* count of frames since stream start that the result was computed on */
  GstClockTime pts; /* of that frame, GST_CLOCK_TIME_NONE if it had none */
  guint64 age;      /* frames between that frame and this one; 0: this very one */
  gboolean fresh;   /* first buffer that carries this result */
  guint n_labels;
  SlLabel *labels; /* best first */
} SlLabelMeta;

SL_API GType sl_label_meta_api_get_type (void);
SL_API const GstMetaInfo *sl_label_meta_get_info (void);

/* Adds an empty one (fresh, age 0); `producer` and `model` are copied, `model` may be NULL. The
 * buffer must be writable (its memory need not be). */
SL_API SlLabelMeta *sl_buffer_add_label_meta (GstBuffer *buffer, const gchar *producer,
                                              const gchar *model);
/* Appends a label; the text is copied. */
SL_API void sl_label_meta_append (SlLabelMeta *meta, guint index, gfloat score, const gchar *label);
/* The last one of a named producer; `producer` NULL: the last one that a network made, else the
 * last one. NULL if there is none. */
SL_API SlLabelMeta *sl_buffer_get_label_meta (GstBuffer *buffer, const gchar *producer);

/* Label number `i`, the meta's; NULL beyond the last. For languages that cannot index `labels`. */
SL_API const SlLabel *sl_label_meta_get_label (const SlLabelMeta *meta, guint i);

G_END_DECLS
