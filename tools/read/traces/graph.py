"""Who calls whom, taken from spans: by their parents, and by calls to what sends no spans."""

from collections.abc import Iterable, Sequence

from bot.domain.snapshot import Source, Span
from tools.clients.names import host_of

KIND = "span.kind"
PEERS = ("peer.service", "server.address", "net.peer.name", "db.system", "messaging.system")
OUTWARD = ("client", "producer")


def edges_of(spans: Iterable[Span], namespaces: Sequence[str]) -> dict[tuple[str, str], Source]:
    """Return caller and callee with where it was seen: by parents, and by calls out of sight."""
    known = {(s.trace_id, s.span_id): s for s in spans}
    answered = {(s.trace_id, s.parent_id) for s in known.values()}
    found: dict[tuple[str, str], Source] = {}
    for key, span in known.items():
        parent = known.get((span.trace_id, span.parent_id or ""))
        if parent is not None and parent.service != span.service:
            found.setdefault((parent.service, span.service), span.source)
        peer = next((span.attributes[p] for p in PEERS if span.attributes.get(p)), "")
        outward = span.attributes.get(KIND) in OUTWARD
        if peer and outward and key not in answered:
            callee = host_of(peer, namespaces)
            if callee != span.service:
                found.setdefault((span.service, callee), span.source)
    return found
