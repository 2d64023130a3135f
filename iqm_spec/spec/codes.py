"""The codes of diagnostics: stable words for scripts, and the text of docs/errors.md."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen


@frozen
class DiagnosticCode:
    """What one code means. `example` is a line or two of a spec that shows the mistake."""

    title: str
    text: str
    example: str = ""


GROUPS: Mapping[str, str] = {
    "S1": "Reading the file",
    "S2": "Fields",
    "S3": "Sweeps",
    "S4": "Circuits",
    "S5": "Targets",
}

CODES: Mapping[str, DiagnosticCode] = {
    "S101": DiagnosticCode(
        "the file cannot be read",
        "It is missing, a folder, not a regular file, not allowed to be read, or its name does not"
        " end in `.yaml`, `.yml` or `.toml`.",
    ),
    "S102": DiagnosticCode(
        "not YAML, not TOML, or not UTF-8",
        "The parser's message, with the place where it stopped; the mistake is often just before."
        " Control characters are not allowed. For `--set` it means that the text is not"
        " `PATH=VALUE`.",
        "args: {num_qubits: ${n}}   # between braces a placeholder needs quotes",
    ),
    "S103": DiagnosticCode(
        "a key twice",
        "YAML readers silently keep one of two equal keys; TOML forbids them.",
        "shots: 1000\nshots: 2000",
    ),
    "S104": DiagnosticCode(
        "a scalar that readers take differently",
        "`010` is 8, 10 or a text; `on` and `no` are true and false or texts; `1:30` is 90; `1_000`"
        " and `0x1F` are numbers to some; dates are dates to some. Quote texts, write numbers out."
        " The keys `n` and `y` are allowed, since axes often have these names.",
        "args: {secret: 0101}   # write '0101'",
    ),
    "S105": DiagnosticCode(
        "a key that is not a text",
        "Names of fields, arguments and axes are texts; a number needs quotes.",
        "args: {1: 0.5}",
    ),
    "S106": DiagnosticCode(
        "a number that JSON cannot hold",
        "Specs hold finite numbers, and whole numbers up to 2^53 - 1, which is what JSON numbers"
        " hold exactly in every language.",
        "seed: 9007199254740993",
    ),
    "S107": DiagnosticCode(
        "anchors, aliases, tags and merge keys",
        "They hide values from the reader, and can make a small file huge. Circuits share the"
        " fields of the top level.",
        "shots: &s 1000",
    ),
    "S108": DiagnosticCode(
        "a merge conflict",
        "Git left its markers in the spec or in a circuit file. Keep one side, and remove the"
        " marker lines.",
        "<<<<<<< HEAD",
    ),
    "S109": DiagnosticCode(
        "too large or too deep",
        "A spec has at most 8 MiB, 2,000,000 values (200,000 outside of sweeps and generator"
        " arguments), and 64 levels of mappings and lists. Sizes are checked before contents.",
    ),
    "S110": DiagnosticCode(
        "not one mapping",
        "A spec is one document that maps fields to values: not empty, not a list, not several"
        " documents.",
        "- shots: 1000",
    ),
    "S111": DiagnosticCode(
        "a file that cannot be extended",
        "`extends` goes one level deep: a file that is extended extends no other. It is written in"
        " the file, not set by `--set`.",
        "extends: base.yaml   # whose own first line is `extends: other.yaml`",
    ),
    "S201": DiagnosticCode(
        "an unknown field",
        "Unknown fields are never ignored.",
        "shotz: 1000",
    ),
    "S202": DiagnosticCode(
        "a missing field",
        "`iqm_spec`, `name`, `target` and `circuits` are needed, and in each circuit one of"
        " `generator`, `qasm`, `qpy` and `stim`. A circuit whose file is chosen by an axis needs"
        " a `name`.",
    ),
    "S203": DiagnosticCode(
        "a value of the wrong type", "The message says what is expected.", "shots: 1k"
    ),
    "S204": DiagnosticCode(
        "a value that is not allowed",
        "The field takes certain words, or texts of a certain form.",
        "mode: slot",
    ),
    "S205": DiagnosticCode("out of range", "A number or a length beyond its bounds.", "shots: 0"),
    "S206": DiagnosticCode(
        "fields that exclude each other",
        "`generator`, `qasm`, `qpy` and `stim` are alternatives; `args` belong to generators,"
        " `parameters` to circuit files; full frame tracking needs MOVE gate validation; `require`"
        " names stages that `stages` has; the stabilizer method simulates without noise; a"
        " reference circuit (`every`) has no `repeat`; `logical_error` decodes shots of Stim files,"
        " which `memory: true` keeps.",
        "- {generator: ghz, qasm: ghz.qasm}",
    ),
    "S207": DiagnosticCode(
        "a secret in the spec",
        "Specs are shared and kept in git. Tokens come from IQM_TOKEN or IQM_TOKENS_FILE. The"
        " message never shows the secret. If it is real, revoke it: it is still in the file.",
        "token: ...",
    ),
    "S208": DiagnosticCode(
        "an unsupported version",
        "The defaults of a version never change; a spec of a newer one needs a newer iqm-spec.",
        "iqm_spec: 2",
    ),
    "S209": DiagnosticCode(
        "a placeholder that is not allowed here",
        "`${axis}` is allowed in sources, arguments, parameters, shots, repeat, layout, transpile,"
        " options and target. Fields of the spec itself cannot change from point to point.",
        'seed: "${n}"',
    ),
    "S301": DiagnosticCode(
        "an axis that nothing uses",
        "Most likely a `${axis}` is missing or misspelt.",
        "sweep: [{grid: {depht: [1, 2]}}]",
    ),
    "S302": DiagnosticCode(
        "an undefined axis",
        "A `${axis}`, or an entry of `exclude` or `include`, names an axis that no block gives.",
        'args: {num_qubits: "${m}"}',
    ),
    "S303": DiagnosticCode(
        "duplicate points",
        "The same point twice. To measure a point several times, write `repeat: k`: each record"
        " then has its own key and seed.",
        "grid: {n: [2, 3, 2]}",
    ),
    "S304": DiagnosticCode(
        "an empty sweep", "No blocks, no axes, no values, or all excluded.", "sweep: []"
    ),
    "S305": DiagnosticCode(
        "zipped axes of different lengths",
        "The axes of a `zip` group advance together.",
        "zip: [{a: [1, 2], b: [1, 2, 3]}]",
    ),
    "S306": DiagnosticCode(
        "arguments of a value function",
        "`range: [start, stop, step]` leaves the stop out; `linspace`, `logspace` and `geomspace`"
        " take `[start, stop, num]` and include both ends.",
        "grid: {n: {range: [5, 5]}}",
    ),
    "S307": DiagnosticCode(
        "too many points",
        "A block has at most 1,000,000 points, and so has a spec: all circuits at all of their"
        " points, times `repeat`. Points are counted before `exclude`.",
        "repeat: 1000000",
    ),
    "S308": DiagnosticCode(
        "an axis given twice, or by some blocks only",
        "In a block an axis is given once. A circuit that uses several axes needs all of them in"
        " each block that gives one of them.",
        "- {grid: {n: [1]}, zip: [{n: [2]}]}",
    ),
    "S309": DiagnosticCode(
        "an exclusion that matches nothing",
        "It excludes no point; most likely it is a mistake.",
        "- {grid: {n: [1, 2]}, exclude: [{n: 3}]}",
    ),
    "S310": DiagnosticCode(
        "a malformed placeholder",
        "A placeholder is `${axis}`; `$${` stands for a literal `${`.",
        'args: {num_qubits: "${n"}',
    ),
    "S311": DiagnosticCode(
        "a circuit's own sweep repeats a common axis",
        "It is not clear which of the two values counts. Rename one of the axes.",
    ),
    "S312": DiagnosticCode(
        "an analysis of an unknown circuit or axis",
        "The names under `analysis` are those of circuits and axes of the spec.",
        "analysis: {mirror_polarization: {circuits: [mirorr]}}",
    ),
    "S313": DiagnosticCode(
        "a wrong data file",
        "A data file is CSV with a line of names first, JSON (a mapping of names to lists, or a"
        " list of mappings), or NPZ with arrays of one or two dimensions; `columns` names columns"
        " that it has. The place is in the data file, where it has lines.",
        "zip: [{from: angles.csv, columns: [thetta]}]",
    ),
    "S401": DiagnosticCode(
        "a file cannot be read",
        "A circuit file, a data file, or the file that a spec extends is missing, a folder, or not"
        " readable.",
    ),
    "S402": DiagnosticCode(
        "a circuit file does not parse",
        "The place is in the circuit file. The first line says whether it is OpenQASM 2 or 3.",
        "OPENQASM 2.0; qreg q[2]; hh q[0];",
    ),
    "S403": DiagnosticCode(
        "no measurement", "A circuit without a measurement has no counts.", "h q[0];"
    ),
    "S404": DiagnosticCode(
        "control flow or reset that the target lacks",
        "The place is the line in the circuit file.",
        "if (c[0] == 1) x q[1];",
    ),
    "S405": DiagnosticCode(
        "an unknown generator",
        "The hint names the nearest. Also: a package that a circuit needs (MQT Bench, Stim) is not"
        " installed.",
        "generator: gzh",
    ),
    "S406": DiagnosticCode(
        "arguments of a generator",
        "An argument is missing, unknown, of the wrong type or out of range;"
        " docs/generators.md lists them.",
        "{generator: ghz, args: {num_qubits: 0}}",
    ),
    "S407": DiagnosticCode(
        "parameters of a circuit file",
        "Every `input` of an OpenQASM 3 file and every free parameter of a QPY file needs a value,"
        " and nothing else has one. Angles that are computed from them must be finite. A generator"
        " leaves no parameter open.",
        "{qasm: rabi.qasm, parameters: {thta: 0.5}}",
    ),
    "S408": DiagnosticCode(
        "a path that leaves the spec's folder",
        "A spec reads files of its own folder and below only, symbolic links resolved.",
        "qasm: ../../etc/passwd",
    ),
    "S409": DiagnosticCode(
        "code that is not allowed",
        "A `python:` generator runs code of its author: allow it with --allow-code MODULE.",
        "generator: python:mylab.circuits:ramsey",
    ),
    "S410": DiagnosticCode(
        "circuits of the same name",
        "Tables and exports identify circuits by name. The default is the file's stem or the last"
        " part of the generator's name; give each a `name:` of its own.",
        "[{generator: ghz}, {generator: ghz}]",
    ),
    "S411": DiagnosticCode(
        "a file that is too large", "A circuit file or a data file has at most 8 MiB."
    ),
    "S501": DiagnosticCode(
        "an unknown target",
        "Built in are garnet, emerald, sirius and deneb; for another machine give `architecture:`.",
        "target: granet",
    ),
    "S502": DiagnosticCode(
        "a circuit larger than the target", "It has more qubits than the machine.", ""
    ),
    "S503": DiagnosticCode(
        "a layout, `avoid` or `region` names what the target lacks",
        "Components are named as on the machine.",
        "layout: [QB1, QB99]",
    ),
    "S504": DiagnosticCode(
        "a layout that does not fit",
        "A layout has one component for each qubit of the circuit, and none twice; `avoid` and"
        " `region` leave qubits.",
        "layout: [QB1, QB2, QB1]",
    ),
    "S505": DiagnosticCode(
        "target, mode and stages contradict",
        "A target is an alias; `:timeslot` means `mode: timeslot`, `:mock` allows the stages aer"
        " and mock only, and the URLs of IQM Resonance are read as their alias. The server is"
        " chosen by --server alone.",
        "{target: garnet:mock, stages: [hardware]}",
    ),
    "S506": DiagnosticCode(
        "a wrong architecture file",
        "It is missing, or not a dynamic quantum architecture as IQM's server gives it.",
        "architecture: machines/pyrite.json",
    ),
    "S507": DiagnosticCode(
        "a noise profile is wrong or missing",
        "The target has no built-in error profile, or the calibration snapshot cannot be used.",
        "aer: {noise: calibration/garnet.json}",
    ),
    "S508": DiagnosticCode(
        "a circuit that cannot be sent verbatim",
        "`transpile: {verbatim: true}` takes the machine's own gates, where the machine has them:"
        " docs/transpiling.md lists them.",
        "rz(0.1) $0;",
    ),
}
"""Every code of a mistake in a spec."""
