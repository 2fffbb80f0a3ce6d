"""The signal catalogue: which PromQL gives each signal, by the metrics that exist.

A template is plain PromQL. When it is rendered, every `{…}` gets the environment's matchers, every
`[2m]` the range that the step needs, and every `by (…)` the label of a breakdown that is asked for.
"""

import re
from collections.abc import Sequence

from bot.domain.snapshot import Signal
from tools.read.prometheus.families import calls, kubernetes, nodes, requests, runtimes, servers
from tools.read.prometheus.template import Template

MOST_ALTERNATIVES = 3  # of one signal and source that are asked

TEMPLATES: tuple[Template, ...] = tuple(
    template
    for family in (requests, calls, kubernetes, servers, nodes, runtimes)
    for template in family.templates()
)


def templates_for(signals: Sequence[Signal], metrics: frozenset[str]) -> tuple[Template, ...]:
    """Return the templates to ask: per signal and source, the first whose metrics all exist.

    Where services write that one themselves, also the next ones: other services may write those.
    """
    chosen: dict[tuple[Signal, str], list[Template]] = {}
    for template in TEMPLATES:
        if template.signal in signals and metrics.issuperset(template.needs):
            found = chosen.setdefault((template.signal, template.source), [])
            if not found or (template.own and found[0].own and len(found) < MOST_ALTERNATIVES):
                found.append(template)
    return tuple(template for found in chosen.values() for template in found)


_SELECTOR = re.compile(r"\{([^{}]*)\}")
_BY = re.compile(r"by \(([^)]*)\)")


def render(template: Template, *, matchers: Sequence[str], range_s: int, by: str = "") -> str:
    """Return the PromQL to send. `matchers` go into every selector, `by` into every grouping."""
    scope = ",".join(matchers)
    text = _SELECTOR.sub(
        lambda found: "{" + ",".join(filter(None, (found.group(1), scope))) + "}", template.promql
    )
    text = text.replace("{}", "").replace("[2m]", f"[{_duration(range_s)}]")
    return _BY.sub(rf"by (\1, {by})", text) if by else text


def _duration(seconds: int) -> str:
    return f"{seconds // 60}m" if seconds % 60 == 0 else f"{seconds}s"
