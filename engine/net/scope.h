/* Names and variables while a text is unfolded: each pass through a repeat and each use of a block
 * has a scope of its own. */
#pragma once

#include "graph/graph.h"
#include "net/text.h"

typedef struct SlNetScope {
  const struct SlNetScope *parent; /* whose labels and variables are seen, too; NULL in a block */
  char *prefix;                    /* of full names: "" or "stage1/2/" */
  GHashTable *variables;           /* name → text */
  GHashTable *counts;              /* automatic name → how many bear it */
  SlValue *in, *current;           /* "in": what goes into it; the last layer's result */
} SlNetScope;

void sl_net_scope_init (SlNetScope *scope, const SlNetScope *parent, char *prefix, SlValue *in);
void sl_net_scope_clear (SlNetScope *scope);

/* The words with "$name" replaced by what the variable stands for. NULL with the error set. */
GArray *sl_net_scope_substitute (const SlNetScope *scope, const GArray *words, GError **error);

/* The value that `name` stands for: "in", or a layer or label of this scope or one around it.
 * `labels`: full name → SlValue. NULL with the error set, at `at`. */
SlValue *sl_net_scope_find (const SlNetScope *scope, GHashTable *labels, const SlNetWord *at,
                            const char *name, GError **error);

/* Full name of a layer: its label, or Keras's snake case of its type, with a number if that is
 * taken. Free with g_free(). */
char *sl_net_scope_name (SlNetScope *scope, GHashTable *labels, const char *label,
                         const char *type);

/* Letters, digits and "_" "-" ".", beginning with a letter or "_". */
bool sl_net_is_name (const char *text);
