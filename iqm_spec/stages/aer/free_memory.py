"""How much memory a simulation may take: what the system and its containers leave."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")


def available_memory() -> int:
    """Bytes at hand: the least of the system's free memory and the room in every control group.

    Where the system does not tell what is free (macOS), half of the physical memory.
    """
    return max(0, min([_system(), *_groups()]))


def physical_memory() -> int:
    """Bytes of this machine's memory, whoever uses them."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _system() -> int:
    for line in _read(Path("/proc/meminfo")).splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return physical_memory() // 2


def _groups() -> Iterator[int]:
    """Room left in the control groups that hold this process, versions 2 and 1."""
    for line in _read(Path("/proc/self/cgroup")).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            names = ("memory.max", "memory.current", "inactive_file")
            yield from room_in_group(_CGROUPS, path, *names)
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            yield from room_in_group(_CGROUPS / "memory", path, *names)


def room_in_group(root: Path, path: str, limit: str, usage: str, cache: str) -> Iterator[int]:
    """Room from the group at `path` up to the root; page cache that can go counts as room."""
    group = root / path.lstrip("/")
    for folder in [group, *group.parents]:
        most, used = _read(folder / limit).strip(), _read(folder / usage).strip()
        if most.isdigit() and used.isdigit():
            stat = dict(line.split() for line in _read(folder / "memory.stat").splitlines())
            yield int(most) - int(used) + int(stat.get(cache, 0))
        if folder == root:
            break


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
