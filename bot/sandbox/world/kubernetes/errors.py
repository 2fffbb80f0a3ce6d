"""Errors as the API writes them: Status objects."""

from typing import Any


class ApiError(Exception):
    """A refusal with its HTTP code and reason."""

    def __init__(self, code: int, reason: str, message: str, details: dict[str, Any] | None = None):
        super().__init__(message)
        self.code, self.reason, self.message = code, reason, message
        self.details = details or {}

    def body(self) -> dict[str, Any]:
        """Return the Status object."""
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                "message": self.message, "reason": self.reason, "details": self.details,
                "code": self.code}  # fmt: skip


def not_found(plural: str, name: str, group: str = "") -> ApiError:
    """Return a 404 for an object."""
    kind = f"{plural}.{group}" if group else plural
    return ApiError(404, "NotFound", f'{kind} "{name}" not found', {"name": name, "kind": plural})


def no_route() -> ApiError:
    """Return a 404 for a path."""
    return ApiError(404, "NotFound", "the server could not find the requested resource")


def bad_request(message: str) -> ApiError:
    """Return a 400."""
    return ApiError(400, "BadRequest", message)


def invalid(kind: str, name: str, causes: list[tuple[str, str]]) -> ApiError:
    """Return a 422 that names the fields."""
    text = ", ".join(f"{field}: {message}" for field, message in causes)
    details = {"name": name, "kind": kind, "causes": [
        {"reason": "FieldValueInvalid", "message": message, "field": field}
        for field, message in causes
    ]}  # fmt: skip
    return ApiError(422, "Invalid", f'{kind} "{name}" is invalid: {text}', details)


def conflict(plural: str, name: str) -> ApiError:
    """Return a 409 for a stale resourceVersion."""
    text = (f'Operation cannot be fulfilled on {plural} "{name}": the object has been modified; '
            "please apply your changes to the latest version and try again")  # fmt: skip
    return ApiError(409, "Conflict", text, {"name": name, "kind": plural})


def forbidden(user: str, verb: str, what: tuple[str, str, str]) -> ApiError:
    """Return a 403. `what` is (group, plural, name)."""
    group, plural, name = what
    shown = f'{plural}.{group} "{name}"' if group else f'{plural} "{name}"'
    if not name:
        shown = f"{plural}.{group}" if group else plural
    text = (f'{shown} is forbidden: User "{user}" cannot {verb} resource "{plural}" in API group '
            f'"{group}" in the namespace "shop"')  # fmt: skip
    return ApiError(403, "Forbidden", text, {"name": name, "group": group, "kind": plural})
