#include "passes/expression.h"

#include <math.h>
#include <string.h>

#define NUMBER_TOLERANCE 1e-6

/* --- Parsing --- */

typedef struct Parser {
  SlExpression *expression;
  char *at;
  bool known; /* so far all operators are */
} Parser;

static uint32_t parse_term (Parser *parser);

static void
skip_spaces (Parser *parser)
{
  while (*parser->at == ' ')
    parser->at++;
}

static bool
take (Parser *parser, char c)
{
  skip_spaces (parser);
  if (*parser->at != c)
    return false;
  *parser->at++ = '\0'; /* ends the word before it */
  return true;
}

static void
expect (Parser *parser, char c)
{
  bool found = take (parser, c);
  g_assert (found);
}

static char *
take_word (Parser *parser)
{
  skip_spaces (parser);
  char *word = parser->at;
  while (g_ascii_isalnum (*parser->at) || *parser->at == '_')
    parser->at++;
  g_assert (parser->at > word);
  return word;
}

static double
take_number (Parser *parser)
{
  char *end;
  skip_spaces (parser);
  double number = g_ascii_strtod (parser->at, &end);
  g_assert (end > parser->at);
  parser->at = end;
  return number;
}

static void
parse_attrs (Parser *parser, SlTerm *term)
{
  do {
    g_assert (term->n_attrs < G_N_ELEMENTS (term->attrs));
    SlRawAttr *attr = &term->attrs[term->n_attrs++];
    attr->name = take_word (parser);
    attr->type = SL_RAW_FLOAT;
    expect (parser, '=');
    attr->f = (float)take_number (parser);
  } while (take (parser, ','));
  expect (parser, ']');
}

static void
parse_call (Parser *parser, SlTerm *term, const char *word)
{
  term->kind = SL_TERM_CALL;
  bool has_attrs = take (parser, '[');
  if (!has_attrs)
    expect (parser, '(');
  term->op = sl_op_find (word);
  parser->known = parser->known && term->op != NULL;
  if (has_attrs) {
    parse_attrs (parser, term);
    expect (parser, '(');
  }
  do {
    g_assert (term->n_operands < G_N_ELEMENTS (term->operands));
    term->operands[term->n_operands++] = parse_term (parser);
  } while (take (parser, ','));
  expect (parser, ')');
}

static uint32_t
parse_term (Parser *parser)
{
  g_assert (parser->expression->n_terms < SL_EXPRESSION_TERMS);
  uint32_t index = parser->expression->n_terms++;
  SlTerm *term = &parser->expression->terms[index];
  skip_spaces (parser);
  *term = (SlTerm){.name = -1};
  if (g_ascii_isdigit (*parser->at)) {
    term->kind = SL_TERM_NUMBER;
    term->number = take_number (parser);
    return index;
  }
  char *word = take_word (parser);
  if (g_ascii_islower (*word)) {
    term->kind = SL_TERM_NAME;
    term->name = sl_expression_name (*word);
    g_assert (term->name < SL_EXPRESSION_NAMES);
    if (!take (parser, ':'))
      return index;
    word = take_word (parser);
  }
  parse_call (parser, term, word);
  return index;
}

bool
sl_expression_parse (SlExpression *expression, const char *text)
{
  *expression = (SlExpression){.text = g_strdup (text)};
  Parser parser = {expression, expression->text, true};
  parse_term (&parser);
  g_assert (*parser.at == '\0');
  return parser.known;
}

void
sl_expression_clear (SlExpression *expression)
{
  g_clear_pointer (&expression->text, g_free);
}

/* --- Searching --- */

static bool
has_number (const SlValue *value, double number)
{
  if (value->kind != SL_VALUE_CONSTANT || value->data == NULL ||
      sl_tensor_get_elements (value->data) != 1)
    return false;
  return fabs (sl_tensor_get_double (value->data, 0) - number) <= NUMBER_TOLERANCE * fabs (number);
}

/* A float attribute of the node, by name. */
static float *
find_attr (const SlNode *node, const char *name)
{
  for (const SlAttrSpec *spec = node->op->attrs; spec != NULL && spec->name != NULL; spec++)
    if (strcmp (spec->name, name) == 0 && spec->type == SL_ATTR_FLOAT)
      return (float *)(void *)((char *)node->attrs + spec->offset);
  return NULL;
}

static bool
has_attrs (const SlNode *node, const SlTerm *term)
{
  for (uint32_t i = 0; i < term->n_attrs; i++) {
    const float *found = find_attr (node, term->attrs[i].name);
    double want = (double)term->attrs[i].f;
    if (found == NULL || fabs ((double)*found - want) > NUMBER_TOLERANCE * fabs (want))
      return false;
  }
  return true;
}

static bool match (const SlExpression *expression, uint32_t index, SlValue *value,
                   SlBinding *binding);

static bool
bind (int name, SlValue *value, SlBinding *binding)
{
  if (name >= 0 && binding->value[name] != NULL)
    return binding->value[name] == value;
  if (name >= 0)
    binding->value[name] = value;
  return true;
}

/* All operands, the first two in the order of the text or the other way round. */
static bool
match_operands (const SlExpression *expression, const SlTerm *term, const SlNode *node,
                bool swapped, SlBinding *binding)
{
  for (uint32_t i = 0; i < term->n_operands; i++)
    if (!match (expression, term->operands[i], node->inputs[swapped && i < 2 ? !i : i], binding))
      return false;
  return true;
}

static bool
match_call (const SlExpression *expression, const SlTerm *term, SlValue *value, SlBinding *binding)
{
  const SlNode *node = value->producer;
  const SlBinding before = *binding;
  if (node == NULL || node->op != term->op || node->act.kind != SL_ACT_NONE ||
      value != node->outputs[0] || node->n_inputs < term->n_operands || !has_attrs (node, term))
    return false;
  for (uint32_t i = 0; i < node->n_inputs; i++) /* what is not written has to be left out */
    if ((node->inputs[i] == NULL) != (i >= term->n_operands))
      return false;
  for (uint32_t swapped = 0; swapped < (node->op->traits & SL_TRAIT_COMMUTES ? 2 : 1); swapped++) {
    *binding = before;
    if (match_operands (expression, term, node, swapped, binding))
      return bind (term->name, value, binding);
  }
  return false;
}

static bool
match (const SlExpression *expression, uint32_t index, SlValue *value, SlBinding *binding)
{
  const SlTerm *term = &expression->terms[index];
  switch (term->kind) {
  case SL_TERM_NUMBER:
    return has_number (value, term->number);
  case SL_TERM_NAME:
    return bind (term->name, value, binding);
  case SL_TERM_CALL:
    return match_call (expression, term, value, binding);
  }
  return false;
}

bool
sl_expression_match (const SlExpression *expression, SlValue *value, SlBinding *ret_binding)
{
  memset (ret_binding, 0, sizeof *ret_binding);
  return match (expression, 0, value, ret_binding);
}

void
sl_expression_set_attrs (const SlExpression *expression, SlNode *node)
{
  const SlTerm *term = &expression->terms[0];
  for (uint32_t i = 0; i < term->n_attrs; i++)
    sl_attrs_set (node->op->attrs, node->attrs, &term->attrs[i], NULL);
}
