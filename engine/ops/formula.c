/* Gradients written as formulas. */
#include "ops/gradient.h"

#include <string.h>

#define WORD_MAX 32
#define OPERANDS_MAX 4

typedef struct Parser {
  SlFormula *formula;
  const char *at;
} Parser;

static SlValue *parse_choice (Parser *parser);

static char
peek (Parser *parser)
{
  while (*parser->at == ' ')
    parser->at++;
  return *parser->at;
}

static bool
take (Parser *parser, char c)
{
  if (peek (parser) != c)
    return false;
  parser->at++;
  return true;
}

static void
expect (Parser *parser, char c)
{
  bool found = take (parser, c);
  g_assert (found);
}

static SlValue *
call (const Parser *parser, const char *op, uint32_t n, SlValue *const *operands)
{
  return sl_gradient_node (parser->formula->to, parser->formula->of, op, NULL, 0, n, operands);
}

static SlValue *
call_2 (const Parser *parser, const char *op, SlValue *a, SlValue *b)
{
  SlValue *operands[] = {a, b};
  return call (parser, op, 2, operands);
}

static SlValue *
parse_call (Parser *parser)
{
  char op[WORD_MAX] = "";
  SlValue *operands[OPERANDS_MAX];
  uint32_t n = 0;
  for (size_t i = 0; g_ascii_isalnum (*parser->at); i++) {
    g_assert (i + 1 < sizeof op);
    op[i] = *parser->at++;
  }
  expect (parser, '(');
  do {
    g_assert (n < OPERANDS_MAX);
    operands[n++] = parse_choice (parser);
  } while (take (parser, ','));
  expect (parser, ')');
  return call (parser, op, n, operands);
}

static SlValue *
parse_factor (Parser *parser)
{
  char next = peek (parser);
  if (g_ascii_isdigit (next)) {
    char *end;
    double number = g_ascii_strtod (parser->at, &end);
    parser->at = end;
    return sl_gradient_constant (parser->formula->to, parser->formula->dtype, NULL, number);
  }
  if (take (parser, '-')) {
    SlValue *operand = parse_factor (parser);
    return call (parser, "Neg", 1, &operand);
  }
  if (take (parser, '(')) {
    SlValue *inner = parse_choice (parser);
    expect (parser, ')');
    return inner;
  }
  if (g_ascii_isupper (next))
    return parse_call (parser);
  g_assert (g_ascii_islower (next));
  SlValue *value = parser->formula->bound[next - 'a'];
  g_assert (value != NULL);
  parser->at++;
  return value;
}

static SlValue *
parse_product (Parser *parser)
{
  SlValue *value = parse_factor (parser);
  for (;;) {
    if (take (parser, '*'))
      value = call_2 (parser, "Mul", value, parse_factor (parser));
    else if (take (parser, '/'))
      value = call_2 (parser, "Div", value, parse_factor (parser));
    else
      return value;
  }
}

static SlValue *
parse_sum (Parser *parser)
{
  SlValue *value = parse_product (parser);
  for (;;) {
    if (take (parser, '+'))
      value = call_2 (parser, "Add", value, parse_product (parser));
    else if (take (parser, '-'))
      value = call_2 (parser, "Sub", value, parse_product (parser));
    else
      return value;
  }
}

static SlValue *
parse_order (Parser *parser)
{
  SlValue *value = parse_sum (parser);
  if (take (parser, '<'))
    return call_2 (parser, "Less", value, parse_sum (parser));
  if (take (parser, '>'))
    return call_2 (parser, "Greater", value, parse_sum (parser));
  return value;
}

static SlValue *
parse_choice (Parser *parser)
{
  SlValue *operands[3] = {parse_order (parser)};
  if (!take (parser, '?'))
    return operands[0];
  operands[1] = parse_choice (parser);
  expect (parser, ':');
  operands[2] = parse_choice (parser);
  return call (parser, "Where", 3, operands);
}

/* "m = " at the beginning of a part: the name, else 0. */
static char
parse_name (Parser *parser)
{
  const char *start = parser->at;
  char name = peek (parser);
  if (g_ascii_islower (name)) {
    parser->at++;
    if (take (parser, '='))
      return name;
  }
  parser->at = start;
  return '\0';
}

SlFormula
sl_formula (SlGradients *to, const SlNode *of)
{
  SlFormula formula = {.to = to, .of = of, .dtype = of->inputs[0]->dtype};
  sl_formula_bind (&formula, 'x', of->inputs[0]);
  sl_formula_bind (&formula, 'y', of->outputs[0]);
  sl_formula_bind (&formula, 'd', sl_gradients_get (to, of, 0));
  return formula;
}

void
sl_formula_bind (SlFormula *formula, char name, SlValue *value)
{
  g_assert (g_ascii_islower (name));
  formula->bound[name - 'a'] = value;
}

void
sl_formula_bind_number (SlFormula *formula, char name, double number)
{
  sl_formula_bind (formula, name, sl_gradient_constant (formula->to, formula->dtype, NULL, number));
}

SlValue *
sl_formula_add (SlFormula *formula, const char *text)
{
  Parser parser = {formula, text};
  for (;;) {
    char name = parse_name (&parser);
    SlValue *value = parse_choice (&parser);
    if (name != '\0')
      sl_formula_bind (formula, name, value);
    if (take (&parser, ';'))
      continue;
    g_assert (peek (&parser) == '\0');
    return value;
  }
}

gboolean
sl_gradient_of_formula (SlGradients *to, SlNode *node, const char *text)
{
  SlFormula formula = sl_formula (to, node);
  sl_gradients_give (to, node, 0, sl_formula_add (&formula, text));
  return TRUE;
}
