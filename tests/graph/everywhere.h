/* Whole networks, as they are and optimised, on both backends. */
#pragma once

#include "graph/graph.h"

/* Runs a network on random numbers: the reference as the graph is, against which the reference
 * optimised (1e-6 of the largest number), the CPU as the graph is and optimised (1e-5); and the CPU
 * with one and three threads, bit for bit. Takes the graph over. */
void test_everywhere (SlGraph *network, const char *what);

/* The operators of the network optimised for the CPU, in order, with a space between; with `steps`
 * only those that a kernel runs for. Free with g_free(). */
char *test_list_ops (SlGraph *graph, bool steps);
