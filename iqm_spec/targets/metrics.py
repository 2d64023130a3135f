"""Quality metrics and calibration values as IQM's servers name them.

A name is a path with suffixes: `metrics.rb.prx.drag_crf.QB1.fidelity:par=d2`,
`characterization.model.QB1.t1_time`, `gates.cz.tgss.QB1__QB2.duration`. Older servers leave the
suffixes out. The rules are those of `QON` in iqm-client (`iqm.station_control.client.qon`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import field, frozen

from iqm_spec.targets.architecture import Locus

_MOST = 1e300


@frozen
class Observation:
    """One number of a calibration set or of its metrics, times in seconds.

    `domain` is `metrics`, `characterization` or `gates`; `method` (`rb`, `irb`, `ssro`, ...) is
    empty but for metrics, `gate` and `implementation` for figures of a component.
    """

    domain: str
    method: str
    gate: str
    implementation: str
    locus: Locus
    quantity: str
    value: float
    suffixes: Mapping[str, str] = field(factory=dict)

    @property
    def title(self) -> str:
        """What it is without the place: `t1_time`, `irb cz fidelity`."""
        return " ".join(filter(None, (self.method, self.gate, self.quantity)))


def observations(data: Any) -> Iterator[Observation]:
    """The numbers in an observation set as a server gives it.

    Left out is what is marked invalid, no finite number, or named in a way that is not known.
    """
    listed = data.get("observations") if isinstance(data, Mapping) else None
    for item in listed if isinstance(listed, list) else ():
        if not isinstance(item, Mapping) or item.get("invalid") is True:
            continue
        name, value = item.get("dut_field"), item.get("value")
        number = _number(value)
        if isinstance(name, str) and number is not None and (read := _read(name, number)):
            yield read


def _number(value: object) -> float | None:
    """`value` as a finite float, None where it is none; Python's integers have no end."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_MOST < value < _MOST:
        return None
    return float(value)


def _read(name: str, value: float) -> Observation | None:
    path, *suffixes = name.split(":")
    domain, *parts = path.split(".")
    pairs = dict(text.split("=", 1) for text in suffixes if "=" in text)
    match domain, parts:
        case "characterization", ["model", component, quantity]:
            return Observation(domain, "", "", "", (component,), quantity, value, pairs)
        case "gates", [gate, kind, locus, quantity]:
            return Observation(domain, "", gate, kind, _locus(locus), quantity, value, pairs)
        case "metrics", [method, gate, kind, locus, quantity]:
            return Observation(domain, method, gate, kind, _locus(locus), quantity, value, pairs)
        case "metrics", [method, locus, quantity]:
            return Observation(domain, method, "", "", _locus(locus), quantity, value, pairs)
    return None


def _locus(text: str) -> Locus:
    return tuple(text.split("__"))


def first_of(
    given: Iterable[Observation], domain: str, quantity: str, method: str = "", gate: str = ""
) -> dict[Locus, float]:
    """By locus, the first value of a quantity: where a name comes twice, IQM's tools take it."""
    values: dict[Locus, float] = {}
    for one in given:
        kind = (one.domain, one.method, one.gate, one.quantity)
        if kind == (domain, method, gate, quantity):
            values.setdefault(one.locus, one.value)
    return values
