"""How seeds are divided among threads."""

from __future__ import annotations

import pytest

from fastgrok.engine.training import even_share


def longest(n, share, threads):
    """Return the blocks of the thread that has most, where each takes the next share as it is done with one."""
    loads = [0] * threads
    for first in range(0, n, share):
        loads[loads.index(min(loads))] += min(share, n - first)
    return max(loads)


def test_a_share_leaves_no_thread_waiting_for_another():
    assert even_share(16, 3, 2) == 2
    assert even_share(16, 8, 2) == 8
    assert even_share(2048, 700, 2) == 512


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_the_longest_of_the_threads_is_as_short_as_any_share_of_that_size_makes_it(threads):
    for n in range(1, 70):
        for most in range(1, n + 1):
            share = even_share(n, most, threads)
            assert (most + 1) // 2 <= share <= most
            shortest = min(longest(n, other, threads) for other in range((most + 1) // 2, most + 1))
            assert longest(n, share, threads) <= shortest + share - 1
