"""Bot API methods by which the bot receives updates: polling, or a webhook."""

import re
import time
from urllib.parse import urlsplit

from sandbox.answers import Described, Json, bad_request, conflict, too_many_requests
from sandbox.params import Params
from sandbox.telegram import Telegram
from sandbox.webhook import Webhook

WEBHOOK_ACTIVE = (
    "can't use getUpdates method while webhook is active; "
    "use deleteWebhook to delete the webhook first"
)
MAX_SECRET = 256


async def get_updates(telegram: Telegram, params: Params) -> list[Json]:
    updates = telegram.updates
    if telegram.webhook.url:
        raise await updates.refuse(conflict(WEBHOOK_ACTIVE))
    updates.subscribe(params.json("allowed_updates"))
    limit, timeout = params.integer("limit", 100), params.integer("timeout")
    return await updates.poll(params.integer("offset"), limit, timeout)


def set_webhook(telegram: Telegram, params: Params) -> Described:
    """Take any URL, as a server started with --local does."""
    if not (url := params.text("url")):
        return delete_webhook(telegram, params)
    if time.monotonic() < telegram.webhook.next_change_at:
        raise too_many_requests(1)
    _check_url(url)
    secret = _secret(params)
    connections = min(max(params.integer("max_connections", 40), 1), 100)
    old, subscribed = telegram.webhook, telegram.updates.allowed
    telegram.updates.subscribe(params.json("allowed_updates"))
    telegram.webhook = Webhook(url, secret, connections, next_change_at=time.monotonic() + 1)
    same = telegram.webhook.setup() == old.setup() and subscribed == telegram.updates.allowed
    if params.flag("drop_pending_updates"):
        telegram.updates.drop_pending()
    elif same:
        telegram.webhook = old
        return Described(True, "Webhook is already set")
    telegram.updates.interrupt(conflict("terminated by setWebhook request"))
    telegram.updates.wake()
    return Described(True, "Webhook was set")


def delete_webhook(telegram: Telegram, params: Params) -> Described:
    was_set = bool(telegram.webhook.url)
    if params.flag("drop_pending_updates"):
        telegram.updates.drop_pending()
    telegram.webhook = Webhook()
    return Described(True, f"Webhook {'was' if was_set else 'is already'} deleted")


def get_webhook_info(telegram: Telegram, params: Params) -> Json:
    webhook = telegram.webhook
    info: Json = {
        "url": webhook.url,
        "has_custom_certificate": False,
        "pending_update_count": len(telegram.updates.pending),
    }
    if webhook.url:
        info["max_connections"] = webhook.max_connections
        info["ip_address"] = "127.0.0.1"
    if webhook.last_error_date:
        info["last_error_date"] = webhook.last_error_date
        info["last_error_message"] = webhook.last_error_message
    if allowed := telegram.updates.allowed_shape():
        info["allowed_updates"] = allowed
    return info


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise bad_request("invalid webhook URL specified")


def _secret(params: Params) -> str:
    secret = params.text("secret_token")
    if len(secret) > MAX_SECRET:
        raise bad_request("secret token is too long")
    if not re.fullmatch(r"[A-Za-z0-9_-]*", secret):
        raise bad_request("secret token contains unallowed characters")
    return secret
