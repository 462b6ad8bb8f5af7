"""All peers, slowest kind first."""

from __future__ import annotations

from benchmarks.peers import (
    cpp_lanes,
    fastgrok_run,
    jax_scan,
    numba_prange,
    numpy_book,
    numpy_vectorised,
    torch_bmm,
    torch_vmap,
)
from benchmarks.peers.peer import Peer

PEERS: tuple[Peer, ...] = (
    *numpy_book.PEERS,
    *numpy_vectorised.PEERS,
    *torch_vmap.PEERS,
    *torch_bmm.PEERS,
    *jax_scan.PEERS,
    *numba_prange.PEERS,
    *cpp_lanes.PEERS,
    *fastgrok_run.PEERS,
)
GROUPS: tuple[str, ...] = tuple(dict.fromkeys(peer.group for peer in PEERS))


def selected(groups: tuple[str, ...] = GROUPS) -> tuple[list[Peer], list[Peer]]:
    """Return the peers of these groups that are installed, and those that are missing."""
    chosen = [peer for peer in PEERS if peer.group in groups]
    return [p for p in chosen if not p.missing], [p for p in chosen if p.missing]
