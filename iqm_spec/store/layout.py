"""Names and places in the results folder, and the limits on what is read from it."""

from __future__ import annotations

import re
from pathlib import Path

OBJECTS, ASKS, RUNS, JOBS, INDEX, TMP = "objects", "asks", "runs", "jobs", "index", "tmp"

LARGEST_VALUE = 1 << 28
"""Bytes of the largest JSON value that is written or read: an object, or one line of a pack."""

LARGEST_EVENT = 1 << 24
"""Bytes of the largest event of a journal."""

DIGEST = re.compile(r"[0-9a-f]{64}")
KIND = re.compile(r"[a-z]+(?:-[a-z]+)*")
RECORD_KEY = re.compile(r"[!-~]{1,256}")
"""Printable ASCII without spaces, so that an index is plain lines and order is plain bytes."""

OBJECT_NAME = re.compile(r"([0-9a-f]{64})\.(jsonl?)")
POINTER_NAME = re.compile(r"([1-9][0-9]{0,8})-([0-9a-f]{64})")
EVENT_NAME = re.compile(r"([0-9]{4,9})-([a-z]+(?:-[a-z]+)*)-([0-9a-f]{8})\.json")
SPEC_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
RUN_ID = re.compile(r"([a-z0-9][a-z0-9._-]{0,63})-([0-9]{8}-[0-9]{6})-([0-9a-f]{6,16})")
"""New ids end in 8 digits; folders with fewer or more are read too."""


def object_path(root: Path, digest: str, suffix: str) -> Path:
    """The path of an object; `suffix` is `json` or `jsonl`. ValueError for what is no sha256."""
    if not DIGEST.fullmatch(digest):
        raise ValueError(f"not a sha256 in lower-case hex: {digest!r}")
    return root / OBJECTS / digest[:2] / f"{digest}.{suffix}"


def pack_format(kind: str) -> str:
    """The `format` in the header of packs of one kind."""
    if not KIND.fullmatch(kind):
        raise ValueError(f"a pack's kind is lower-case words joined by hyphens, got {kind!r}")
    return f"iqm-spec/{kind}/1"


def kind_of(pack_format_: object) -> str | None:
    """The kind that a header's `format` names, or None."""
    match = re.fullmatch(rf"iqm-spec/({KIND.pattern})/1", str(pack_format_))
    return match[1] if match else None


README = """\
# Results of iqm-spec

What was asked and what was got, kept so that anyone can check it. Made to be committed to git:
files are written once and never changed, so folders that grew apart unite without conflicts.

| folder | holds |
|---|---|
| `objects/` | plans, circuits, counts as canonical JSON (RFC 8785), named by their sha256 |
| `asks/` | empty files named after the plan that answers an ask |
| `runs/` | one folder per run: its events in order, each file named with the start of its sha256 |
| `index/`, `tmp/` | derived or unfinished; not for git, may be deleted while nothing runs |

`iqm-spec verify` checks `objects/`, `asks/`, `runs/` and `jobs/`. Without iqm-spec, in this folder:

```sh
find . -type f -path './objects/*' | sed -E 's|^(.*/([0-9a-f]{64})\\.jsonl?)$|\\2  \\1|' |
  sha256sum --check --strict --quiet
find . -type f \\( -path './runs/*' -o -path './jobs/*' \\) -exec sha256sum {} + |
  awk '{ n = $2; sub(/.*-/, "", n) }
       n != substr($1, 1, 8) ".json" { print $2 ": FAILED"; bad = 1 } END { exit bad }'
find . -type f -path './asks/*' -size +0
```

The first two print nothing and exit with 0, the third prints nothing, where all is well.
"""

GITATTRIBUTES = """\
# bytes stay as they were written: names are their sha256
* -text -ident
objects/** -diff linguist-generated
"""

GITIGNORE = """\
/index/
/tmp/
/emulator/
"""

STARTING_FILES = {"README.md": README, ".gitattributes": GITATTRIBUTES, ".gitignore": GITIGNORE}
"""Written when a folder is first written to, and never changed."""
