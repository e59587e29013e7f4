/* Less memory for more work: what the backward pass reads of the forward pass is computed again
 * instead of being kept. */
#pragma once

#include "graph/op.h"

/* `graph` is sorted, with gradients appended and known shapes; its first `n_forward` nodes are the
 * forward pass. That is cut where little crosses into at most `n_segments` runs of nodes. What
 * crosses is kept. Of the rest
 *
 * - values of all runs but the last are computed again from what crossed, right before the backward
 *   pass reads the first of them (Chen et al. 2016, "Training deep nets with sublinear memory
 *   cost": of n layers in sqrt (n) runs about 2 sqrt (n) are in memory, for at most one more
 *   forward pass);
 * - of the last, which the backward pass begins with, those are that are cheap: results of
 *   elementwise operations, normalisation, pooling, dropout, from what is kept anyway. One run
 *   (n_segments 1) is the last.
 *
 * The nodes that do it are copies of those of the forward pass, so gradients have the same bits.
 * Whether it helps, and how much, says the plan. Returns the number of runs that it found places to
 * cut for. */
uint32_t sl_grad_recompute (SlGraph *graph, uint32_t n_forward, uint32_t n_segments);
