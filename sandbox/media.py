"""Photos and documents: the files behind them, and how messages and getFile show them."""

import mimetypes
import struct

from sandbox.answers import Json, bad_request
from sandbox.params import Params
from sandbox.telegram import File, Telegram

KINDS = ("photo", "document")
PERMISSIONS = {"photo": "can_send_photos", "document": "can_send_documents"}


def given(telegram: Telegram, params: Params, kind: str) -> Json:
    """The part of a message for the file in the parameter `kind`, uploaded or already known."""
    source = params.text(kind)
    return _part(telegram, kind, source, params.file(kind))


def attached(telegram: Telegram, params: Params) -> tuple[Json, Json]:
    """The InputMedia in the parameter `media`, and the part of a message it stands for."""
    media = params.json("media")
    if not isinstance(media, dict):
        raise bad_request("media is not specified" if media is None else "object expected as media")
    kind, source = media.get("type"), str(media.get("media", ""))
    if kind not in KINDS:
        raise bad_request("the sandbox knows only photos and documents as media")
    part = _part(telegram, kind, source, params.files.get(source.removeprefix("attach://")))
    if media.get("has_spoiler") is True:
        part["has_media_spoiler"] = True
    if media.get("show_caption_above_media") is True:
        part["show_caption_above_media"] = True
    return media, part


def get_file(telegram: Telegram, params: Params) -> Json:
    file_id = params.text("file_id")
    file = telegram.files.get(file_id)
    if file is None:
        raise bad_request("invalid file_id")
    return _file_shape(file_id, file) | {"file_path": _path(file_id, file)}


def at_path(telegram: Telegram, path: str) -> File | None:
    """The file that getFile has named this path for."""
    files = telegram.files.items()
    return next((file for file_id, file in files if _path(file_id, file) == path), None)


def _part(telegram: Telegram, kind: str, source: str, upload: File | None) -> Json:
    file_id, file = _kept(telegram, kind, source, upload)
    shape = _file_shape(file_id, file)
    if kind == "document":
        return {"document": shape | {"file_name": file.name, "mime_type": file.content_type}}
    width, height = _picture_size(file.content)
    return {"photo": [{"width": width, "height": height, **shape}]}


def _kept(telegram: Telegram, kind: str, source: str, upload: File | None) -> tuple[str, File]:
    if upload:
        file_id = f"sandbox-{kind}-{telegram.next_identifier()}"
        telegram.files[file_id] = upload
        return file_id, upload
    if not source:
        raise bad_request(f"there is no {kind} in the request")
    if source not in telegram.files:
        raise bad_request("wrong file identifier/HTTP URL specified")
    return source, telegram.files[source]


def _path(file_id: str, file: File) -> str:
    folder = "photos" if "-photo-" in file_id else "documents"
    return f"{folder}/{file_id}{mimetypes.guess_extension(file.content_type) or ''}"


def _file_shape(file_id: str, file: File) -> Json:
    return {
        "file_id": file_id,
        "file_unique_id": f"unique-{file_id}",
        "file_size": len(file.content),
    }


def _picture_size(content: bytes) -> tuple[int, int]:
    """A PNG's own size; other pictures are not looked into."""
    if content.startswith(b"\x89PNG") and len(content) >= 24:
        width, height = struct.unpack(">II", content[16:24])
        return width, height
    return 800, 600
