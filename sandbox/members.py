"""A member of a chat: status, an administrator's rights, a restricted member's permissions."""

from dataclasses import dataclass, replace

from sandbox.answers import Json

CREATOR = "creator"
ADMINISTRATOR = "administrator"
MEMBER = "member"
RESTRICTED = "restricted"
LEFT = "left"
KICKED = "kicked"
STATUSES = (CREATOR, ADMINISTRATOR, MEMBER, RESTRICTED, LEFT, KICKED)

# Every administrator has the required rights in its shape, true or false.
REQUIRED_RIGHTS = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_send_welcome_messages",
)
GROUP_RIGHTS = ("can_pin_messages", "can_manage_topics", "can_manage_tags")
CHANNEL_RIGHTS = ("can_post_messages", "can_edit_messages", "can_manage_direct_messages")
RIGHTS = (*REQUIRED_RIGHTS, *GROUP_RIGHTS, *CHANNEL_RIGHTS)

MEDIA_PERMISSIONS = (
    "can_send_audios",
    "can_send_documents",
    "can_send_photos",
    "can_send_videos",
    "can_send_video_notes",
    "can_send_voice_notes",
)
PERMISSIONS = (
    "can_send_messages",
    *MEDIA_PERMISSIONS,
    "can_send_polls",
    "can_send_other_messages",
    "can_add_web_page_previews",
    "can_react_to_messages",
    "can_edit_tag",
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_manage_topics",
)
ALL_PERMISSIONS = frozenset(PERMISSIONS)


@dataclass(frozen=True, slots=True)
class Member:
    """One user in one chat; `permissions` and `is_member` matter only while restricted."""

    user_id: int
    status: str = LEFT
    rights: frozenset[str] = frozenset()
    permissions: frozenset[str] = ALL_PERMISSIONS
    until_date: int = 0
    is_member: bool = True
    is_anonymous: bool = False
    custom_title: str | None = None

    @property
    def is_present(self) -> bool:
        if self.status == RESTRICTED:
            return self.is_member
        return self.status in (CREATOR, ADMINISTRATOR, MEMBER)

    @property
    def is_administrator(self) -> bool:
        return self.status in (CREATOR, ADMINISTRATOR)

    def has_right(self, right: str) -> bool:
        return self.status == CREATOR or (self.status == ADMINISTRATOR and right in self.rights)

    def may(self, permission: str) -> bool:
        """Whether this member's own status allows it, the chat's defaults aside."""
        return self.status != RESTRICTED or permission in self.permissions

    def at(self, now: int) -> "Member":
        """The same member once a timed ban or restriction has run out: no update tells of it."""
        if not self.until_date or now < self.until_date:
            return self
        stays = self.status == RESTRICTED and self.is_member
        return replace(self, status=MEMBER if stays else LEFT, until_date=0)

    def shape(self, user: Json, chat_type: str) -> Json:
        """The Bot API's ChatMember."""
        shape: Json = {"user": user, "status": self.status}
        if self.is_administrator:
            shape["is_anonymous"] = self.is_anonymous
            if self.custom_title:
                shape["custom_title"] = self.custom_title
        if self.status == ADMINISTRATOR:
            extra = CHANNEL_RIGHTS if chat_type == "channel" else GROUP_RIGHTS
            shape["can_be_edited"] = False
            shape.update({right: right in self.rights for right in (*REQUIRED_RIGHTS, *extra)})
        elif self.status == RESTRICTED:
            shape["is_member"] = self.is_member
            shape.update({name: name in self.permissions for name in PERMISSIONS})
        if self.status in (RESTRICTED, KICKED):
            shape["until_date"] = self.until_date
        return shape
