/* A disk that fails: what a program asks of the file system goes through here, is counted, and may
 * be refused, done in part, or be the last that the program does. The functions take the place of
 * libc's by their names (open, write, fsync, rename …), in this program alone. */
#pragma once

#include <glib.h>

typedef enum {
  DISK_GOOD,
  DISK_KILL,  /* the process ends before the call, as by SIGKILL */
  DISK_ERROR, /* the call fails */
  DISK_FULL,  /* this call and all that want room after it fail with ENOSPC */
  DISK_SHORT  /* a write writes half of what it was given */
} DiskFault;

typedef struct DiskPlan {
  DiskFault fault;
  guint call;     /* which one, from 0 on */
  int error;      /* for DISK_ERROR */
  char only;      /* 0: of all calls; else of those with this letter, as in DiskRecord */
  gboolean keeps; /* records what is done */
} DiskPlan;

/* One call that changed something; those that failed are not recorded. */
typedef struct DiskRecord {
  char op;         /* 'c'reate, 'w'rite, 's'ync, sync of a 'f'older, 'r'ename, 'u'nlink, c'l'ose;
                      'm'ark: put there by the test */
  int file;        /* number of the file, by creation; -1: none */
  char *name, *to; /* last part of a path */
  GBytes *content; /* of a write */
  guint64 mark;
} DiskRecord;

/* From here on calls count. */
void disk_start (const DiskPlan *plan);
/* Back to the good disk; returns how many calls were counted. */
guint disk_stop (void);
/* What was recorded (DiskRecord), from the last disk_start() on. Up to the next. */
const GArray *disk_get_records (void);
void disk_mark (guint64 mark);
