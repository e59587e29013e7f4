/* Eigenvalues and eigenvectors of symmetric matrices. */
#pragma once

#include <glib.h>

/* Householder's reduction to three diagonals and the QL method with implicit shifts: Bowdler,
 * Martin, Reinsch and Wilkinson, "The QR and QL algorithms for symmetric matrices" (1968), as in
 * EISPACK's tred2 and tql2. `matrix`, [n][n], symmetric and finite, becomes the eigenvectors, a row
 * each, of length 1; ret_values[n] their values, falling. The largest component of a vector is
 * positive. Work grows with n^3. FALSE if it does not converge, which finite matrices do. */
gboolean sl_eigen_symmetric (double *matrix, gsize n, double *ret_values);
