/* Where the time of a run goes: each step timed over many runs. */
#pragma once

#include <json-glib/json-glib.h>
#include <sightline/sightline.h>

typedef struct ToolProfile ToolProfile;

ToolProfile *tool_profile_new (SlProgram *program);
void tool_profile_free (ToolProfile *profile);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ToolProfile, tool_profile_free)

/* Executes once more and keeps the steps' times. FALSE as sl_run_execute(), but NaN and infinity,
 * which noise may well give, are no error. */
gboolean tool_profile_run (ToolProfile *profile, SlRun *run, GError **error);

/* TRUE if it holds as many runs as it ever will. */
gboolean tool_profile_is_full (const ToolProfile *profile);

/* Two tables on standard output: steps in the order of computation, and the time by kernel. */
void tool_profile_print (ToolProfile *profile);

/* Adds the member "steps" to the open object. */
void tool_profile_add_json (ToolProfile *profile, JsonBuilder *builder);
