/* `sightline COMMAND …`: looks the command up and runs it. */
#include "command.h"
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Sorted by name. */
static const Command *const commands[] = {&cmd_annotate, &cmd_bench,   &cmd_check,    &cmd_classify,
                                          &cmd_data,     &cmd_devices, &cmd_evaluate, &cmd_heatmap,
                                          &cmd_inspect,  &cmd_train};

static void
print_help (FILE *out)
{
  fputs ("Usage: sightline COMMAND [OPTION…] …\n"
         "\n"
         "Runs convolutional networks (ONNX files) on footage, pictures and cameras, and trains "
         "them.\n"
         "\n"
         "Commands:\n",
         out);
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    fprintf (out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
  fputs (
      "\n"
      "Examples:\n"
      "  sightline classify clip.mp4                       what the built-in network sees\n"
      "  sightline classify -m net.onnx -f jsonl -o r.jsonl *.mkv\n"
      "  sightline annotate -m net.onnx clip.mp4 -o seen.mkv\n"
      "  sightline heatmap -m net.onnx photo.jpg -o seen.png\n"
      "  sightline inspect net.onnx\n"
      "  sightline data photos -o sheet.png                what a data set holds\n"
      "  sightline train digits.recipe --data mnist -o digits.onnx\n"
      "  sightline evaluate -m digits.onnx --data mnist\n"
      "\n"
      "`sightline COMMAND --help` explains a command; `sightline --version` prints the version.\n"
      "Exit status: 0 everything was done, 1 something was not, 2 wrong usage.\n",
      out);
}

static int
compare_name (const void *key, const void *element)
{
  return strcmp (key, (*(const Command *const *)element)->name);
}

/* At exit, whoever calls it: what was printed may not have reached anybody. */
static void
check_standard_output (void)
{
  if (fflush (stdout) == 0 && !ferror (stdout))
    return;
  tool_error ("standard output", "cannot be written: %s", g_strerror (errno));
  _exit (TOOL_FAILED);
}

/* Where the caller has closed a standard stream, the next file to be opened would be taken for it.
 */
static void
occupy_standard_streams (void)
{
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (fcntl (fd, F_GETFD) < 0 && open ("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
      _exit (TOOL_FAILED);
}

int
main (int argc, char **argv)
{
  occupy_standard_streams ();
  /* File names and messages in the user's encoding; numbers always with a point. */
  setlocale (LC_ALL, "");
  setlocale (LC_NUMERIC, "C");
  atexit (check_standard_output);
  if (argc < 2) {
    print_help (stderr);
    return TOOL_USAGE;
  }
  if (strcmp (argv[1], "--help") == 0 || strcmp (argv[1], "-h") == 0 ||
      (strcmp (argv[1], "help") == 0 && argc == 2)) {
    print_help (stdout);
    return TOOL_OK;
  }
  if (strcmp (argv[1], "--version") == 0) {
    printf ("sightline %s\n", SIGHTLINE_VERSION);
    return TOOL_OK;
  }
  char *help[] = {argc > 2 ? argv[2] : NULL, (char *)"--help", NULL};
  gboolean ask_help = strcmp (argv[1], "help") == 0;
  const char *name = ask_help ? argv[2] : argv[1];
  const Command *const *command =
      bsearch (name, commands, G_N_ELEMENTS (commands), sizeof commands[0], compare_name);
  if (!command) {
    tool_error (name, "no such command (expected one of those that sightline --help lists)");
    return TOOL_USAGE;
  }
  return ask_help ? (*command)->run (2, help) : (*command)->run (argc - 1, argv + 1);
}
