"""Arguments of a request: query string, form, multipart and JSON, merged as Slack does."""

from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from bot.sandbox.workspace import strict_json
from bot.sandbox.workspace.errors import SlackError

_MOST_FIELDS = 1000


async def read_body(request: Request, most: int) -> bytes:
    """Return the body. Raises: SlackError request_too_large, request_timeout."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                raise SlackError("request_too_large", status=413)
    except ClientDisconnect as problem:
        raise SlackError("request_timeout", status=408) from problem
    return bytes(body)


async def read(request: Request, most: int) -> dict[str, Any]:
    """Return all arguments. Raises: SlackError: invalid_json, invalid_form_data and the like."""
    args: dict[str, Any] = dict(_pairs(request.url.query))
    body = await read_body(request, most)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not body:
        return args
    if kind == "application/json":
        args |= json_object(body)
    elif kind == "multipart/form-data":
        args |= _multipart(request.headers["content-type"], body)
    elif kind in ("application/x-www-form-urlencoded", ""):
        args |= _pairs(_text(body))
    else:
        raise SlackError("invalid_post_type")
    return args


def json_object(body: bytes) -> dict[str, Any]:
    """Return a JSON body's object. Raises: SlackError invalid_json, json_not_object."""
    try:
        found = strict_json.loads(body or b"{}")
    except ValueError as problem:
        raise SlackError("invalid_json") from problem
    if not isinstance(found, dict):
        raise SlackError("json_not_object")
    return found


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as problem:
        raise SlackError("invalid_form_data") from problem


def _pairs(text: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError as problem:
        raise SlackError("invalid_form_data") from problem


def _multipart(content_type: str, body: bytes) -> dict[str, str]:
    head = b"Content-Type: " + content_type.encode("latin-1") + b"\r\n\r\n"
    form = BytesParser(policy=HTTP).parsebytes(head + body)
    if not form.is_multipart():
        raise SlackError("invalid_form_data")
    found: dict[str, str] = {}
    for part in form.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            found[name] = _text(content)
    return found


def uploaded(content_type: str, body: bytes) -> bytes:
    """Return an uploaded file's bytes: the body itself, or the first file of a multipart form."""
    if not content_type.lower().startswith("multipart/form-data"):
        return body
    head = b"Content-Type: " + content_type.encode("latin-1") + b"\r\n\r\n"
    form = BytesParser(policy=HTTP).parsebytes(head + body)
    if form.is_multipart():
        for part in form.iter_parts():
            content = part.get_payload(decode=True)
            if part.get_filename() and isinstance(content, bytes):
                return content
    raise SlackError("invalid_form_data")
