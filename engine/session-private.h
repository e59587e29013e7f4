/* A program from inside: program.c makes it, program_info.c and run.c use it; and what layers above
 * the session make of a model's graph. */
#pragma once

#include "plan/backend.h"

#include <sightline/program.h>

/* What a program is about to take, known before memory for it is refused. */
typedef struct SlProgramCost {
  guint64 run_bytes; /* that sl_run_new() allocates; 0: it did not come to that */
  double flops;      /* SlProgramInfo's */
} SlProgramCost;

struct SlProgram {
  gatomicrefcount refs;
  gint in_flight; /* atomic: runs that are submitted */
  SlModel *model;
  const SlDevice *device;
  const SlBackend *backend;
  SlPlan *plan;
  void *compiled;
  GArray *inputs, *outputs; /* SlPort */
  GArray *layers;           /* SlLayer; strings interned in `strings` */
  GArray *steps;            /* SlStepInfo */
  GArray *passes;           /* SlPassInfo */
  GStringChunk *strings;
  SlProgramCost cost;
  GPtrArray *host_variables; /* SlTensor, the plan's: to be brought up to date for the backend */
};

/* A private copy of the model's graph, as a program with these options begins with it: inputs'
 * shapes set, all others inferred, what depends on constants alone folded (by way of the model's
 * store), what no output needs gone. Values keep the names that the file gave them. */
SlGraph *sl_session_open_graph (SlModel *model, const SlProgramOptions *options, GError **error);

/* The bytes that a run may take: as asked, 0 for what the environment says, or the default. */
gboolean sl_session_get_memory_limit (guint64 asked, guint64 *ret, GError **error);

/* sl_program_new(), which says what it makes; *ret_cost is set on failure, too. */
SlProgram *sl_session_new_program (SlModel *model, const SlProgramOptions *options,
                                   SlProgramCost *ret_cost, GError **error);

/* What sl_run_new() allocates. */
guint64 sl_session_get_run_bytes (SlProgram *program);

/* How a program was planned, for checks of the plan. */
const SlPlan *sl_session_get_plan (SlProgram *program);

/* Fills layers and steps from the plan. */
void sl_session_list_layers (SlProgram *program);
