"""The control API: what tests and the page do in the place of people and of misfortune."""

import contextlib
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import fields, replace

from aiohttp import web

from sandbox import membership, people, state
from sandbox.answers import Json
from sandbox.chats import CHAT_TYPES, PRIVATE, Chat, User
from sandbox.faults import KINDS, Chance, Fault
from sandbox.members import ADMINISTRATOR, KICKED, PERMISSIONS, RESTRICTED, RIGHTS, Member
from sandbox.telegram import ImpossibleError, Telegram

TELEGRAM = web.AppKey("telegram", Telegram)
FIRST_USER_ID = 5_000_000_000
FIRST_CHAT_ID = -1_001_000_100_000
USER_FIELDS = frozenset(field.name for field in fields(User))
CHAT_FIELDS = ("title", "username", "is_forum", "description", "linked_chat_id", "is_deleted")

Command = Callable[[Telegram, Json], Json]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def add_user(telegram: Telegram, body: Json) -> Json:
    """Create a user, or change the given fields of a known one."""
    if unknown := body.keys() - USER_FIELDS:
        msg = f"unknown fields: {', '.join(sorted(unknown))}"
        raise ImpossibleError(msg)
    user_id = int(body.get("id") or FIRST_USER_ID + telegram.next_identifier())
    user = telegram.users.get(user_id) or User(user_id, str(body["first_name"]))
    for name in body.keys() - {"id"}:
        setattr(user, name, body[name])
    telegram.users[user_id] = user
    telegram.journal.tell("user", user=state.user_state(user))
    return {"user": state.user_state(user)}


def add_chat(telegram: Telegram, body: Json) -> Json:
    """Create a chat, or change the settings of a known one."""
    kind = str(body.get("type", "supergroup"))
    if kind not in CHAT_TYPES:
        msg = f"type is one of {', '.join(CHAT_TYPES)}"
        raise ImpossibleError(msg)
    chat_id = int(body.get("id") or FIRST_CHAT_ID - telegram.next_identifier())
    if kind == PRIVATE:
        telegram.user(chat_id)
    chat = telegram.chat(chat_id) or Chat(chat_id, kind, str(body.get("title", "Чат")))
    for name in CHAT_FIELDS:
        if name in body:
            setattr(chat, name, body[name])
    if "permissions" in body:
        chat.permissions = _granted(body["permissions"])
    chat.topics.update(body.get("topics", []))
    telegram.chats[chat_id] = chat
    for member in body.get("members", []):
        _found(telegram, chat, member, _founder(body))
    telegram.journal.tell("chat", chat=state.chat_state(telegram, chat))
    return {"chat": state.chat_state(telegram, chat)}


def set_member(telegram: Telegram, body: Json) -> Json:
    chat = _chat(telegram, body)
    by = body.get("by")
    wanted = _member(body)
    member = membership.stand(telegram, chat, wanted, int(by) if by else None)
    return {"member": state.member_state(telegram, chat, member)}


def write(telegram: Telegram, body: Json) -> Json:
    chat = _chat(telegram, body)
    user_id = body.get("user_id")
    extra = {name: part for name, part in body.items() if name not in ("chat_id", "user_id")}
    message = people.write(telegram, chat, None if user_id is None else int(user_id), extra)
    return {"message": message.state()}


def edit(telegram: Telegram, body: Json) -> Json:
    extra = {name: part for name, part in body.items() if name not in ("chat_id", "message_id")}
    message = people.edit(telegram, _chat(telegram, body), int(body["message_id"]), extra)
    return {"message": message.state()}


def delete(telegram: Telegram, body: Json) -> Json:
    chat, user_id = _chat(telegram, body), int(body["user_id"])
    message = people.delete(telegram, chat, int(body["message_id"]), user_id)
    return {"message": message.state()}


def press(telegram: Telegram, body: Json) -> Json:
    chat = _chat(telegram, body)
    callback = people.press(telegram, chat, int(body["user_id"]), body)
    return {"callback_query_id": callback.id, "callback": callback.state()}


def inject(telegram: Telegram, body: Json) -> Json:
    return {"update_id": telegram.updates.inject(dict(body["update"]))}


def migrate(telegram: Telegram, body: Json) -> Json:
    new_id = int(body.get("new_id") or FIRST_CHAT_ID - telegram.next_identifier())
    new = membership.migrate(telegram, _chat(telegram, body), new_id)
    return {"chat": state.chat_state(telegram, new)}


def plan_fault(telegram: Telegram, body: Json) -> Json:
    """Plan a fault for the next calls, or with a `rate` leave faults of some kinds to chance."""
    if "rate" in body:
        return _leave_to_chance(telegram, body)
    kind = _kind(body["kind"])
    fault = Fault(str(body.get("method", "*")).lower(), kind, int(body.get("count", 1)))
    fault.retry_after = int(body.get("retry_after", fault.retry_after))
    fault.seconds = float(body.get("seconds", fault.seconds))
    telegram.faults.plan(fault)
    return {"planned": len(telegram.faults.planned)}


def clear_faults(telegram: Telegram, body: Json) -> Json:
    telegram.faults.clear()
    return {"planned": 0}


def redeliver(telegram: Telegram, body: Json) -> Json:
    return {"redelivered": telegram.updates.redeliver(int(body.get("count", 1)))}


def reorder(telegram: Telegram, body: Json) -> Json:
    """Let chats overtake one another, as after an outage of Telegram's."""
    return {"reordered": telegram.updates.reorder(random.Random(int(body.get("seed", 0))))}


def advance_clock(telegram: Telegram, body: Json) -> Json:
    telegram.clock.advance(float(body["advance"]))
    telegram.updates.wake()
    telegram.journal.tell("clock", now=telegram.clock.now())
    return {"now": telegram.clock.now()}


def set_features(telegram: Telegram, body: Json) -> Json:
    """Switch off what a server of an older version does not know, or on again."""
    if unknown := body.keys() - telegram.features.keys():
        msg = f"unknown features: {', '.join(sorted(unknown))}"
        raise ImpossibleError(msg)
    telegram.features.update({name: bool(value) for name, value in body.items()})
    return {"features": telegram.features}


def show_state(telegram: Telegram, body: Json) -> Json:
    """All there is, or with a `chat_id` only that chat: a long run makes the whole large."""
    if "chat_id" in body:
        return {"chats": [state.chat_whole(telegram, _chat(telegram, body))]}
    return state.snapshot(telegram)


def show_calls(telegram: Telegram, body: Json) -> Json:
    method = str(body.get("method", "")).lower()
    calls = [call.shape() for call in telegram.journal.calls if method in ("", call.method.lower())]
    return {"calls": calls}


def show_callbacks(telegram: Telegram, body: Json) -> Json:
    return {"callbacks": [callback.state() for callback in telegram.callbacks.values()]}


async def events(request: web.Request) -> web.StreamResponse:
    """What happens from now on, as server-sent events."""
    response = web.StreamResponse(headers={"Cache-Control": "no-store"})
    response.content_type = "text/event-stream"
    left = contextlib.suppress(ConnectionResetError)
    with request.app[TELEGRAM].journal.listen() as listener, left:
        await response.prepare(request)
        await response.write(b": listening\n\n")
        while event := await listener.get():
            await response.write(b"data: " + json.dumps(event).encode() + b"\n\n")
    return response


async def file(request: web.Request) -> web.Response:
    found = request.app[TELEGRAM].files.get(request.match_info["file_id"])
    if found is None:
        raise web.HTTPNotFound
    return web.Response(body=found.content, content_type=found.content_type)


def routes() -> list[web.RouteDef]:
    return [
        web.post("/sandbox/users", _handler(add_user)),
        web.post("/sandbox/chats", _handler(add_chat)),
        web.post("/sandbox/members", _handler(set_member)),
        web.post("/sandbox/messages", _handler(write)),
        web.post("/sandbox/edits", _handler(edit)),
        web.post("/sandbox/deletions", _handler(delete)),
        web.post("/sandbox/presses", _handler(press)),
        web.post("/sandbox/updates", _handler(inject)),
        web.post("/sandbox/migrations", _handler(migrate)),
        web.post("/sandbox/faults", _handler(plan_fault)),
        web.delete("/sandbox/faults", _handler(clear_faults)),
        web.post("/sandbox/redeliveries", _handler(redeliver)),
        web.post("/sandbox/reorderings", _handler(reorder)),
        web.post("/sandbox/features", _handler(set_features)),
        web.post("/sandbox/clock", _handler(advance_clock)),
        web.get("/sandbox/state", _handler(show_state)),
        web.get("/sandbox/calls", _handler(show_calls)),
        web.get("/sandbox/callbacks", _handler(show_callbacks)),
        web.get("/sandbox/events", events),
        web.get("/sandbox/files/{file_id}", file),
    ]


def _handler(command: Command) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        try:
            body = await request.json() if request.can_read_body else dict(request.query)
            return web.json_response(command(request.app[TELEGRAM], body))
        except KeyError as error:
            return _refusal(f"{error.args[0]} is missing")
        except (ImpossibleError, ValueError, TypeError, AttributeError) as error:
            return _refusal(str(error))

    return handle


def _refusal(reason: str) -> web.Response:
    return web.json_response({"error": reason}, status=400)


def _chat(telegram: Telegram, body: Json) -> Chat:
    chat = telegram.chat(int(body["chat_id"]))
    if chat is None:
        msg = f"there is no chat {body['chat_id']}"
        raise ImpossibleError(msg)
    return chat


def _kind(value: object) -> str:
    if value not in KINDS:
        msg = f"kind is one of {', '.join(KINDS)}"
        raise ImpossibleError(msg)
    return str(value)


def _leave_to_chance(telegram: Telegram, body: Json) -> Json:
    rate, seed, method = float(body["rate"]), int(body.get("seed", 0)), body.get("method", "*")
    kinds = [_kind(kind) for kind in body.get("kinds", KINDS)]
    telegram.faults.chance = Chance(rate, seed, kinds, str(method).lower())
    return {"rate": rate}


def _founder(body: Json) -> int | None:
    members = body.get("members", [])
    return next((member["user_id"] for member in members if member["status"] == "creator"), None)


def _found(telegram: Telegram, chat: Chat, body: Json, founder: int | None) -> None:
    """People were in a new chat before anyone looked; the bot is added before its eyes."""
    member = _member(body)
    if member.user_id == telegram.bot.id:
        membership.stand(telegram, chat, member, founder)
    else:
        chat.members[telegram.user(member.user_id).id] = member


def _member(body: Json) -> Member:
    """The standing asked for, with only the fields that its status has."""
    member = Member(int(body["user_id"]), str(body["status"]))
    if member.status == ADMINISTRATOR:
        rights = frozenset(name for name in RIGHTS if body.get(name))
        member = replace(member, rights=rights | {"can_manage_chat"})
    if member.status == RESTRICTED:
        is_member = bool(body.get("is_member", True))
        permissions = _granted(body.get("permissions", body))
        member = replace(member, permissions=permissions, is_member=is_member)
    if member.status in (RESTRICTED, KICKED):
        member = replace(member, until_date=int(body.get("until_date", 0)))
    title = body.get("custom_title")
    return replace(member, is_anonymous=bool(body.get("is_anonymous")), custom_title=title)


def _granted(given: Json) -> frozenset[str]:
    """Exactly what is given: here no permission follows another."""
    return frozenset(name for name in PERMISSIONS if given.get(name) is True)
