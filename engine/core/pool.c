#include "core/pool.h"
#include "core/cpus.h"
#include "core/fpenv.h"
#include "core/memory.h"

#include <glib.h>

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Loops that can be open to workers at once; one more runs on its caller alone. One bit each of a
 * 64-bit mask, so that an idle worker watches a single word. */
#define MAX_LOOPS 64

/* How long a thread polls before it sleeps: longer than the gap between two layers of a network,
 * shorter than what a decoder on the same core would notice. */
#define SPIN_US 50

/* Chunks in a thread's share: a core that somebody else uses for a while then holds up an eighth of
 * it. */
#define CHUNKS_PER_THREAD 8

/* Loop.state: how many threads are in, how many more may join, whether the caller sleeps. */
#define STATE_ACTIVE 0x0000ffffu
#define STATE_SEATS 0x7fff0000u
#define STATE_SEAT 0x00010000u
#define STATE_WAITING 0x80000000u

/* A part of the tiles. Each thread begins with a share of its own, the same one in every loop of so
 * many threads, so that a layer finds what the layer before it wrote in its core's cache. */
typedef struct Share {
  _Alignas(SL_ALIGNMENT) atomic_size_t next; /* first tile that nobody has taken */
  size_t end;
} Share;

typedef struct Loop {
  _Alignas(SL_ALIGNMENT) atomic_uint state;
  SlPoolFunc func;
  void *data;
  size_t n_shares, chunk;
  Share shares[SL_POOL_MAX_THREADS];
} Loop;

/* The loops are static, so that a worker may look at one that has just ended: it cannot join, since
 * the caller took the seats away before it left. */
static struct {
  Loop loops[MAX_LOOPS];
  _Alignas(SL_ALIGNMENT) atomic_ullong used; /* bit i: loops[i] belongs to a caller */
  _Alignas(SL_ALIGNMENT) atomic_ullong open; /* bit i: loops[i] may have a free seat */
  atomic_uint sleepers;
  atomic_uint wake; /* futex of idle workers, changed before each waking */
  atomic_bool quit;
  atomic_uint n_workers;
  bool fork_handled; /* under lock, as are the three below */
  bool start_failed;
  pthread_t workers[SL_POOL_MAX_THREADS];
  pthread_mutex_t lock;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void
futex_wait (atomic_uint *word, unsigned expected)
{
  syscall (SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, NULL, NULL, 0);
}

static void
futex_wake (atomic_uint *word, unsigned n)
{
  syscall (SYS_futex, word, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
}

static inline void
relax (void)
{
#if defined(__x86_64__)
  __builtin_ia32_pause ();
#elif defined(__aarch64__)
  __asm__ volatile("isb"); /* yield is a no-op on most cores */
#endif
}

/* A budget of polling: true for SPIN_US after `*start` was 0. */
static bool
spin (gint64 *start)
{
  for (int i = 0; i < 4; i++)
    relax ();
  gint64 now = g_get_monotonic_time ();
  if (!*start)
    *start = now;
  return now - *start < SPIN_US;
}

/* Takes chunks of the share `home`, then of the others, until none is left; then closes the loop to
 * others. */
static void
work (Loop *loop, unsigned slot, size_t home)
{
  for (size_t i = 0; i < loop->n_shares; i++) {
    Share *share = &loop->shares[(home + i) % loop->n_shares];
    size_t first = atomic_load_explicit (&share->next, memory_order_relaxed);
    while (first < share->end) {
      first = atomic_fetch_add_explicit (&share->next, loop->chunk, memory_order_relaxed);
      if (first < share->end)
        loop->func (loop->data, slot, first, first + MIN (loop->chunk, share->end - first));
    }
  }

  /* We still count as active, so the bit cannot be that of the entry's next user yet. */
  atomic_fetch_and (&loop->state, ~STATE_SEATS);
  atomic_fetch_and (&pool.open, ~(1ull << (loop - pool.loops)));
}

/* Takes a seat of `loop`. Its number is the slot, 0 if there is none. */
static unsigned
join (Loop *loop)
{
  unsigned state = atomic_load (&loop->state);
  while (state & STATE_SEATS)
    if (atomic_compare_exchange_weak (&loop->state, &state, state - STATE_SEAT + 1))
      return (state & STATE_SEATS) / STATE_SEAT;
  return 0;
}

static void
leave (Loop *loop)
{
  unsigned before = atomic_fetch_sub (&loop->state, 1);
  if ((before & STATE_ACTIVE) == 1 && before & STATE_WAITING)
    futex_wake (&loop->state, 1);
}

/* Helps one loop that has a free seat. False if there is none. */
static bool
help_any (size_t home)
{
  for (unsigned long long open = atomic_load (&pool.open); open; open &= open - 1) {
    Loop *loop = &pool.loops[__builtin_ctzll (open)];
    unsigned slot = join (loop);
    if (slot) {
      work (loop, slot, home);
      leave (loop);
      return true;
    }
  }
  return false;
}

static bool
any_seat (void)
{
  for (unsigned long long open = atomic_load (&pool.open); open; open &= open - 1)
    if (atomic_load (&pool.loops[__builtin_ctzll (open)].state) & STATE_SEATS)
      return true;
  return false;
}

/* `data`: the number of the worker's share. */
static void *
worker_main (void *data)
{
  const size_t home = GPOINTER_TO_SIZE (data);
  (void)sl_fp_enter ();
  gint64 idle_since = 0;

  while (!atomic_load (&pool.quit)) {
    if (help_any (home)) {
      idle_since = 0;
    } else if (!spin (&idle_since)) {
      /* Announce, look once more, sleep: a caller opens its loop before it counts sleepers, so one
       * of the two sees the other. */
      atomic_fetch_add (&pool.sleepers, 1);
      unsigned seen = atomic_load (&pool.wake);
      if (!any_seat () && !atomic_load (&pool.quit))
        futex_wait (&pool.wake, seen);
      atomic_fetch_sub (&pool.sleepers, 1);
      idle_since = 0;
    }
  }
  return NULL;
}

/* A forked child has none of our threads: it starts its own when it needs them. */
static void
forget_in_child (void)
{
  for (unsigned i = 0; i < MAX_LOOPS; i++)
    atomic_store (&pool.loops[i].state, 0);
  atomic_store (&pool.used, 0);
  atomic_store (&pool.open, 0);
  atomic_store (&pool.sleepers, 0);
  atomic_store (&pool.n_workers, 0);
  atomic_store (&pool.quit, false); /* somebody may have been shutting down */
  pool.start_failed = false;
  pthread_mutex_init (&pool.lock, NULL);
}

/* A worker takes no signal of the application and runs wherever the process may, even if the thread
 * that happens to start it is pinned. */
static bool
start_worker (unsigned index)
{
  pthread_attr_t attr;
  if (pthread_attr_init (&attr) != 0)
    return false;
  cpu_set_t cpus;
  if (sched_getaffinity (getpid (), sizeof cpus, &cpus) == 0)
    pthread_attr_setaffinity_np (&attr, sizeof cpus, &cpus);

  sigset_t all, saved;
  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &saved);
  bool started =
      pthread_create (&pool.workers[index], &attr, worker_main, GSIZE_TO_POINTER (index + 1)) == 0;
  pthread_sigmask (SIG_SETMASK, &saved, NULL);
  pthread_attr_destroy (&attr);
  if (!started)
    return false;

  char name[16];
  snprintf (name, sizeof name, "sl-pool-%u", index % SL_POOL_MAX_THREADS);
  pthread_setname_np (pool.workers[index], name);
  return true;
}

static void
ensure_workers (unsigned wanted)
{
  if (atomic_load_explicit (&pool.n_workers, memory_order_relaxed) >= wanted)
    return;

  pthread_mutex_lock (&pool.lock);
  if (!pool.fork_handled)
    pool.fork_handled = pthread_atfork (NULL, NULL, forget_in_child) == 0;
  unsigned n = atomic_load (&pool.n_workers);
  while (n < wanted && !pool.start_failed) {
    if (start_worker (n))
      atomic_store (&pool.n_workers, ++n);
    else
      pool.start_failed = true; /* a limit on threads: the caller alone gets the work done, too */
  }
  pthread_mutex_unlock (&pool.lock);
}

unsigned
sl_pool_get_threads (void)
{
  static gsize n_threads;
  if (g_once_init_enter (&n_threads)) {
    const char *text = g_getenv ("SIGHTLINE_THREADS");
    guint64 n = 0;
    if (text && *text && !g_ascii_string_to_unsigned (text, 10, 1, SL_POOL_MAX_THREADS, &n, NULL))
      g_warning ("SIGHTLINE_THREADS=%s: expected 1 to %d, ignored", text, SL_POOL_MAX_THREADS);
    if (!n)
      n = MIN (sl_cpus_available (""), SL_POOL_MAX_THREADS);
    g_once_init_leave (&n_threads, (gsize)n);
  }
  return (unsigned)n_threads;
}

/* A free entry, or NULL if all are in use. */
static Loop *
claim_loop (void)
{
  unsigned long long used = atomic_load (&pool.used);
  while (~used) {
    unsigned long long bit = ~used & (used + 1);
    if (atomic_compare_exchange_weak (&pool.used, &used, used | bit))
      return &pool.loops[__builtin_ctzll (bit)];
  }
  return NULL;
}

/* Returns when no other thread is in `loop`, which has no seats any more. */
static void
wait_for_others (Loop *loop)
{
  gint64 start = 0;
  unsigned state;
  while ((state = atomic_load (&loop->state)) & STATE_ACTIVE) {
    if (spin (&start))
      continue;
    if (!(state & STATE_WAITING) &&
        !atomic_compare_exchange_weak (&loop->state, &state, state | STATE_WAITING))
      continue;
    futex_wait (&loop->state, state | STATE_WAITING);
  }
}

/* Runs the loop on the caller and up to `n_helpers` workers. */
static void
run_shared (Loop *loop, unsigned n_helpers)
{
  unsigned long long bit = 1ull << (loop - pool.loops);
  atomic_store (&loop->state, n_helpers * STATE_SEAT);
  atomic_fetch_or (&pool.open, bit);

  unsigned sleepers = atomic_load (&pool.sleepers);
  if (sleepers) {
    atomic_fetch_add (&pool.wake, 1);
    futex_wake (&pool.wake, MIN (sleepers, n_helpers));
  }

  work (loop, 0, 0);
  wait_for_others (loop);
  atomic_fetch_and (&pool.used, ~bit);
}

void
sl_pool_run (size_t n_tiles, unsigned max_threads, SlPoolFunc func, void *data)
{
  g_return_if_fail (func);
  if (n_tiles == 0)
    return;

  size_t n_threads = sl_pool_get_threads ();
  if (max_threads && max_threads < n_threads)
    n_threads = max_threads;
  if (n_tiles < n_threads)
    n_threads = n_tiles;

  SlFpEnv saved = sl_fp_enter ();
  Loop *loop = n_threads > 1 ? claim_loop () : NULL;
  if (loop) {
    ensure_workers ((unsigned)n_threads - 1);
    loop->func = func;
    loop->data = data;
    loop->n_shares = n_threads;
    loop->chunk = MAX (n_tiles / (n_threads * CHUNKS_PER_THREAD), 1);
    for (size_t i = 0, begin = 0; i < n_threads; i++) {
      atomic_store_explicit (&loop->shares[i].next, begin, memory_order_relaxed);
      begin += n_tiles / n_threads + (i < n_tiles % n_threads);
      loop->shares[i].end = begin;
    }
    run_shared (loop, (unsigned)n_threads - 1);
  } else {
    func (data, 0, 0, n_tiles);
  }
  sl_fp_leave (saved);
}

void
sl_pool_shutdown (void)
{
  pthread_mutex_lock (&pool.lock);
  atomic_store (&pool.quit, true);
  atomic_fetch_add (&pool.wake, 1);
  futex_wake (&pool.wake, SL_POOL_MAX_THREADS);
  for (unsigned i = 0; i < atomic_load (&pool.n_workers); i++)
    pthread_join (pool.workers[i], NULL);
  atomic_store (&pool.n_workers, 0);
  atomic_store (&pool.quit, false);
  pool.start_failed = false;
  pthread_mutex_unlock (&pool.lock);
}
