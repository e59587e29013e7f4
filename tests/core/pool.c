#include "core/pool.h"
#include "core/cpus.h"

#include <glib/gstdio.h>

#include <fenv.h>
#include <float.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define N_THREADS 8 /* set in main(): the tests need threads even where there is one core */
#define PATIENCE_US (20 * G_USEC_PER_SEC)

/* Counts the visits of every tile and checks that a slot is used by one thread at a time. */
typedef struct Visits {
  atomic_uchar *tiles;
  size_t n_tiles;
  unsigned max_threads;
  atomic_bool busy[SL_POOL_MAX_THREADS];
} Visits;

static void
visit (void *data, unsigned slot, size_t first, size_t last)
{
  Visits *visits = data;
  g_assert_cmpuint (slot, <, visits->max_threads);
  g_assert_cmpuint (first, <, last);
  g_assert_cmpuint (last, <=, visits->n_tiles);
  g_assert_false (atomic_exchange (&visits->busy[slot], true));
  for (size_t i = first; i < last; i++)
    atomic_fetch_add (&visits->tiles[i], 1);
  g_assert_true (atomic_exchange (&visits->busy[slot], false));
}

static void
run_visits (size_t n_tiles, unsigned max_threads)
{
  Visits visits = {.n_tiles = n_tiles, .max_threads = max_threads ? max_threads : N_THREADS};
  visits.tiles = g_new0 (atomic_uchar, n_tiles + 1);
  sl_pool_run (n_tiles, max_threads, visit, &visits);
  for (size_t i = 0; i < n_tiles; i++)
    g_assert_cmpuint (visits.tiles[i], ==, 1);
  g_free (visits.tiles);
}

static void
test_each_tile_once (void)
{
  static const size_t sizes[] = {0, 1, 2, 3, 7, 8, 9, 63, 64, 65, 1000, 12345};
  for (int round = 0; round < 20; round++)
    for (size_t i = 0; i < G_N_ELEMENTS (sizes); i++)
      for (unsigned threads = 0; threads <= N_THREADS; threads++)
        run_visits (sizes[i], threads);
}

/* Each tile waits for the others, so this ends only if `n` threads are in the loop at once. */
typedef struct Meeting {
  atomic_uint arrived;
  unsigned expected;
  atomic_bool missed;
} Meeting;

static void
meet (void *data, unsigned slot, size_t first, size_t last)
{
  Meeting *meeting = data;
  atomic_fetch_add (&meeting->arrived, (unsigned)(last - first));
  gint64 end = g_get_monotonic_time () + PATIENCE_US;
  while (atomic_load (&meeting->arrived) < meeting->expected && !atomic_load (&meeting->missed)) {
    g_usleep (100);
    if (g_get_monotonic_time () > end)
      atomic_store (&meeting->missed, true);
  }
}

static bool
everybody_comes (unsigned n)
{
  Meeting meeting = {.expected = n};
  sl_pool_run (n, n, meet, &meeting);
  return !meeting.missed;
}

static void
test_takes_part (void)
{
  g_assert_cmpuint (sl_pool_get_threads (), ==, N_THREADS);
  g_assert_true (everybody_comes (2));
  g_assert_true (everybody_comes (N_THREADS));
  g_usleep (10000); /* all asleep */
  g_assert_true (everybody_comes (N_THREADS));
}

static void
note_thread (void *data, unsigned slot, size_t first, size_t last)
{
  g_assert_cmpuint (slot, ==, 0);
  g_assert_true (data == g_thread_self ());
}

static void
test_one_thread (void)
{
  sl_pool_run (100, 1, note_thread, g_thread_self ());
}

static gpointer
run_many (gpointer unused)
{
  for (int i = 0; i < 500; i++)
    run_visits (1 + (size_t)i % 97, 0);
  return NULL;
}

static void
test_several_loops (void)
{
  GThread *threads[6];
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("caller", run_many, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

typedef struct Nest {
  unsigned depth, width;
  atomic_size_t *leaves;
} Nest;

static void
nest (void *data, unsigned slot, size_t first, size_t last)
{
  const Nest *outer = data;
  for (size_t i = first; i < last; i++) {
    if (outer->depth == 0) {
      atomic_fetch_add (outer->leaves, 1);
    } else {
      Nest inner = {outer->depth - 1, outer->width, outer->leaves};
      sl_pool_run (outer->width, 0, nest, &inner);
    }
  }
}

static void
test_nested (void)
{
  atomic_size_t leaves = 0;
  Nest top = {.depth = 3, .width = 9, .leaves = &leaves};
  nest (&top, 0, 0, 1);
  g_assert_cmpuint (leaves, ==, 9 * 9 * 9);
}

static void
dig (void *data, unsigned slot, size_t first, size_t last)
{
  const Nest *outer = data;
  for (size_t i = first; i < last; i++) {
    atomic_fetch_add (outer->leaves, 1);
    Nest inner = {outer->depth - 1, 2, outer->leaves};
    if (i == 0 && outer->depth)
      sl_pool_run (2, 2, dig, &inner);
  }
}

/* Deeper than the pool has room for loops: the innermost run on their callers alone. */
static void
test_deeply_nested (void)
{
  atomic_size_t leaves = 0;
  Nest top = {.depth = 200, .leaves = &leaves};
  sl_pool_run (2, 2, dig, &top);
  g_assert_cmpuint (leaves, ==, 2 * 201);
}

static double
cpu_seconds (void)
{
  struct timespec t;
  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void
test_idle_costs_nothing (void)
{
  g_assert_true (everybody_comes (N_THREADS));
  g_usleep (50000);
  double before = cpu_seconds ();
  g_usleep (300000);
  g_assert_cmpfloat (cpu_seconds () - before, <, 0.01);
}

static void
check_arithmetic (void *data, unsigned slot, size_t first, size_t last)
{
  volatile float one = 1.0f, tiny = 0x1p-30f, least = FLT_MIN;
  g_assert_true (one + tiny == one);
#if defined(__x86_64__) || defined(__aarch64__)
  g_assert_true (least * 0.5f == 0.0f);
#else
  (void)least;
#endif
  meet (data, slot, first, last);
}

static void
test_float_environment (void)
{
  g_assert_cmpint (fesetround (FE_UPWARD), ==, 0);
  for (unsigned n = 1; n <= N_THREADS; n += N_THREADS - 1) {
    Meeting meeting = {.expected = n};
    sl_pool_run (n, n, check_arithmetic, &meeting);
    g_assert_false (meeting.missed);
    volatile float one = 1.0f, tiny = 0x1p-30f, least = FLT_MIN;
    g_assert_true (one + tiny > one);
    g_assert_true (least * 0.5f > 0.0f);
  }
  fesetround (FE_TONEAREST);
}

static void
test_fork (void)
{
#if defined(__SANITIZE_THREAD__)
  g_test_skip ("the thread sanitizer allows no threads in a forked child");
  return;
#endif
  g_assert_true (everybody_comes (N_THREADS));
  pid_t child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    _exit (everybody_comes (N_THREADS) ? 0 : 1);

  int status;
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
  g_assert_true (everybody_comes (N_THREADS));
}

static guint
count_threads (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/task", 0, NULL);
  guint n = 0;
  while (dir && g_dir_read_name (dir))
    n++;
  return n;
}

static void
test_shutdown (void)
{
  sl_pool_shutdown ();
  guint before = count_threads ();
  sl_pool_run (4, 1, visit,
               &(Visits){.tiles = (atomic_uchar[4]){0}, .n_tiles = 4, .max_threads = 1});
  g_assert_cmpuint (count_threads (), ==, before); /* started when needed, not before */
  g_assert_true (everybody_comes (N_THREADS));
  g_assert_cmpuint (count_threads (), ==, before + N_THREADS - 1);
  sl_pool_shutdown ();
  sl_pool_shutdown ();
  g_assert_cmpuint (count_threads (), <=, before);
  g_assert_true (everybody_comes (N_THREADS));
}

static void
test_bad_setting (gconstpointer text)
{
  if (g_test_subprocess ()) {
    g_setenv ("SIGHTLINE_THREADS", text, TRUE);
    g_test_expect_message (G_LOG_DOMAIN, G_LOG_LEVEL_WARNING, "*SIGHTLINE_THREADS=*");
    unsigned n = sl_pool_get_threads ();
    g_test_assert_expected_messages ();
    g_assert_cmpuint (n, ==, MIN (sl_cpus_available (""), SL_POOL_MAX_THREADS));
    return;
  }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
}

typedef struct FakeFile {
  const char *path, *text;
} FakeFile;

static unsigned
quota_of (const FakeFile *files, gsize n)
{
  g_autofree char *root = g_dir_make_tmp ("sightline-cgroup-XXXXXX", NULL);
  for (gsize i = 0; i < n; i++) {
    g_autofree char *path = g_build_filename (root, files[i].path, NULL);
    g_autofree char *folder = g_path_get_dirname (path);
    g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
    g_assert_true (g_file_set_contents (path, files[i].text, -1, NULL));
  }
  unsigned quota = sl_cpus_quota (root);

  for (gsize i = 0; i < n; i++) {
    g_autofree char *path = g_build_filename (root, files[i].path, NULL);
    g_remove (path);
    while (strlen (path) > strlen (root)) {
      *strrchr (path, '/') = '\0';
      g_rmdir (path);
    }
  }
  return quota;
}

#define QUOTA_OF(...) \
  quota_of ((FakeFile[]){__VA_ARGS__}, sizeof (FakeFile[]){__VA_ARGS__} / sizeof (FakeFile))

static void
test_cgroup_v2 (void)
{
  const FakeFile group = {"proc/self/cgroup", "0::/a/b\n"};
  const FakeFile unlimited = {"sys/fs/cgroup/a/b/cpu.max", "max 100000\n"};

  g_assert_cmpuint (QUOTA_OF (group), ==, 0);
  g_assert_cmpuint (QUOTA_OF (group, unlimited), ==, 0);
  g_assert_cmpuint (QUOTA_OF (group, {"sys/fs/cgroup/a/b/cpu.max", "200000 100000\n"}), ==, 2);
  g_assert_cmpuint (QUOTA_OF (group, {"sys/fs/cgroup/a/b/cpu.max", "150000 100000\n"}), ==, 2);
  g_assert_cmpuint (QUOTA_OF (group, {"sys/fs/cgroup/a/b/cpu.max", "1000 100000\n"}), ==, 1);
  /* a parent's quota binds too */
  g_assert_cmpuint (QUOTA_OF (group, unlimited, {"sys/fs/cgroup/a/cpu.max", "300000 100000\n"}), ==,
                    3);
  /* a container: the group's path is the host's, its quota stands at the mount's root */
  g_assert_cmpuint (QUOTA_OF (group, {"sys/fs/cgroup/cpu.max", "400000 100000\n"}), ==, 4);
  g_assert_cmpuint (
      QUOTA_OF ({"proc/self/cgroup", "0::/\n"}, {"sys/fs/cgroup/cpu.max", "500000 100000\n"}), ==,
      5);
}

static void
test_cgroup_v1 (void)
{
  const FakeFile group = {"proc/self/cgroup",
                          "9:cpuset:/x\n4:cpu,cpuacct:/docker/1\n1:name=systemd:/x\n"};
  const FakeFile period = {"sys/fs/cgroup/cpu/docker/1/cpu.cfs_period_us", "50000\n"};

  g_assert_cmpuint (
      QUOTA_OF (group, period, {"sys/fs/cgroup/cpu/docker/1/cpu.cfs_quota_us", "-1\n"}), ==, 0);
  g_assert_cmpuint (
      QUOTA_OF (group, period, {"sys/fs/cgroup/cpu/docker/1/cpu.cfs_quota_us", "150000\n"}), ==, 3);
}

int
main (int argc, char **argv)
{
  g_setenv ("SIGHTLINE_THREADS", G_STRINGIFY (N_THREADS), TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/pool/each-tile-once", test_each_tile_once);
  g_test_add_func ("/core/pool/takes-part", test_takes_part);
  g_test_add_func ("/core/pool/one-thread", test_one_thread);
  g_test_add_func ("/core/pool/several-loops", test_several_loops);
  g_test_add_func ("/core/pool/nested", test_nested);
  g_test_add_func ("/core/pool/deeply-nested", test_deeply_nested);
  g_test_add_func ("/core/pool/idle-costs-nothing", test_idle_costs_nothing);
  g_test_add_func ("/core/pool/float-environment", test_float_environment);
  g_test_add_func ("/core/pool/fork", test_fork);
  g_test_add_func ("/core/pool/shutdown", test_shutdown);
  g_test_add_data_func ("/core/pool/bad-setting-word", "many", test_bad_setting);
  g_test_add_data_func ("/core/pool/bad-setting-zero", "0", test_bad_setting);
  g_test_add_func ("/core/pool/cgroup-v2", test_cgroup_v2);
  g_test_add_func ("/core/pool/cgroup-v1", test_cgroup_v1);
  return g_test_run ();
}
