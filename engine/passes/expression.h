/* Expressions that exporters write out where an operator exists, and their search in a graph. */
#pragma once

#include "graph/op.h"

#define SL_EXPRESSION_TERMS 32
#define SL_EXPRESSION_NAMES 8

/* What the lower-case names of an expression stand for; NULL where not bound. */
typedef struct SlBinding {
  SlValue *value[SL_EXPRESSION_NAMES];
} SlBinding;

typedef enum { SL_TERM_CALL, SL_TERM_NAME, SL_TERM_NUMBER } SlTermKind;

/* One term; a call's operands are terms too, in the order of the text. */
typedef struct SlTerm {
  SlTermKind kind;
  const SlOpClass *op; /* CALL */
  SlRawAttr attrs[2];  /* CALL: values that float attributes have to have; names are in the text */
  uint32_t n_attrs, n_operands, operands[4];
  int name;      /* NAME: which one; CALL: which one is bound to the result, or -1 */
  double number; /* NUMBER */
} SlTerm;

/* `text` in a grammar of its own:
 *
 *   term = NUMBER | name | [name ':'] Operator ['[' attribute '=' NUMBER {',' …} ']'] '(' term {','
 *   term} ')'
 *
 * A name is one letter, 'a' … 'h' or 'x' (which is number 0). The first time it stands for whatever
 * is found there, from then on for that very value; "d:Sub(x, m)" binds the result of the call. */
typedef struct SlExpression {
  uint32_t n_terms;
  SlTerm terms[SL_EXPRESSION_TERMS]; /* the first one is the whole */
  char *text;                        /* owned; attribute names lie in it */
} SlExpression;

/* Number of a name in SlBinding. */
static inline int
sl_expression_name (char letter)
{
  return letter == 'x' ? 0 : letter - 'a' + 1;
}

/* FALSE if an operator is unknown to this build. A text that does not follow the grammar is the
 * caller's bug. */
bool sl_expression_parse (SlExpression *expression, const char *text);
void sl_expression_clear (SlExpression *expression);

/* TRUE if `value` is computed as the expression says. Operands of commutative operators may stand
 * in either order; numbers match constants of one element within 1e-6. */
bool sl_expression_match (const SlExpression *expression, SlValue *value, SlBinding *ret_binding);

/* Sets the attributes of the term that stands for the whole. */
void sl_expression_set_attrs (const SlExpression *expression, SlNode *node);
