"""How much memory this process may take, and the refusal of what would take more, before anything is made."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastgrok.errors import InvalidExperiment

SMALL_BYTES = 2**26
"""What any process may take."""

_ROOT = Path("/")  # of the files in which Linux says what there is
_LIMITS = ("RLIMIT_AS", 0), ("RLIMIT_DATA", 5)  # and the place of what counts among the numbers of statm
_GROUPS = {  # of each version of control groups: folder, limit, use, and what of that is given back when needed
    "2": ("", "memory.max", "memory.current", "inactive_file"),
    "1": ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
}


def check_fits(field: str, value: Any, size: int, instead: str = "fewer") -> None:
    """Raise unless so many bytes are less than what this process may take."""
    if size < SMALL_BYTES:
        return
    memory, whose = _available()
    if size >= memory:
        accepted = f"{instead}: {_gigabytes(size)} do not fit into {_gigabytes(memory)} of memory{whose}"
        raise InvalidExperiment(field, value, accepted)


def _gigabytes(n: int) -> str:
    """Say how much so many bytes are, in digits however many they are."""
    return f"{n / 1e9:,.0f} GB" if n >= 1e11 else f"{n / 1e9:.3g} GB"


def _available() -> tuple[int, str]:
    """Return the bytes that this process may take, and in words whose limit that is, if not the machine's."""
    known = [(_of_machine(), "")]
    known += [(size, ", by the limit of its control group") for size in _of_groups()]
    known += [(size, f", by the limit of the process ({name})") for name, size in _of_process()]
    return min(known)


def _of_machine() -> int:
    """Return what the machine has left; where that is not known all that it has, or can name."""
    for line in _text("proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            return 1024 * int(line.split()[1])
    try:
        pages, page_bytes = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return sys.maxsize
    return pages * page_bytes if min(pages, page_bytes) > 0 else sys.maxsize  # -1: no limit that it knows of


def _of_groups() -> Iterator[int]:
    """Yield what each control group has left that this process is in, and each above it; a container is one."""
    for line in _text("proc/self/cgroup").splitlines():
        controllers, _, path = line.partition(":")[2].partition(":")
        version = "1" if "memory" in controllers.split(",") else "2"
        if version == "1" or not controllers:
            folder, *files = _GROUPS[version]
            top = _ROOT / "sys/fs/cgroup" / folder
            own = top / path.lstrip("/")
            for group in (own, *own.parents):  # in a container the path may be one of the host's
                if group.is_relative_to(top):
                    yield from _of_group(group, *files)


def _of_group(group: Path, limit: str, use: str, given_back: str) -> Iterator[int]:
    """Yield what one group has left, if it has a limit."""
    most, used = _text(group / limit).strip(), _text(group / use).strip()
    if most.isdecimal() and used.isdecimal():
        stat = dict(line.split(" ", 1) for line in _text(group / "memory.stat").splitlines() if " " in line)
        yield max(0, int(most) - max(0, int(used) - int(stat.get(given_back, 0))))


def _of_process() -> Iterator[tuple[str, int]]:
    """Yield what the limits of the process leave, as `ulimit -v` sets them."""
    try:
        import resource
    except ImportError:  # Windows
        return
    pages = [int(number) for number in _text("proc/self/statm").split()]
    for name, place in _LIMITS:
        most = resource.getrlimit(getattr(resource, name))[0] if hasattr(resource, name) else resource.RLIM_INFINITY
        if most != resource.RLIM_INFINITY:
            used = pages[place] * resource.getpagesize() if place < len(pages) else 0
            yield name, max(0, most - used)


def _text(path: str | Path) -> str:
    """Return the text of a file of the system, nothing where there is none."""
    try:
        return (_ROOT / path).read_text()
    except (OSError, ValueError):
        return ""
