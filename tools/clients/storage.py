"""Sizes as Kubernetes writes them: "20Gi" is how many bytes."""

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from bot.domain.errors import Malformed

_UNITS = {
    **{unit: 1024**n for n, unit in enumerate(("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"))},
    **{unit: 1000**n for n, unit in enumerate(("", "k", "M", "G", "T", "P", "E"))},
}
_QUANTITY = re.compile(r"([0-9]{1,19}(?:\.[0-9]{1,9})?)([A-Za-z]{0,2}|[eE][0-9]{1,2})")


def bytes_of(quantity: Any) -> int:
    """Return a storage quantity in bytes, rounded up.

    Raises: Malformed: it is none. Source:
    https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
    """
    found = _QUANTITY.fullmatch(str(quantity))
    try:
        number = Decimal(found.group(1)) if found else None
    except InvalidOperation:
        number = None
    unit = found.group(2) if found else ""
    if number is not None and unit[:1] in ("e", "E") and unit[1:].isdigit():
        number, unit = number * 10 ** int(unit[1:]), ""
    if number is None or unit not in _UNITS:
        raise Malformed(f"{str(quantity)[:40]} is not a size such as 20Gi")
    return -int(-(number * _UNITS[unit]) // 1)
