"""Products of matrices of vectors, cut into tiles whose sums stay in registers."""

from fastgrok.kernels.jit import device
from fastgrok.kernels.lanes import Matrix, multiply_tile, tile_shape


@device
def parts(n, most):
    """Return the number of parts that n is cut into, their size, and how many are one larger: at most `most`."""
    n_parts = (n + most - 1) // most
    return n_parts, n // n_parts, n % n_parts


@device
def _tiles(out, start, a, b, sizes, ending):
    n_rows, n_columns, n_terms = sizes
    most_rows, most_columns = tile_shape(out.origin)
    n_high, height, higher = parts(n_rows, most_rows)
    n_wide, width, wider = parts(n_columns, most_columns)
    for begin in range(0, n_wide, 8):
        i = 0
        for high in range(n_high):
            rows = height + 1 if high < higher else height
            j = begin * width + min(begin, wider)
            for wide in range(begin, min(begin + 8, n_wide)):
                columns = width + 1 if wide < wider else width
                multiply_tile((i, j), (rows, columns), out, start, a, b, n_terms, ending)
                j += columns
            i += rows


@device
def _transposed(matrix):
    return Matrix(matrix.origin, matrix.column, matrix.row)


@device
def multiply(out, start, a, b, sizes, ending):
    """out_ij = start_ij + sum_k a_ik b_kj, the sum in the order of k, each term one fma.

    `ending` says what becomes of the sum.
    sizes: rows and columns of `out`, and terms. A product of few rows is made as its transpose: tiles are high.
    """
    if sizes[0] < 4 and sizes[0] < sizes[1]:
        out, start, a, b = _transposed(out), _transposed(start), _transposed(b), _transposed(a)
        sizes = (sizes[1], sizes[0], sizes[2])
    _tiles(out, start, a, b, sizes, ending)
