/* The commands of `sightline`. Each lives in its own cmd_NAME.c, which ends with the record of
 * itself. */
#pragma once

#include <glib.h>

/* Exit statuses, the same for all commands. */
enum {
  TOOL_OK = 0,     /* everything asked for was done */
  TOOL_FAILED = 1, /* something was not; standard error says what */
  TOOL_USAGE = 2   /* the command line is wrong; nothing was done */
};

typedef struct Command {
  const char *name;
  const char *summary;                /* half a line, for the list of commands */
  int (*run) (int argc, char **argv); /* argv[0] is the command's name; returns an exit status */
} Command;

extern const Command cmd_annotate, cmd_bench, cmd_check, cmd_classify, cmd_data, cmd_devices,
    cmd_evaluate, cmd_heatmap, cmd_inspect, cmd_train;
