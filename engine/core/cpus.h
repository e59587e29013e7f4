/* How many CPUs this process may use. */
#pragma once

/* The main thread's affinity mask, lowered to the CPU quota of the process's control groups
 * (versions 1 and 2, every ancestor), rounded up. At least 1. `root` is prefixed to /proc and /sys:
 * "" outside of tests. */
unsigned sl_cpus_available (const char *root);

/* The quota alone, rounded up; 0 if there is none. */
unsigned sl_cpus_quota (const char *root);
