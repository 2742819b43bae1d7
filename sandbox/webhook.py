"""A webhook: where updates are pushed to, and how they get there."""

from dataclasses import dataclass


@dataclass(slots=True)
class Webhook:
    """The setup of setWebhook; no URL means that the bot polls."""

    url: str = ""
    secret_token: str = ""
    max_connections: int = 40
    next_change_at: float = 0.0
    last_error_date: int = 0
    last_error_message: str = ""

    def setup(self) -> tuple[str, str, int]:
        return self.url, self.secret_token, self.max_connections
