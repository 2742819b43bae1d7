"""How far things have come, and what was decided: the values of the tables' columns."""

from enum import StrEnum


class UpdateState(StrEnum):
    """How far an update has come."""

    PENDING = "pending"
    DONE = "done"
    QUARANTINED = "quarantined"


class Verdict(StrEnum):
    """What the moderators said about a case."""

    CONFIRMED = "confirmed"
    CLEAN = "clean"
    CORRECTED = "corrected"


class Origin(StrEnum):
    """Why there is a case."""

    DECISION = "decision"  # the policy asked for it
    REPORT = "report"  # a member asked for it
    AUDIT = "audit"  # drawn at random among the messages that passed


class PersonDecision(StrEnum):
    """What a moderator decided about the author of a message."""

    WARN = "warn"
    MUTE_HOUR = "mute_hour"
    MUTE_DAY = "mute_day"
    BAN = "ban"
    FORGIVE = "forgive"


class Act(StrEnum):
    """One call that changes something for people, or takes such a change back."""

    NOTICE = "notice"
    DELETE = "delete"
    MUTE = "mute"
    BAN = "ban"
    UNMUTE = "unmute"
    UNBAN = "unban"
    RESTORE = "restore"  # the deleted words stand in the chat again, as a quote


class ActState(StrEnum):
    """What became of an act. Attempted without an outcome: the bot stopped in between."""

    PENDING = "pending"
    ATTEMPTED = "attempted"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class Step(StrEnum):
    """What an act follows from. Each happens to a case once, save for a change of mind about the
    person: forgiving."""

    DECISION = "decision"
    VERDICT = "verdict"
    PERSON = "person"
    FORGIVE = "forgive"


class AssignmentState(StrEnum):
    """How far a moderator has come with a case of the queue."""

    SHOWN = "shown"
    SKIPPED = "skipped"
    ANSWERED = "answered"


class Source(StrEnum):
    """How a label was given."""

    BUTTON = "button"
    REPORT = "report"
    AUDIT = "audit"
    REVIEW = "review"
    SECOND = "second"
    IMPORT = "import"


class RunState(StrEnum):
    """How a training run stands, or how it ended."""

    RUNNING = "running"
    FINISHED = "finished"  # a version was published, whatever the gate says of it
    CANCELLED = "cancelled"
    FAILED = "failed"  # it said why
    INTERRUPTED = "interrupted"  # it was gone without a word


class RunDecision(StrEnum):
    """What an operator decided about a version that was published."""

    ENABLED = "enabled"
    KEPT = "kept"  # the champion stays
    FORCED = "forced"  # enabled against the gate's word
