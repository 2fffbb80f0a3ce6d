"""Who sent a request: signatures over the raw body and shared secrets, compared in constant time.

Each door takes several secrets, so that they can be changed without a gap.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime

from bot.intake.answers import TurnedAway

MOST_SIGNATURES = 16  # of one header
TOLERANCE_S = 300  # wall, between a generic delivery's timestamp and now
_HEX = re.compile(r"[0-9a-fA-F]{64}")
_SECONDS = re.compile(r"[0-9]{1,12}")


def check_signature(body: bytes, header: str, secrets: Sequence[str]) -> None:
    """Let pass what one of the secrets signed: `v1=<hex>[,v1=<hex>…]`, HMAC-SHA256 of the body.

    Raises: TurnedAway: 400 without a signature of this form, 403 when none fits.
    Source: PagerDuty developer documentation, "Verifying Signatures".
    """
    given = _signatures(header)
    if not given:
        words = "The signature header is missing or not of the form v1=<64 hexadecimal digits>."
        raise TurnedAway(400, "unsigned", words)
    wanted = [hmac.new(s.encode(), body, hashlib.sha256).digest() for s in secrets]
    fits = [hmac.compare_digest(g, w) for g in given for w in wanted]  # all: no early way out
    if not any(fits):
        raise TurnedAway(403, "signature", "The signature does not fit the body.")


def check_stamped(
    body: bytes, header: str, stamp: str, secrets: Sequence[str], now: datetime
) -> None:
    """Let pass what was signed with its time, `<unix seconds>.<body>`, not long ago.

    Raises: TurnedAway: 400 without time or signature, 403 when it is too old or does not fit.
    """
    if not _SECONDS.fullmatch(stamp):
        raise TurnedAway(400, "unsigned", "The timestamp header is missing or not unix seconds.")
    check_signature(stamp.encode() + b"." + body, header, secrets)
    if abs(now.timestamp() - int(stamp)) > TOLERANCE_S:
        raise TurnedAway(403, "old", f"The timestamp is more than {TOLERANCE_S} s from now.")


def check_secret(header: str, secrets: Sequence[str]) -> None:
    """Let pass who knows a secret: as bearer token, or as the password of basic authentication.

    Raises: TurnedAway: 401.
    """
    given = _secret_of(header)
    fits = [hmac.compare_digest(given.encode(), s.encode()) for s in secrets]
    if not given or not any(fits):
        words = "Send the shared secret: Authorization: Bearer <secret>, or as basic password."
        raise TurnedAway(401, "secret", words, {"WWW-Authenticate": "Bearer"})


def sign(body: bytes, secret: str) -> str:
    """Return the header of a body that this secret signs."""
    return "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _signatures(header: str) -> list[bytes]:
    parts = (part.strip().partition("=") for part in header.split(",", MOST_SIGNATURES))
    return [bytes.fromhex(hx) for version, _, hx in parts if version == "v1" and _HEX.fullmatch(hx)]


def _secret_of(header: str) -> str:
    scheme, _, rest = header.strip().partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        pair = base64.b64decode(rest.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return ""
    return pair.partition(":")[2]
