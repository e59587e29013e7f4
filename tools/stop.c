#include "stop.h"

#include <signal.h>

static volatile sig_atomic_t stop_requested;

static void
on_signal (int number)
{
  stop_requested = 1;
}

void
tool_stop_watch (void)
{
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESETHAND | SA_RESTART};
  sigaction (SIGINT, &action, NULL);
  sigaction (SIGTERM, &action, NULL);
}

gboolean
tool_stop_requested (void)
{
  return stop_requested != 0;
}
