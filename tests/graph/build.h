/* Small graphs for tests, a line a node. */
#pragma once

#include "graph/op.h"

/* A float32 input of the given shape. */
SlValue *test_input (SlGraph *graph, const char *name, SlShape shape);

/* A float32 constant with numbers that depend on `seed`, small enough for long chains. */
SlValue *test_constant (SlGraph *graph, const char *name, SlShape shape, uint32_t seed);

/* A node of the class named `op` with default attributes and one new output of the node's name.
 * Inputs end with NULL. */
SlValue *test_node (SlGraph *graph, const char *op, const char *name, ...) G_GNUC_NULL_TERMINATED;

/* Sets an attribute of the node that computes `value`. */
void test_set_ints (SlValue *value, const char *attribute, uint32_t n, const int64_t *ints);
void test_set_int (SlValue *value, const char *attribute, int64_t i);
void test_set_string (SlValue *value, const char *attribute, const char *string);
void test_set_float (SlValue *value, const char *attribute, float f);

/* Sorts and infers; the test fails with the message where that fails. */
void test_finish (SlGraph *graph);

/* Nodes of the class named `op`. */
uint32_t test_count (const SlGraph *graph, const char *op);
/* The node that computes the value of that name; the test fails if there is none. */
SlNode *test_find (const SlGraph *graph, const char *name);
