"""Reading spec files: what they mean, where things stand, and what is refused how quickly."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from iqm_spec.diagnostics import Diagnostic, Problem, Span
from iqm_spec.errors import SpecError
from iqm_spec.json_types import Json
from iqm_spec.source import line_reader, parse_source, read_source
from iqm_spec.source.limits import MOST_BYTES, MOST_MISTAKES


def mistakes(data: bytes, name: str = "x.yaml") -> list[Diagnostic]:
    with pytest.raises(SpecError) as error:
        parse_source(data, Path(name))
    return list(error.value.diagnostics)


def codes(data: bytes, name: str = "x.yaml") -> set[str]:
    return {item.code for item in mistakes(data, name)}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("-0", 0),
        ("-0.0", 0),
        ("+5", 5),
        ("1000", 1000),
        ("1e3", 1000),
        ("1000.0", 1000),
        ("1.E3", 1000),
        ("1e-3", 0.001),
        (".5", 0.5),
        ("-1.5e-7", -1.5e-7),
        ("9007199254740991", 9007199254740991),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("1k", "1k"),
        ("ghz", "ghz"),
        ("1.2.3", "1.2.3"),
        ("-", None),
        ("1e", "1e"),
        ("infinite", "infinite"),
        ("a: b", {"a": "b"}),
        ('"0101"', "0101"),
        ("'on'", "on"),
        ('"1e3"', "1e3"),
        ("python:lab.circuits:ramsey", "python:lab.circuits:ramsey"),
        ("${n}", "${n}"),
    ],
)
def test_yaml_scalars(text: str, value: Json) -> None:
    if text == "-":
        assert parse_source(b"a:\n  -\n", Path("x.yaml")).tree == {"a": [None]}
        return
    inside = f"\n  {text}" if text == "a: b" else f" {text}"
    tree = parse_source(f"a:{inside}\n".encode(), Path("x.yaml")).tree
    assert tree == {"a": value}
    assert type(tree["a"]) is type(value)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("010", "S104"),
        ("00", "S104"),
        ("-01.5", "S104"),
        ("0x1F", "S104"),
        ("0o17", "S104"),
        ("0b101", "S104"),
        ("1:30", "S104"),
        ("1_000", "S104"),
        ("on", "S104"),
        ("Off", "S104"),
        ("YES", "S104"),
        ("n", "S104"),
        ("2026-11-22", "S104"),
        ("2026-11-22T10:00:00Z", "S104"),
        (".inf", "S106"),
        ("-.INF", "S106"),
        (".nan", "S106"),
        ("NaN", "S106"),
        ("Infinity", "S106"),
        ("9007199254740992", "S106"),
        ("-99999999999999999999999999", "S106"),
        ("1e400", "S106"),
        ("1e16", "S106"),
        ("&a 1", "S107"),
        ("*a", "S107"),
        ("!!int 1", "S107"),
        ("! x", "S107"),
        ("!!python/object/apply:os.system [x]", "S107"),
    ],
)
def test_yaml_scalars_that_are_refused(text: str, code: str) -> None:
    assert codes(f"a: {text}\n".encode()) == {code}


@pytest.mark.parametrize("key", ["on", "No", "1", "1.5", "true", "null", "~", "010", "<<", "[a]"])
def test_yaml_keys_that_are_refused(key: str) -> None:
    assert codes(f"{key}: 1\n".encode()) <= {"S104", "S105", "S107"}


@pytest.mark.parametrize("key", ["n", "N", "y", "Y", '"on"', "'1'", "x y", "é"])
def test_yaml_keys_that_are_texts(key: str) -> None:
    assert parse_source(f"{key}: 1\n".encode(), Path("x.yaml")).tree == {key.strip("\"'"): 1}


def test_all_mistakes_of_a_file_are_told_at_their_places() -> None:
    told = mistakes(b"a: 010\nb: &x [1, yes]\na: .nan\n")
    assert [(item.span.line, item.span.column, item.code) for item in told] == [
        (1, 4, "S104"),
        (2, 4, "S107"),
        (2, 11, "S104"),
        (3, 1, "S103"),
        (3, 4, "S106"),
    ]


YAML = """\
# a comment
iqm_spec: 1
"é😀": [😀, x]
circuits:
  - generator: ghz
    args: {num_qubits: 3, edges: [[0, 1],
       [1, 2]]}
  -
    qasm: |
      a
      b
  - [1, 2]
"""
TOML = """\
# a comment
iqm_spec = 1
"é😀" = ["😀", 'x'] # ]
aer.noise = "ideal"
circuits = [
  {generator = "ghz", args = {num_qubits = 3}}, # }
  # nothing here
  {qasm = '''
a''', args = { }},
]
[transpile]
seed = +7
[[sweep]]
grid.n = [2, 3]
[sweep.grid."m o"]
range = [1,
  4]
[[sweep]]
points = []
"""


@pytest.mark.parametrize(
    ("name", "text", "path", "value", "key"),
    [
        ("x.yaml", YAML, ("iqm_spec",), (2, 11, 12), (2, 1, 9)),
        ("x.yaml", YAML, ("é😀",), (3, 7, 13), (3, 1, 5)),
        ("x.yaml", YAML, ("é😀", 1), (3, 11, 12), (3, 11, 12)),
        ("x.yaml", YAML, ("circuits",), (5, 3, 19), (4, 1, 9)),
        ("x.yaml", YAML, ("circuits", 0), (5, 5, 19), (5, 5, 19)),
        ("x.yaml", YAML, ("circuits", 0, "args", "edges"), (6, 34, 42), (6, 27, 32)),
        ("x.yaml", YAML, ("circuits", 0, "args", "edges", 1, 0), (7, 9, 10), (7, 9, 10)),
        ("x.yaml", YAML, ("circuits", 1, "qasm"), (9, 11, 12), (9, 5, 9)),
        ("x.yaml", YAML, ("circuits", 2), (12, 5, 11), (12, 5, 11)),
        ("x.yaml", YAML, ("circuits", 0, "args", "zz"), (6, 5, 9), (6, 5, 9)),
        ("x.yaml", YAML, ("circuits", 9, "name"), (4, 1, 9), (4, 1, 9)),
        ("x.yaml", YAML, ("zz",), (2, 1, 12), (2, 1, 12)),
        ("x.toml", TOML, ("iqm_spec",), (2, 12, 13), (2, 1, 9)),
        ("x.toml", TOML, ("é😀", 1), (3, 14, 17), (3, 14, 17)),
        ("x.toml", TOML, ("aer", "noise"), (4, 13, 20), (4, 5, 10)),
        ("x.toml", TOML, ("circuits", 0, "args", "num_qubits"), (6, 44, 45), (6, 31, 41)),
        ("x.toml", TOML, ("circuits", 1), (8, 3, 14), (8, 3, 14)),
        ("x.toml", TOML, ("circuits", 1, "args"), (9, 14, 17), (9, 7, 11)),
        ("x.toml", TOML, ("transpile", "seed"), (12, 8, 10), (12, 1, 5)),
        ("x.toml", TOML, ("sweep",), (13, 1, 10), (13, 3, 8)),
        ("x.toml", TOML, ("sweep", 0, "grid", "n", 1), (14, 14, 15), (14, 14, 15)),
        ("x.toml", TOML, ("sweep", 0, "grid", "m o", "range", 1), (17, 3, 4), (17, 3, 4)),
        ("x.toml", TOML, ("sweep", 1, "points"), (19, 10, 12), (19, 1, 7)),
        ("x.toml", TOML, ("sweep", 0, "points"), (13, 1, 10), (13, 1, 10)),
    ],
)
def test_places(
    name: str,
    text: str,
    path: tuple[str | int, ...],
    value: tuple[int, int, int],
    key: tuple[int, int, int],
) -> None:
    source = parse_source(text.encode(), Path(name))
    assert source.span(path) == Span(*value)
    told = source.diagnose(Problem(path, "S201", "what", "why", on_key=True))
    assert told == Diagnostic(name, Span(*key), "S201", "what", "why")


def test_line_ends_and_byte_order_marks_do_not_matter() -> None:
    plain = parse_source(b"a: |\n  x\n  y\nb: 1\n", Path("x.yaml"))
    windows = parse_source(b"\xef\xbb\xbfa: |\r\n  x\r\n  y\r\nb: 1\r\n", Path("x.yaml"))
    assert windows.tree == plain.tree == {"a": "x\ny\n", "b": 1}
    assert windows.text == plain.text
    assert windows.span(("b",)) == plain.span(("b",))


def test_a_file_is_known_by_the_name_it_was_given(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "x.yml").write_text("a: 1\n")
    source = read_source(tmp_path / "deep" / ".." / "deep" / "x.yml")
    assert source.file == f"{tmp_path.as_posix()}/deep/../deep/x.yml"
    assert source.folder == (tmp_path / "deep").resolve()


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "ghz.yaml").write_text("a: 1\n")
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    cases = {
        "gzh.yaml": "there is no such file",
        "pipe.yaml": "not a regular file",
        "folder.yaml": "a folder",
        "loop.yaml": "cannot be read",
        "a\0b.yaml": "cannot be read",
        "no/where.yaml": "there is no such file",
    }
    for name, words in cases.items():
        with pytest.raises(SpecError) as error:
            read_source(tmp_path / name)
        (told,) = error.value.diagnostics
        assert told.code == "S101"
        assert words in told.message
        assert told.hint == ("did you mean ghz.yaml?" if name == "gzh.yaml" else told.hint)


def test_a_hundred_megabytes_are_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    with path.open("wb") as file:
        file.truncate(100 * 2**20)
    with pytest.raises(SpecError) as error:
        read_source(path)
    assert error.value.diagnostics[0].code == "S109"


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"[" * 1_000_000, "x.yaml", "S109"),
        (b"a: " + b"{a: " * 500_000, "x.yaml", "S109"),
        (b"- " * 1_000_000, "x.yaml", "S109"),
        (b"? " * 1_000_000, "x.yaml", "S109"),
        (
            b"a: &a [x]\n" + b"".join(b"b%d: [*a, *a]\n" % i for i in range(50_000)),
            "x.yaml",
            "S107",
        ),
        (b"a = " + b"[" * 1_000_000, "x.toml", "S109"),
        (b"a." * 1_000_000 + b"a = 1", "x.toml", "S109"),
        (b"[" + b'"a" . ' * 1_000_000 + b"a]", "x.toml", "S109"),
        (b"a = " + b"{a = " * 500_000, "x.toml", "S109"),
        (b'a = "' + b'\\"' * 1_000_000, "x.toml", "S102"),
        (b'a = """' + b'"" ' * 1_000_000, "x.toml", "S102"),
        (b"a = '''" + b"'' " * 1_000_000, "x.toml", "S102"),
        (b"a = " + b"9" * 1_000_000, "x.toml", "S109"),
        (b"a = 1\n" * 300_000, "x.toml", "S103"),
        (b"a: " + b"9" * 1_000_000, "x.yaml", "S106"),
        (b"a: 010\n" * 300_000, "x.yaml", "S103"),
    ],
)
@pytest.mark.slow
def test_hostile_files_end_quickly(data: bytes, name: str, code: str) -> None:
    told = mistakes(data, name)
    assert code in {item.code for item in told}
    assert len(told) <= MOST_MISTAKES
    assert len(data) < MOST_BYTES


def test_excerpts_never_show_secrets(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    secret = "eyJhbGciOiJub25lIn0.e30.c2lnbmF0dXJl"
    path.write_text(f"a: 'unclosed {secret}\nmy_api_key: abc def\n")
    line_of = line_reader([f"target={secret}", "token=abc"])
    lines = [line_of(path.as_posix(), 1), line_of(path.as_posix(), 2)]
    lines += [line_of("--set", 1), line_of("--set", 2)]
    assert all(line and "***" in line for line in lines)
    assert not any(word in str(lines) for word in (secret, "abc"))
    assert line_of("--set", 3) is line_of(path.as_posix(), 9) is line_of("other", 1) is None


def test_lines_of_what_is_no_file_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "crlf.qasm").write_bytes(b"\xef\xbb\xbfone\r\ntwo\x0cstill two\nthree")
    line_of = line_reader()
    assert [line_of(str(tmp_path / "crlf.qasm"), n) for n in range(5)] == [
        None, "one", "two\x0cstill two", "three", None,
    ]  # fmt: skip
    for file in (tmp_path / "pipe.yaml", "/dev/zero", tmp_path, tmp_path / "gone"):
        assert line_of(str(file), 1) is None
    with pytest.raises(SpecError) as error:
        read_source(tmp_path / "pipe.yaml")
    assert [item.code for item in error.value.diagnostics] == ["S101"]


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b'a: "x\\0y"\n', "x.yaml"),
        (b'"a\\0": 1\n', "x.yaml"),
        (b'a: "\\ud800"\n', "x.yaml"),
        (b'a = "x\\u0000y"\n', "x.toml"),
        (b'"a\\u0000" = {b = 1}\n', "x.toml"),
        (b'a = "\\ud800"\n', "x.toml"),
    ],
)
def test_escapes_put_nothing_into_a_text_that_breaks_it(data: bytes, name: str) -> None:
    assert codes(data, name) == {"S102"}


@pytest.mark.parametrize("text", ["a: [1, 2\n\n\n", 'a: "x\n\n', "a: {b: 1\n", "a: 'x"])
def test_what_is_never_closed_is_told_where_it_begins(text: str) -> None:
    (told,) = mistakes(text.encode())
    assert told.span.line == 1
    assert told.span.column == max(text.find(char) for char in "[{\"'") + 1


def test_the_parser_without_libyaml_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    valid = [YAML, "a: |\n  x\nb: [1, {c: 2e0}]\n"]
    invalid = [
        "a: &x 1\nb: *x\n",
        "a: 010\non: yes\n",
        "[" * 10_000,
        'a: "\\ud800"\n',
        "a: 1\n\tb: 2\n",
    ]
    trees = [parse_source(text.encode(), Path("x.yaml")).tree for text in valid]
    told = [[(i.code, i.span.line) for i in mistakes(text.encode())] for text in invalid]
    monkeypatch.delattr(yaml, "CSafeLoader")
    assert [parse_source(text.encode(), Path("x.yaml")).tree for text in valid] == trees
    assert [[(i.code, i.span.line) for i in mistakes(text.encode())] for text in invalid] == told
