"""Quantities as Kubernetes writes them: "250m", "1.5", "512Mi"; nothing else is one."""

import re
from decimal import Decimal

_FORM = re.compile(
    r"([0-9]{1,15}(?:\.[0-9]{1,9})?)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]{1,2})?", re.ASCII
)
_FACTORS = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    **{unit: Decimal(1000) ** (i + 1) for i, unit in enumerate("kMGTPE")},
    **{f"{unit}i": Decimal(1024) ** (i + 1) for i, unit in enumerate("KMGTPE")},
}


def quantity(text: object) -> Decimal | None:
    """Return the number that a quantity stands for, None if the text is none.

    Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
    """
    found = _FORM.fullmatch(str(text)) if isinstance(text, str | int) else None
    if found is None or isinstance(text, bool):
        return None
    return Decimal(found[1]) * _factor(found[2] or "")


def written(value: Decimal, like: str) -> str:
    """Return a number in the unit of another quantity, rounded up to a whole one."""
    found = _FORM.fullmatch(like)
    unit = (found[2] or "") if found else ""
    unit = unit if unit in _FACTORS else ""
    whole = (value / _factor(unit)).to_integral_value(rounding="ROUND_CEILING")
    return f"{whole}{unit}"


def _factor(unit: str) -> Decimal:
    if unit[1:].lstrip("+-").isdigit() and unit[0] in "eE":
        return Decimal(10) ** int(unit[1:])
    return _FACTORS.get(unit, Decimal(1))
