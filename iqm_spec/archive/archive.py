"""Assembles an archive: the run's files, the spec, their description, and the report."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from attrs import frozen

from iqm_spec.archive.contents import Contents
from iqm_spec.archive.crate import METADATA, FileInfo, metadata
from iqm_spec.archive.texts import About, citation_file, readme
from iqm_spec.canonical import sha256
from iqm_spec.engine.saved import SavedRun
from iqm_spec.store import Store
from iqm_spec.store.layout import OBJECT_NAME, STARTING_FILES

README, CITATION, REPORT = "README.md", "CITATION.cff", "report.html"


@frozen
class Archive:
    """The files of the zip by name: their bytes, or the path to read them from."""

    entries: Mapping[str, Path | bytes]

    def write(self, target: BinaryIO) -> None:
        """Write the zip into a file that can seek; the same entries give the same bytes.

        Entries are sorted by name. Top-level folders have entries, too: readers of RO-Crates look
        for those in the metadata.
        """
        folders = {f"{name.partition('/')[0]}/" for name in self.entries if "/" in name}
        with zipfile.ZipFile(target, "w") as archive:
            for name in sorted({*self.entries, *folders}):
                info = zipfile.ZipInfo(name, _EARLIEST_TIME)
                info.create_system = _UNIX
                if name in folders:
                    info.external_attr = _FOLDER_MODE
                    archive.writestr(info, b"")
                    continue
                source = self.entries[name]
                size = len(source) if isinstance(source, bytes) else source.stat().st_size
                info.compress_type = zipfile.ZIP_DEFLATED if size else zipfile.ZIP_STORED
                info.external_attr = _MODE
                info.file_size = size
                with archive.open(info, "w") as entry:
                    if isinstance(source, bytes):
                        entry.write(source)
                    else:
                        with source.open("rb") as file:
                            shutil.copyfileobj(file, entry, _CHUNK)


@frozen
class Added:
    """A file of an archive besides the run and its spec; `title` describes it."""

    path: str
    title: str
    data: bytes


def prepare(store: Store, contents: Contents, about: About, added: Sequence[Added] = ()) -> Archive:
    """The archive of a run. The same folder and the same `about` give the same archive."""
    entries: dict[str, Path | bytes] = {path: store.root / path for path in contents.files}
    entries |= {name: text.encode() for name, text in STARTING_FILES.items()}
    entries |= contents.texts
    entries |= {file.path: file.data for file in added}
    titles = {file.path: file.title for file in added}
    entries[README] = readme(contents, about, titles).encode()
    entries[CITATION] = about.citation.file or citation_file(contents, about).encode()
    infos = {}
    for name, source in entries.items():
        if isinstance(source, bytes):
            infos[name] = FileInfo(len(source), sha256(source))
        else:
            match = OBJECT_NAME.fullmatch(name.rpartition("/")[2])
            infos[name] = FileInfo(source.stat().st_size, match[1] if match else None)
    entries[METADATA] = metadata(contents, about, infos, titles)
    return Archive(entries)


def added_files(store: Store, saved: SavedRun) -> Sequence[Added]:
    """Files of an archive besides the run and its spec: the report of the run."""
    from iqm_spec.report import report_of, subject_of, to_html

    page = to_html(report_of(subject_of(store, saved)))
    return (Added(REPORT, "Report of the run, for a browser", page.encode()),)


_EARLIEST_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip file can store."""

_MODE = 0o100644 << 16
_FOLDER_MODE = 0o040755 << 16 | 0x10
_UNIX = 3
_CHUNK = 1 << 20
