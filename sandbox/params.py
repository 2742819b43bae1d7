"""Parameters of a Bot API call, read from the query, a form, multipart or JSON."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from aiohttp import BodyPartReader, ClientResponse, MultipartReader, web

from sandbox.answers import Json, bad_request
from sandbox.telegram import File

TRUE = ("true", "yes", "1")


@dataclass(frozen=True, slots=True)
class Params:
    """Everything arrives as text; what does not parse is what Telegram takes it for."""

    values: dict[str, str] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)

    @classmethod
    def of(cls, given: Json) -> "Params":
        """A parameter's own fields, read as parameters are."""
        params = cls()
        _add(params, given.items())
        return params

    def text(self, name: str) -> str:
        return self.values.get(name, "")

    def integer(self, name: str, default: int = 0) -> int:
        try:
            return int(self.values[name])
        except (KeyError, ValueError):
            return default

    def flag(self, name: str) -> bool:
        return self.text(name).lower() in TRUE

    def json(self, name: str) -> object:
        """The parsed parameter; None when it is absent or no JSON."""
        try:
            value: object = json.loads(self.text(name))
        except ValueError:
            return None
        return value

    def object(self, name: str) -> Json:
        value = self.json(name)
        return value if isinstance(value, dict) else {}

    def file(self, name: str) -> File | None:
        """An uploaded file: under its own name, or under the one it is attached by."""
        return self.files.get(self.text(name).removeprefix("attach://") or name)

    def shape(self) -> Json:
        """The parameters as the journal shows them."""
        sizes = {name: f"<{file.name}, {len(file.content)} B>" for name, file in self.files.items()}
        return {**self.values, **sizes}


async def read(request: web.Request) -> Params:
    """The first value of a name wins, and the query comes before the body."""
    params = Params()
    _add(params, request.query.items())
    if request.content_type == "application/json":
        _add(params, _json_values(await request.text()))
    elif request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        _add(params, (await request.post()).items())
    _check_encoding(params)
    return params


async def read_answer(response: ClientResponse) -> Params:
    """The call that a webhook put into its answer, if there is one."""
    params = Params()
    if response.content_type == "application/json":
        _add(params, _json_values(await response.text()))
    elif response.content_type == "multipart/form-data":
        async for part in MultipartReader.from_response(response):
            if isinstance(part, BodyPartReader) and part.name:
                await _add_part(params, part)
    return params


async def _add_part(params: Params, part: BodyPartReader) -> None:
    name, content = str(part.name), bytes(await part.read())
    if part.filename:
        content_type = part.headers.get("Content-Type", "application/octet-stream")
        params.files[name] = File(part.filename, content_type, content)
    else:
        params.values[name] = content.decode()


def _json_values(source: str) -> list[tuple[str, object]]:
    try:
        body = json.loads(source) if source.strip() else {}
    except ValueError:
        raise bad_request("can't parse JSON object") from None
    if not isinstance(body, dict):
        raise bad_request("can't parse JSON object: expected an Object")
    return list(body.items())


def _add(params: Params, items: Iterable[tuple[str, object]]) -> None:
    for name, value in items:
        if isinstance(value, web.FileField):
            content = value.file.read()
            params.files.setdefault(name, File(value.filename, value.content_type, content))
        elif value is not None:
            text = value if isinstance(value, str) else json.dumps(value)
            params.values.setdefault(name, text)


def _check_encoding(params: Params) -> None:
    try:
        "".join(params.values.values()).encode()
    except UnicodeEncodeError:
        raise bad_request("strings must be encoded in UTF-8") from None
