/* A network text cut into lines and words. */
#pragma once

#include <sightline/error.h>

#include <stdbool.h>
#include <stdint.h>

/* Bytes of one, so that it fits into messages. */
#define SL_NET_MAX_WORD 256

typedef struct SlNetWord {
  char *text;
  uint32_t line, column; /* both from 1 on; columns count characters */
} SlNetWord;

/* Words up to a comment. Empty lines are left out. */
typedef struct SlNetLine {
  GArray *words;   /* SlNetWord, one or more */
  bool opens;      /* ended with "{", which is not among the words */
  bool closes;     /* was "}", its only word */
  uint32_t behind; /* of one that opens: index of the line that closes it */
} SlNetLine;

/* NULL with SL_ERROR_MALFORMED or SL_ERROR_LIMIT, "LINE:COLUMN: …": no text, braces that do not
 * pair. Free with g_array_unref(). */
GArray *sl_net_text_parse (const char *data, size_t size, GError **error);

/* "LINE:COLUMN: …" */
G_GNUC_PRINTF (4, 5)
void sl_net_error (GError **error, SlErrorCode code, const SlNetWord *at, const char *format, ...);

void sl_net_word_clear (void *word);
