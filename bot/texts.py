"""What the bot says, in Russian: cards, notices, answers."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from moderation.categories import TITLES, TOXIC, Category
from moderation.policy import Action, Decision, Policy
from moderation.preferences import Preferences
from moderation.states import Act, ActState, Verdict
from moderation.store import Figures
from moderation.tables import Case, Chat, Enforcement

# The rights without which the bot can only report, as Telegram's settings call them.
RIGHT_TITLES = {
    "can_delete_messages": "удалять сообщения",
    "can_restrict_members": "блокировать участников",
}
PRESET_TITLES = {
    "observe": "наблюдение",
    "soft": "мягкий",
    "standard": "обычный",
    "strict": "строгий",
}
PRESET_HINTS = {
    "observe": "ничего не делаю, только показываю модераторам, что сделал бы",
    "soft": "удаляю угрозы и дискриминацию, за оскорбления предупреждаю, мат разрешён",
    "standard": "удаляю мат, оскорбления, угрозы и дискриминацию, за грубость предупреждаю",
    "strict": "то же при меньшей уверенности; за явные угрозы и дискриминацию запрещаю писать",
}
_HEADS = {
    Action.REVIEW: "🔎 Посмотрите",
    Action.WARN: "⚠️ Предупреждение",
    Action.DELETE: "🗑 Удаление",
    Action.MUTE: "🔇 Запрет писать",
    Action.BAN: "⛔️ Блокировка",
}
ACTION_TITLES = {
    Action.NONE: "оставить",
    Action.REVIEW: "показать модераторам",
    Action.WARN: "предупредить",
    Action.DELETE: "удалить",
    Action.MUTE: "удалить и запретить писать",
    Action.BAN: "удалить и заблокировать",
}
_DONE = {
    Act.NOTICE: "автор предупреждён",
    Act.DELETE: "сообщение удалено",
    Act.MUTE: "автор не может писать",
    Act.BAN: "автор заблокирован",
    Act.UNMUTE: "автор снова может писать",
    Act.UNBAN: "блокировка снята",
    Act.RESTORE: "текст возвращён в группу",
}
_WOULD = {
    Act.NOTICE: "предупредил бы автора",
    Act.DELETE: "удалил бы сообщение",
    Act.MUTE: "запретил бы автору писать",
    Act.BAN: "заблокировал бы автора",
}
_FAILED = {
    Act.NOTICE: "предупредить не удалось",
    Act.DELETE: "удалить не удалось",
    Act.MUTE: "запретить писать не удалось",
    Act.BAN: "заблокировать не удалось",
    Act.UNMUTE: "разрешить писать не удалось",
    Act.UNBAN: "снять блокировку не удалось",
    Act.RESTORE: "вернуть текст не удалось",
}
_VERDICTS = {
    Verdict.CONFIRMED: "✅ Верно",
    Verdict.CLEAN: "🕊 Не токсично",
    Verdict.CORRECTED: "✏️ Исправлено",
}
_TEXT_LIMIT = 1500  # of a message's 4096 characters, so that the rest of a card always fits


def title(category: Category) -> str:
    """A category's Russian title."""
    return TITLES[category]["ru"]


def titles(categories: Iterable[str]) -> str:
    """Russian titles in a row, in lower case."""
    return ", ".join(title(Category(name)).lower() for name in categories)


def bar(score: float, threshold: float | None, width: int) -> str:
    """A probability as a bar, with a mark where the threshold lies."""
    cells = ["█" if (i + 0.5) / width <= score else "░" for i in range(width)]
    if threshold is not None:
        cells.insert(round(threshold * width), "│")
    return "".join(cells)


def bars(
    scores: Mapping[Category, float], policy: Policy, cells: int = 8, *, limits: bool = False
) -> str:
    """A line for each toxic category that the model knows: title, bar, probability.

    Short enough for a phone in monospaced type; `limits` names the thresholds as well.
    """
    lines = []
    width = max(len(title(category)) for category in TOXIC)
    for category in TOXIC:
        if category not in scores:
            continue
        rule = policy.rules.get(category)
        drawn = bar(scores[category], rule.threshold if rule else None, cells)
        line = f"{title(category).ljust(width)} {drawn.ljust(cells + 1)} {scores[category]:.2f}"
        if limits:
            line += f"  порог {rule.threshold:.2f}" if rule else "  разрешено"
        lines.append(line.replace(".", ","))
    return "\n".join(lines)


def card(
    case: Case, chat: Chat, policy: Policy, acts: Sequence[Enforcement], link: str | None
) -> str:
    """The card of a case: what was said, what was decided, what really happened."""
    prediction = case.prediction
    head = f"<b>{_HEADS[prediction.action]}: {titles(case.flagged)}</b> · {escape(chat.title)}"
    said = escape(shorten(case.text))
    if Category.OBSCENITY in case.flagged:
        said = f"<tg-spoiler>{said}</tg-spoiler>"
    where = f' · <a href="{escape(link)}">сообщение</a>' if link else ""
    scores = {Category(name): score for name, score in prediction.scores.items()}
    lines = [
        head,
        f"{escape(case.user_name)}{where}",
        f"<blockquote expandable>{said}</blockquote>",
        f"<pre>{escape(bars(scores, policy))}</pre>",
        happened(acts),
    ]
    if case.verdict:
        who = escape(case.resolved_by_name or "")
        when = f"{case.resolved_at:%d.%m %H:%M} UTC" if case.resolved_at else ""
        lines.append(f"<b>{_VERDICTS[case.verdict]}</b> — {who}, {when}")
    return "\n".join(filter(None, lines))


def happened(acts: Sequence[Enforcement]) -> str:
    """What became of each act, in words."""
    if not acts:
        return "Сообщение оставлено, решать вам."
    words = "; ".join(_outcome(act) for act in acts)
    if any(act.state is ActState.SKIPPED and not act.detail for act in acts):
        return f"Режим наблюдения: {words}."
    return f"{words[0].upper()}{words[1:]}."


def _outcome(row: Enforcement) -> str:
    if row.state is ActState.DONE:
        until = f" до {row.until:%d.%m %H:%M} UTC" if row.until and row.act is Act.MUTE else ""
        return _DONE[row.act] + until
    if row.state is ActState.SKIPPED:
        return f"{_WOULD[row.act]}" if not row.detail else f"{_FAILED[row.act]}: {row.detail}"
    if row.state is ActState.FAILED:
        return f"{_FAILED[row.act]}: {escape(row.detail or '')}"
    return f"{_DONE[row.act]} — ещё выполняется"


def shorten(text: str) -> str:
    """`text` short enough for a card."""
    return text if len(text) <= _TEXT_LIMIT else text[:_TEXT_LIMIT] + "…"


def notice(name: str, flagged: Iterable[str], *, deleted: bool) -> str:
    """The short word to the author in the group."""
    what = "ваше сообщение удалено" if deleted else "пожалуйста, помягче"
    return f"{escape(name)}, {what}: {titles(flagged)}."


def restored(name: str, text: str) -> str:
    """A deleted message that moderators found harmless, back in the group."""
    said = escape(shorten(text))
    return (
        "Сообщение было удалено по ошибке, возвращаю. "
        f"{escape(name)} пишет:\n<blockquote>{said}</blockquote>"
    )


def greeting(chat: Chat) -> str:
    """What the bot will do in a group, and which right it lacks."""
    rights = chat.rights or []
    missing = [name for right, name in RIGHT_TITLES.items() if right not in rights]
    checklist = "\n".join(
        f"{'✅' if right in rights else '❌'} {name}" for right, name in RIGHT_TITLES.items()
    )
    cards = (
        "Карточки приходят в чат модераторов."
        if chat.modchat_id
        else "Карточки о сообщениях приходят в личку тому, кто меня добавил: "
        "напишите мне /start. Общий чат модераторов подключает команда /modchat."
    )
    todo = (
        "\n\nДайте мне, пожалуйста, недостающие права в списке администраторов группы. "
        "До тех пор я только показываю модераторам, что нашёл."
        if missing
        else ""
    )
    return (
        "Здравствуйте! Я помогаю модераторам: замечаю мат, оскорбления, угрозы, "
        f"дискриминацию и грубость.\nРежим — {PRESET_TITLES[preset_of(chat)]}: "
        f"{PRESET_HINTS[preset_of(chat)]}. Сменить: /preset.\n\n"
        f"Мои права:\n{checklist}{todo}\n\n{cards}"
    )


def preset_of(chat: Chat) -> str:
    return Preferences.of(chat.preferences).preset


def presets(chat: Chat) -> str:
    """The presets of a group, each in a line, and which one is set."""
    lines = [
        f"{'●' if name == preset_of(chat) else '○'} <b>{title}</b> — {PRESET_HINTS[name]}"
        for name, title in PRESET_TITLES.items()
    ]
    return f"Режим группы «{escape(chat.title)}»:\n\n" + "\n".join(lines)


def stats(figures: Figures, where: str, hours: int) -> str:
    """The first figures of a chat or of all of them."""
    judged = figures.confirmed + figures.overturned
    right = f" ({figures.confirmed * 100 // judged} %)" if judged else ""
    reasons = "\n".join(
        f"  {title(category)}: {number}" for category, number in _sorted(figures.by_category)
    )
    return "\n".join(
        [
            f"<b>{escape(where)}, за {hours} ч</b>",
            f"Сообщений: {figures.messages}",
            f"Отмечено: {figures.flagged}",
            *([reasons] if reasons else []),
            f"Приняты меры: {figures.acted}",
            f"Модераторы согласились: {figures.confirmed} из {judged}{right}",
            f"Ждут решения: {figures.open_cases}",
            f"Новых меток: {figures.labels}",
        ]
    )


def _sorted(counts: Mapping[Category, int]) -> list[tuple[Category, int]]:
    return sorted(counts.items(), key=lambda pair: -pair[1])


def already(case: Case) -> str:
    """Who decided a case before."""
    verdict = VERDICT_NAMES[case.verdict] if case.verdict else ""
    return ALREADY.format(verdict=verdict, who=case.resolved_by_name)


def decision(found: Decision) -> str:
    """What would be done, and why."""
    if found.category is None:
        return "Решение: оставить."
    why = f"{title(found.category).lower()} {found.score:.2f}".replace(".", ",")
    return f"Решение: {ACTION_TITLES[found.action]} ({why})."


START = (
    "Здравствуйте! Я помогаю модерировать группы: замечаю мат, оскорбления, угрозы, "
    "дискриминацию и грубость, а модераторы поправляют меня кнопками.\n\n"
    "Чтобы начать, добавьте меня в группу: {link}"
)
HELP = (
    "/preset — режим группы\n/modchat — подключить чат модераторов\n"
    "/stats — цифры за сутки\n/check текст — как я оцениваю этот текст"
)
ONLY_MODERATORS = "Это могут только администраторы группы «{title}» с правами модератора."
NOBODY_TO_TELL = "некому прислать карточку: подключите чат модераторов командой /modchat"
GONE = "Этой карточки больше нет в базе."
ALREADY = "Уже решено: {verdict}, {who}."
ALL_GROUPS = "Все группы"
ACCEPTED = "Принято, спасибо!"
MODCHAT_LINK = (
    "Откройте ссылку и выберите чат, куда присылать карточки этой группы: {link}\n"
    "Нужно быть администратором и там, и здесь."
)
MODCHAT_CONNECTED = "Готово: карточки группы «{title}» приходят сюда."
MODCHAT_REFUSED = "Подключить чат может только администратор группы, из которой приходят карточки."
CHECK_USAGE = "Напишите текст после команды: /check текст"

VERDICT_NAMES = {
    Verdict.CONFIRMED: "верно",
    Verdict.CLEAN: "не токсично",
    Verdict.CORRECTED: "исправлено",
}
REASONS = {
    "not enough rights": "нет прав",
    "message can't be deleted": "Telegram не даёт удалить это сообщение",
    "user is an administrator": "автор — администратор",
    "can't remove chat owner": "автор — владелец группы",
    "method is available only for supergroups": "работает только в супергруппах",
    "bot was kicked": "бота удалили из группы",
    "bot is not a member": "бота нет в группе",
    "CHAT_ADMIN_REQUIRED": "бот не администратор",
}
UNKNOWN_WHETHER_SENT = "бот перезапускался, второй раз не отправляю"
CHANNEL_MUTE = "каналу нельзя запретить писать на время"
