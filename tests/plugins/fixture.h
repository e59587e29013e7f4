/* Elements in a harness with a bus of their own, and frames of one colour. */
#pragma once

#include "tiny-model.h"

#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include <sightline-gst/label-meta.h>

#define RED 0xff0000
#define GREEN 0x00ff00
#define BLUE 0x0000ff
#define BLACK 0x000000

/* Values of late-policy and attach. */
enum { LATE_AUTO, LATE_BLOCK, LATE_LATEST, LATE_SKIP };
enum { ATTACH_LAST, ATTACH_FRESH };

/* A folder that lives as long as the test program. */
extern gchar *fixture_folder;

/* g_test_init, gst_init, folder; and the way back around g_test_run(). */
void fixture_init (int *argc, char ***argv);
int fixture_run (void);

typedef struct Fixture {
  GstElement *element;
  GstBus *bus;
  GstHarness *harness; /* playing */
  GstVideoInfo info;   /* of the caps set last */
} Fixture;

/* An element with properties (name, value …, NULL), playing in a harness. */
Fixture *fixture_new (const gchar *factory, const gchar *first_property, ...);
/* The same with a model of these flags for model-file. */
Fixture *fixture_new_infer (TinyFlags flags, const gchar *first_property, ...);
/* The same with an element that is there already, whose reference it takes over. */
Fixture *fixture_wrap (GstElement *element);
void fixture_free (Fixture *fixture);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Fixture, fixture_free)

/* Sets caps at the sink pad: video/x-raw, and `rest` behind it unless NULL. */
void fixture_set_caps (Fixture *fixture, const gchar *format, gint width, gint height,
                       const gchar *rest);

/* A frame of the caps, all of one colour, with the n-th timestamp at 25 frames a second. */
GstBuffer *fixture_frame (Fixture *fixture, guint32 rgb, guint n);

/* Pushes such a frame and pulls what comes out. */
GstBuffer *fixture_process (Fixture *fixture, guint32 rgb, guint n);

/* The smallest box around pixels of plane 0 that differ from a plain frame's; FALSE if none does.
 */
gboolean fixture_find_change (Fixture *fixture, GstBuffer *buffer, guint32 rgb,
                              GstVideoRectangle *ret);

/* The class that comes first in the buffer's labels; TINY_CLASSES if it carries none. */
guint fixture_best (GstBuffer *buffer);

/* Waits (10 s) for a message of the types; NULL if there was none. */
GstMessage *fixture_wait (Fixture *fixture, GstMessageType types);

/* Waits for an error message and checks its domain and code, and that its text has `part`. */
void fixture_expect_error (Fixture *fixture, GQuark domain, gint code, const gchar *part);
