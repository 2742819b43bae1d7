"""The screens of the settings panel: their words and buttons."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from aiogram.filters.callback_data import CallbackData
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup
from markupsafe import Markup

from bot import panel_words as words
from bot.language import Language
from bot.panel_data import (
    CHOICES,
    FOLDERS,
    HIGHEST,
    LOWEST,
    SECTIONS,
    STEPS,
    Draft,
    Open,
    Put,
    category_of,
    chosen,
    drafted,
    parent,
    rule_of,
)
from moderation.categories import TOXIC
from moderation.policy import PRESETS, PUNISH_THRESHOLD, Action
from moderation.preferences import Preferences
from moderation.preview import Preview
from moderation.tables import Chat, PreferenceChange

Button = tuple[str, CallbackData | str]  # its words, and what it carries or the address it opens
_WIDE = 18  # characters of a button that has a row for itself on a phone
MOST_GROUPS = 40  # in one message


@dataclass(frozen=True, slots=True)
class View:
    """A message of the panel."""

    text: str
    markup: InlineKeyboardMarkup


@dataclass(frozen=True, slots=True)
class Panel:
    """The panel of one group, for somebody who speaks a language, at a moment."""

    say: Language
    chat: Chat
    moment: datetime

    @property
    def current(self) -> Preferences:
        """The group's preferences."""
        return Preferences.of(self.chat.preferences)

    def main(self) -> View:
        """Every setting in a line, and the sections."""
        say = self.say
        lines = [
            say(
                "panel.line",
                name=say.plain(f"panel.field.{section}"),
                value=words.summary(say, self.current, section, self.moment),
            )
            for section in SECTIONS
            if section != "history"
        ]
        sections: list[Button] = [
            (say.plain(f"panel.field.{section}"), self._open(section)) for section in SECTIONS
        ]
        others: Button = (say.plain("panel.other_groups"), self._open("groups"))
        rows = [*_in_rows(sections, 2), [others]]
        head = say("panel.main", title=self.chat.title)
        return _made(head, Markup("\n").join(lines), rows)

    def field(self, field: str) -> View:
        """The values of a field."""
        say, current = self.say, self.current
        mark = chosen(current, field)
        if field == "observe_until" and (
            current.observe_until is None or current.observe_until <= self.moment
        ):
            mark = 0
        buttons: list[Button] = [
            (
                ("● " if number == mark else "") + _capital(words.value(say, field, found)),
                Put(chat=self.chat.id, field=field, value=number, sure=field != "preset"),
            )
            for number, found in CHOICES[field].items()
        ]
        width = 1 if any(len(text) > _WIDE for text, _ in buttons) else 2
        rows = [*_in_rows(buttons, width), self._back(parent(field))]
        if field == "preset":
            hint = Markup("\n").join(self._preset(name) for name in PRESETS)
        else:
            hint = say(f"panel.hint.{field}")
        value = words.summary(say, current, field, self.moment)
        return self._titled(field, say("panel.now", value=value) + "\n\n" + hint, rows)

    def folder(self, folder: str) -> View:
        """Several fields, a button each."""
        say = self.say
        fields = FOLDERS[folder]
        lines = [
            say(
                "panel.line",
                name=say.plain(f"panel.field.{field}"),
                value=words.value(say, field, getattr(self.current, field)),
            )
            for field in fields
        ]
        rows = [[(say.plain(f"panel.field.{f}"), self._open(f))] for f in fields]
        hint = say(f"panel.hint.{folder}")
        body = Markup("\n").join(lines) + "\n\n" + hint
        return self._titled(folder, body, [*rows, self._back("main")])

    def categories(self) -> View:
        """The rule of each category."""
        say, lines, buttons = self.say, [], []
        for i, category in enumerate(TOXIC):
            lines.append(say("panel.line", name=say.category(category), value=self._rule(i)))
            buttons.append((say.category(category), Draft(chat=self.chat.id, category=i)))
        body = Markup("\n").join(lines) + "\n\n" + say("panel.hint.categories")
        return self._titled("categories", body, [*_in_rows(buttons, 2), self._back("main")])

    def category(self, draft: Draft, found: Preview) -> View:
        """A category as it is, or as a draft would have it, with the preview of that."""
        say, category = self.say, category_of(draft)
        wanted = drafted(self.current, draft)
        is_new = wanted != self.current
        lines = [say("panel.now", value=self._rule(draft.category))]
        if is_new:
            rule = self._rule(draft.category, wanted)
            lines += [
                say("panel.wanted", value=rule),
                Markup(""),
                words.preview(say, found, category),
            ]
        else:
            lines += [words.caught(say, found, category), Markup(""), say("panel.hint.category")]
        threshold, action = rule_of(wanted, category)
        if action > Action.DELETE and threshold < PUNISH_THRESHOLD * 100:
            lines.append(say("panel.hint.punish", threshold=say.decimal(PUNISH_THRESHOLD)))
        rows = self._rule_buttons(draft, threshold, action)
        if is_new:
            sure = self._draft(draft, threshold, action).model_copy(update={"save": True})
            rows.append(self._decide(sure, Draft(chat=self.chat.id, category=draft.category)))
        head = say("panel.title", title=self.chat.title, name=say.category(category))
        return _made(head, Markup("\n").join(lines), [*rows, self._back("categories")])

    def preset(self, put: Put, name: str, found: Preview) -> View:
        """What another preset would have done, before it is set."""
        say = self.say
        lines = [
            say("panel.now", value=words.value(say, "preset", self.current.preset)),
            say("panel.wanted", value=words.value(say, "preset", name)),
            Markup(""),
            words.preview(say, found, None),
        ]
        sure = put.model_copy(update={"sure": True})
        rows = [self._decide(sure, self._open("preset")), self._back("main")]
        return self._titled("preset", Markup("\n").join(lines), rows)

    def exempt(self) -> View:
        """The people who are never judged."""
        say, people = self.say, self.current.exempt
        lines = [say("panel.exempt.person", id=person) for person in people]
        lines = lines or [say("panel.nobody")]
        buttons: list[Button] = [
            (f"✕ {person}", Put(chat=self.chat.id, field="exempt", value=person))
            for person in people
        ]
        body = Markup("\n").join(lines) + "\n\n" + say("panel.hint.exempt")
        return self._titled("exempt", body, [*_in_rows(buttons, 2), self._back("main")])

    def history(self, changes: Sequence[PreferenceChange]) -> View:
        """The last changes."""
        lines = [words.history(self.say, change) for change in changes]
        body = Markup("\n\n").join(lines or [self.say("panel.history.empty")])
        return self._titled("history", body, [self._back("main")])

    def _preset(self, name: str) -> Markup:
        mark = "●" if name == self.current.preset else "○"
        title, hint = self.say(f"preset.{name}"), self.say(f"preset.{name}.hint")
        return self.say("preset.line", mark=mark, title=title, hint=hint)

    def _rule(self, number: int, wanted: Preferences | None = None) -> Markup:
        threshold, action = rule_of(wanted or self.current, TOXIC[number])
        name = words.action(self.say, action)
        if action is Action.NONE:
            return Markup.escape(name)
        return self.say("panel.rule", action=name, threshold=self.say.decimal(threshold / 100))

    def _rule_buttons(self, draft: Draft, threshold: int, action: Action) -> list[list[Button]]:
        say = self.say
        rows: list[list[Button]] = []
        if action is not Action.NONE:
            lower, higher = max(threshold - STEPS, LOWEST), min(threshold + STEPS, HIGHEST)
            rows.append(
                [
                    (say.plain(key), self._draft(draft, there, action))
                    for key, there in (("panel.stricter", lower), ("panel.milder", higher))
                ]
            )
        actions: list[Button] = [
            (
                ("● " if each is action else "") + _capital(words.action(say, each)),
                self._draft(draft, threshold, each),
            )
            for each in Action
        ]
        return rows + _in_rows(actions, 2)

    def _draft(self, draft: Draft, threshold: int, action: Action) -> Draft:
        return draft.model_copy(update={"threshold": threshold, "action": action.value})

    def _decide(self, sure: CallbackData, cancel: CallbackData) -> list[Button]:
        return [(self.say.plain("panel.save"), sure), (self.say.plain("panel.cancel"), cancel)]

    def _open(self, screen: str) -> Open:
        return Open(chat=self.chat.id, screen=screen)

    def _back(self, screen: str) -> list[Button]:
        return [(self.say.plain("panel.back"), self._open(screen))]

    def _titled(self, name: str, body: Markup, rows: Iterable[Sequence[Button]]) -> View:
        title = self.say.plain(f"panel.field.{name}")
        return _made(self.say("panel.title", title=self.chat.title, name=title), body, rows)


def groups(say: Language, chats: Sequence[Chat]) -> View:
    """The groups whose settings somebody may change, a button each."""
    rows: list[list[Button]] = [
        [(chat.title or str(chat.id), Open(chat=chat.id, screen="main"))]
        for chat in chats[:MOST_GROUPS]
    ]
    return _made(say("panel.groups"), Markup(""), rows)


def links(say: Language, chats: Sequence[Chat], username: str | None) -> View:
    """What a group sees of the panel: the way to it, which leads to a private chat."""
    rows: list[list[Button]] = [
        [
            (
                say.plain("panel.open" if len(chats) == 1 else "panel.open_of", title=chat.title),
                f"https://t.me/{username}?start=settings_{chat.id}",
            )
        ]
        for chat in chats[:MOST_GROUPS]
    ]
    return _made(say("panel.link"), Markup(""), rows)


def _made(head: Markup, body: Markup, rows: Iterable[Sequence[Button]]) -> View:
    keyboard = [[_button(*button) for button in row] for row in rows]
    text = head + "\n\n" + body if body else head
    return View(str(text), InlineKeyboardMarkup(inline_keyboard=keyboard))


def _button(text: str, leads: CallbackData | str) -> InlineKeyboardButton:
    if isinstance(leads, str):
        return InlineKeyboardButton(text=text, url=leads)
    return InlineKeyboardButton(text=text, callback_data=leads.pack())


def _in_rows(buttons: Sequence[Button], width: int) -> list[list[Button]]:
    return [list(buttons[i : i + width]) for i in range(0, len(buttons), width)]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
