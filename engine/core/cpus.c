#include "core/cpus.h"

#include <glib.h>

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* CPUs in `quota` of `period` microseconds, rounded up: with 1.5 CPUs a second thread still helps
 * between throttlings, and a pipeline at rest does not reach its quota at all. */
static unsigned
quota_to_cpus (gint64 quota, gint64 period)
{
  if (quota <= 0 || period <= 0)
    return 0;
  return (unsigned)MIN ((quota - 1) / period + 1, G_MAXINT);
}

/* "max 100000" or "150000 100000" */
static unsigned
read_v2 (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, "cpu.max", NULL);
  g_autofree char *text = NULL;
  gint64 quota, period;
  if (!g_file_get_contents (path, &text, NULL, NULL) ||
      sscanf (text, "%" G_GINT64_FORMAT " %" G_GINT64_FORMAT, &quota, &period) != 2)
    return 0;
  return quota_to_cpus (quota, period);
}

static gint64
read_number (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *text = NULL;
  return g_file_get_contents (path, &text, NULL, NULL) ? g_ascii_strtoll (text, NULL, 10) : 0;
}

static unsigned
read_v1 (const char *folder)
{
  return quota_to_cpus (read_number (folder, "cpu.cfs_quota_us"),
                        read_number (folder, "cpu.cfs_period_us"));
}

/* The least quota of `group` and its ancestors. Inside a container the path may name a folder of
 * the host that is not mounted here; the mount's own root, visited last, is then the container's
 * group. */
static unsigned
least_quota (const char *mount, const char *group, unsigned (*read_one) (const char *folder))
{
  g_autofree char *path = g_strdup (group);
  unsigned least = 0;
  for (;;) {
    g_autofree char *folder = g_build_filename (mount, path, NULL);
    unsigned cpus = read_one (folder);
    if (cpus && (!least || cpus < least))
      least = cpus;
    char *slash = strrchr (path, '/');
    if (!slash)
      return least;
    *slash = '\0';
  }
}

static gboolean
has_cpu_controller (const char *controllers)
{
  g_auto (GStrv) names = g_strsplit (controllers, ",", -1);
  return g_strv_contains ((const char *const *)names, "cpu");
}

unsigned
sl_cpus_quota (const char *root)
{
  g_autofree char *table = g_strconcat (root, "/proc/self/cgroup", NULL);
  g_autofree char *v2_mount = g_strconcat (root, "/sys/fs/cgroup", NULL);
  g_autofree char *v1_mount = g_strconcat (root, "/sys/fs/cgroup/cpu", NULL);
  g_autofree char *text = NULL;
  if (!g_file_get_contents (table, &text, NULL, NULL))
    return 0;

  unsigned least = 0;
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line; line++) {
    /* hierarchy:controllers:path; version 2 has hierarchy 0 and no controllers */
    g_auto (GStrv) fields = g_strsplit (*line, ":", 3);
    if (g_strv_length (fields) != 3)
      continue;
    unsigned cpus = 0;
    if (!*fields[1])
      cpus = least_quota (v2_mount, fields[2], read_v2);
    else if (has_cpu_controller (fields[1]))
      cpus = least_quota (v1_mount, fields[2], read_v1);
    if (cpus && (!least || cpus < least))
      least = cpus;
  }
  return least;
}

unsigned
sl_cpus_available (const char *root)
{
  /* The main thread's mask, not the caller's: a streaming thread pinned to one core says nothing
   * about the process. */
  cpu_set_t set;
  long n = sched_getaffinity (getpid (), sizeof set, &set) == 0 ? CPU_COUNT (&set)
                                                                : sysconf (_SC_NPROCESSORS_ONLN);
  unsigned cpus = (unsigned)MAX (n, 1);
  unsigned quota = sl_cpus_quota (root);
  return quota ? MIN (cpus, quota) : cpus;
}
