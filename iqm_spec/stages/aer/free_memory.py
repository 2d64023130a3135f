"""How much memory a simulation may take: what the system and its control groups leave free."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")


def available_memory() -> int:
    """Free bytes: the least of the system's free memory and the room in every control group.

    Half of the physical memory where the system does not report what is free (macOS).
    """
    return max(0, min([_free_in_system(), *_free_in_groups()]))


def physical_memory() -> int:
    """Bytes of this machine's memory, in use or free."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _free_in_system() -> int:
    for line in _read(Path("/proc/meminfo")).splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return physical_memory() // 2


def _free_in_groups() -> Iterator[int]:
    """Bytes left in the control groups that hold this process, versions 2 and 1."""
    for line in _read(Path("/proc/self/cgroup")).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            names = ("memory.max", "memory.current", "inactive_file")
            yield from room_in_group(_CGROUPS, path, *names)
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            yield from room_in_group(_CGROUPS / "memory", path, *names)


def room_in_group(root: Path, path: str, limit: str, usage: str, cache: str) -> Iterator[int]:
    """Free bytes of the group at `path` and of each above it; droppable page cache is free."""
    group = root / path.lstrip("/")
    for folder in [group, *group.parents]:
        maximum, used = _read(folder / limit).strip(), _read(folder / usage).strip()
        if maximum.isdigit() and used.isdigit():
            stat = dict(line.split() for line in _read(folder / "memory.stat").splitlines())
            yield int(maximum) - int(used) + int(stat.get(cache, 0))
        if folder == root:
            break


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
