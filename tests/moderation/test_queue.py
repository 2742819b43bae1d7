import random
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation import database, queue, store
from moderation.categories import TOXIC, Category
from moderation.columns import now
from moderation.policy import PRESETS, Action
from moderation.preferences import Preferences
from moderation.queue import Kind
from moderation.states import AssignmentState, Origin, Source, Verdict
from moderation.tables import Case, Prediction
from moderation.usefulness import (
    COMPARISONS,
    HARM,
    NEAR,
    Candidate,
    best,
    grams,
    similarity,
    uncertainty,
    usefulness,
)

STANDARD = PRESETS["standard"]
GROUP, OTHER = -1, -2
ANNA, BORIS, VERA = 11, 12, 13
TOXIC_VECTOR = {**dict.fromkeys(TOXIC, 0), Category.INSULT: 1, Category.NON_TOXIC: 0}

words = st.text("абвгдежзиклмнопрст ", max_size=40)
shares = st.floats(0, 1)
scores = st.dictionaries(st.sampled_from([c.value for c in TOXIC]), shares)


@given(shares, st.floats(0.01, 0.99))
def test_uncertainty_is_highest_at_the_threshold(score, threshold):
    assert 0 <= uncertainty(score, threshold) <= 1
    assert uncertainty(threshold, threshold) == 1


@given(st.floats(0.01, 0.99), shares, shares)
def test_the_nearer_to_the_threshold_the_less_certain(threshold, one, other):
    for low, high in ((0, threshold), (1, threshold)):
        near, far = (high + (low - high) * x for x in sorted((one, other)))
        assert uncertainty(near, threshold) >= uncertainty(far, threshold) - 1e-9


@given(words, words)
def test_similarity_is_symmetric_and_one_for_the_same(one, other):
    a, b = grams(one), grams(other)
    assert similarity(a, b) == similarity(b, a)
    assert 0 <= similarity(a, b) <= 1
    assert similarity(a, a) == 1


def test_case_and_spaces_make_no_difference():
    assert similarity(grams("Ты  НЕ прав"), grams("ты не прав")) == 1
    assert similarity(grams("ты не прав"), grams("кошка на окне")) < 0.1


@given(scores, words, st.lists(words, max_size=5))
def test_usefulness_is_a_share_and_falls_with_likeness(found, text, recent):
    seen = [grams(said) for said in recent]
    alone = usefulness(found, STANDARD, grams(text), [])
    assert 0 <= usefulness(found, STANDARD, grams(text), seen) <= alone <= 1
    assert usefulness(found, STANDARD, grams(text), [grams(text)]) == 0


def test_harm_weighs_among_equally_uncertain():
    def at_threshold(category):
        found = {category.value: STANDARD.rules[category].threshold}
        return usefulness(found, STANDARD, grams("слово"), [])

    order = [Category.THREAT, Category.INSULT, Category.OBSCENITY, Category.RUDE]
    worth = [at_threshold(category) for category in order]
    assert worth == sorted(worth, reverse=True)
    assert len(set(worth)) == 4
    assert at_threshold(Category.DISCRIMINATION) == worth[0]
    assert set(HARM) == set(TOXIC)


def test_what_a_group_allows_teaches_nothing():
    assert usefulness({"obscenity": 0.5}, PRESETS["soft"], grams("слово"), []) == 0


def a_candidate(case_id, text, score=0.75, chat_id=GROUP):
    return Candidate(case_id, chat_id, text, {"insult": score}, STANDARD)


@given(st.lists(st.tuples(words, shares), max_size=12, unique=True), st.randoms())
def test_the_choice_does_not_depend_on_the_order(texts, rng):
    candidates = [a_candidate(i, text, score) for i, (text, score) in enumerate(texts)]
    mixed = candidates.copy()
    rng.shuffle(mixed)
    assert best(candidates, ["вот"], [(GROUP, "а б")]) == best(mixed, ["вот"], [(GROUP, "а б")])


@given(st.lists(words, max_size=12), st.lists(words, max_size=12))
def test_near_duplicates_of_labelled_texts_are_left_out(texts, labelled):
    candidates = [a_candidate(i, text) for i, text in enumerate(texts)]
    chosen = best(candidates, [], [(GROUP, text) for text in labelled])

    def is_near(text):
        return any(
            similarity(grams(text), grams(said)) >= NEAR
            for said in labelled
            if min(sum(map(str.isalnum, text)), sum(map(str.isalnum, said))) >= 10
        )

    fresh = [i for i, text in enumerate(texts) if not is_near(text)]
    assert chosen in fresh if fresh else chosen is None


def test_only_the_labels_of_the_same_group_count():
    text = "Какой же ты глупый человек"
    near = text + "!"
    assert best([a_candidate(1, text)], [], [(GROUP, near)]) is None
    assert best([a_candidate(1, text, chat_id=OTHER)], [], [(GROUP, near)]) == 1


def test_short_words_are_asked_about_again():
    assert best([a_candidate(1, "ты что")], [], [(GROUP, "ты что")]) == 1


def test_comparisons_are_bounded():
    text = "Какой же ты глупый человек"
    labelled = [(GROUP, f"совсем другое сообщение {i}") for i in range(COMPARISONS)]
    assert best([a_candidate(1, text)], [], [*labelled, (GROUP, text)]) == 1


@given(st.integers(1, 2**52), st.integers(0, 50))
def test_of_each_block_one_is_an_audit_and_one_a_second_opinion(moderator, block):
    kinds = [kind for i in range(20) if (kind := queue.kind_of(moderator, 20 * block + i))]
    for i in range(0, 20, 4):
        assert kinds[i : i + 4].count(Kind.AUDIT) == 1
    assert kinds.count(Kind.SECOND) == 1


def test_the_places_in_a_block_differ():
    places = {i % 4 for i in range(200) if queue.kind_of(ANNA, i) is Kind.AUDIT}
    assert places == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("origin", "verdict", "seconded", "labelled_by", "source"),
    [
        (Origin.DECISION, None, False, (), Source.REVIEW),
        (Origin.REPORT, None, True, (), Source.REVIEW),
        (Origin.AUDIT, None, False, (), Source.AUDIT),
        (Origin.DECISION, Verdict.CLEAN, True, (BORIS,), Source.SECOND),
        (Origin.AUDIT, Verdict.CLEAN, True, (BORIS,), Source.SECOND),
        (Origin.DECISION, Verdict.CLEAN, False, (BORIS,), None),
        (Origin.DECISION, Verdict.CLEAN, True, (BORIS, VERA), None),
    ],
)
def test_what_an_answer_is(origin, verdict, seconded, labelled_by, source):
    case = Case(origin=origin, verdict=verdict, is_seconded=seconded)
    assert queue.source_of(case, labelled_by) is source


@pytest.fixture
async def sessions(database_url):
    async with database.opened(database_url) as found:
        async with found.begin() as session:
            await store.chat(session, GROUP, "Группа", "supergroup")
            await store.chat(session, OTHER, "Другая", "supergroup")
        yield found


_numbers = iter(range(1, 10**9))


async def add(sessions, text, score=0.7, *, chat_id=GROUP, user_id=5, age=0, **values):
    number = next(_numbers)
    prediction = Prediction(
        chat_id=chat_id, message_id=number, revision=0, user_id=user_id, content_hash="0",
        field="text", model_version="v1", scores={"insult": score}, action=Action.REVIEW,
        category=Category.INSULT, score=score, threshold=0.75,
    )  # fmt: skip
    case = Case(chat_id=chat_id, user_name="Имя", text=text, flagged=["insult"], **values)
    case.created_at = now() - timedelta(days=age)
    async with sessions.begin() as session:
        await store.record(session, prediction, case, [])
    return case.id


async def serve(sessions, moderator_id=ANNA, chats=(GROUP,), moment=None, seed=0):
    preferences = {chat_id: Preferences() for chat_id in chats}
    async with sessions.begin() as session:
        case = await queue.serve(
            session, preferences, moderator_id, moment or now(), random.Random(seed)
        )
    return case and case.id


async def answer(sessions, case_id, moderator_id=ANNA, source=Source.REVIEW, moment=None):
    async with sessions.begin() as session:
        case = await session.get_one(Case, case_id)
        await store.claim(session, case_id, Verdict.CORRECTED, moderator_id, "М")
        await store.add_label(session, case, moderator_id, TOXIC_VECTOR, source)
        return await queue.finish(
            session, case_id, moderator_id, AssignmentState.ANSWERED, moment or now()
        )


async def skip(sessions, case_id, moderator_id=ANNA):
    async with sessions.begin() as session:
        return await queue.finish(session, case_id, moderator_id, AssignmentState.SKIPPED, now())


async def test_the_most_uncertain_comes_first_and_stays_until_it_is_answered(sessions):
    await add(sessions, "Совершенно ясный случай", 0.99)
    near = await add(sessions, "Неясно, что хотел сказать автор", 0.74)
    assert await serve(sessions) == near
    assert await serve(sessions) == near
    assert await answer(sessions, near)
    assert not await answer(sessions, near)
    assert await serve(sessions) not in (near, None)


async def test_what_was_skipped_comes_to_others_alone(sessions):
    only = await add(sessions, "Неясно, что хотел сказать автор")
    assert await serve(sessions) == only
    assert await skip(sessions, only)
    assert await serve(sessions) is None
    assert await serve(sessions, BORIS) == only


async def test_what_another_looks_at_waits_for_a_while(sessions):
    only = await add(sessions, "Неясно, что хотел сказать автор")
    assert await serve(sessions) == only
    assert await serve(sessions, BORIS) is None
    later = now() + queue.LEASE + timedelta(seconds=1)
    assert await serve(sessions, BORIS, moment=later) == only


@pytest.mark.parametrize(
    "values",
    [
        {"verdict": Verdict.CLEAN},
        {"age": 15},
        {"text": ""},
        {"chat_id": OTHER},
        {"user_id": ANNA},
    ],
)
async def test_what_is_no_question_is_not_asked(sessions, values):
    await add(sessions, **{"text": "Неясно, что хотел сказать автор"} | values)
    assert await serve(sessions) is None


@pytest.mark.parametrize("key", ["", "a" * 32])
async def test_near_duplicates_are_answered_once(sessions, key):
    first = await add(sessions, "Вечно ты лезешь не в своё дело", text_key=key)
    again = "Вечно ты лезешь не в своё дело!" if not key else "совсем другие слова"
    await add(sessions, again, text_key=key)
    fresh = await add(sessions, "А вот это уже о другом", 0.6)
    elsewhere = await add(sessions, again, chat_id=OTHER, text_key=key)
    assert await serve(sessions) == first
    await answer(sessions, first)
    assert await serve(sessions) == fresh
    await answer(sessions, fresh)
    assert await serve(sessions) is None
    assert await serve(sessions, chats=(OTHER,)) == elsewhere


async def test_the_next_differs_from_the_last(sessions):
    first = await add(sessions, "Вечно ты лезешь не в своё дело", 0.75)
    like = await add(sessions, "Вечно ты лезешь туда, где не просят", 0.74)
    unlike = await add(sessions, "Какой бред опять написали", 0.73)
    assert await serve(sessions) == first
    await answer(sessions, first)
    assert await serve(sessions) == unlike
    await answer(sessions, unlike)
    assert await serve(sessions) == like


async def test_a_quarter_are_audits(sessions):
    useful = [await add(sessions, text_of(i)) for i in range(20)]
    audits = [await add(sessions, text_of(i), 0.01, origin=Origin.AUDIT) for i in range(20, 30)]
    served = []
    for _ in range(20):
        case_id = await serve(sessions)
        served.append(case_id)
        await answer(sessions, case_id)
    assert [sum(case_id in audits for case_id in served[i : i + 4]) for i in (0, 4, 8, 12, 16)] == [
        1
    ] * 5
    assert set(served) <= {*useful, *audits}


async def test_audits_are_drawn_uniformly_whatever_their_scores(sessions):
    ids = [await add(sessions, text_of(i), i / 4, origin=Origin.AUDIT) for i in range(4)]
    drawn = Counter()
    for seed in range(100):
        async with sessions() as session:  # nothing is written, so each draw is the first
            preferences = {GROUP: Preferences()}
            case = await queue.serve(session, preferences, ANNA, now(), random.Random(seed))
            drawn[case.id] += 1
    assert set(drawn) == set(ids)
    assert min(drawn.values()) > 9  # 25 are expected, 4 is their standard deviation


async def test_audits_stay_in_the_draw_when_their_words_are_known_and_however_old(sessions):
    known = await add(sessions, "Доброе утро, соседи!", text_key="b" * 32)
    await serve(sessions)
    await answer(sessions, known)
    audit = await add(
        sessions, "Доброе утро, соседи!", text_key="b" * 32, origin=Origin.AUDIT, age=20
    )
    assert await serve(sessions) == audit


async def test_a_second_opinion_is_asked_of_one_other(sessions):
    seconded = await add(sessions, "Неясно, что хотел сказать автор", is_seconded=True)
    assert await serve(sessions) == seconded
    await answer(sessions, seconded)
    assert await serve(sessions) is None
    assert await serve(sessions, BORIS) == seconded
    await answer(sessions, seconded, BORIS, Source.SECOND)
    assert await serve(sessions, VERA) is None
    async with sessions() as session:
        assert await queue.labelled_by(session, seconded) == {ANNA, BORIS}


async def test_a_case_without_a_second_opinion_is_asked_once(sessions):
    only = await add(sessions, "Неясно, что хотел сказать автор")
    assert await serve(sessions) == only
    await answer(sessions, only)
    assert await serve(sessions, BORIS) is None


async def test_a_label_in_doubt_is_shown_to_one_more_moderator(sessions):
    alone, twice, unlabelled, gone = [await add(sessions, text_of(i)) for i in range(4)]
    for case_id, moderators in ((alone, (ANNA,)), (twice, (ANNA, BORIS)), (gone, (ANNA,))):
        for moderator in moderators:
            await answer(sessions, case_id, moderator)
    async with sessions.begin() as session:
        (await session.get_one(Case, gone)).text = ""
        asked = await queue.reconsider(session, {alone, twice, unlabelled, gone, 10**6})
    assert asked == 1
    async with sessions.begin() as session:
        (await session.get_one(Case, unlabelled)).verdict = Verdict.CLEAN
    assert await serve(sessions, VERA) == alone
    assert await serve(sessions, ANNA) is None


async def test_seconds_are_one_of_twenty_while_there_is_more(sessions):
    for i in range(20):
        await add(sessions, text_of(i))
    for i in range(20, 24):
        await add(sessions, text_of(i), 0.01, origin=Origin.AUDIT)
    seconds = [
        await add(sessions, text_of(i), is_seconded=True, verdict=Verdict.CLEAN)
        for i in range(24, 28)
    ]
    for case_id in seconds:
        await answer(sessions, case_id, BORIS)
    served = []
    for _ in range(20):
        served.append(await serve(sessions))
        await answer(sessions, served[-1])
    assert sum(case_id in seconds for case_id in served) == 1


async def test_the_days_answers_are_counted_by_their_moment_in_utc(sessions):
    first = await add(sessions, "Неясно, что хотел сказать автор")
    second = await add(sessions, "Какой бред опять написали")
    noon = now().replace(hour=12, minute=0)
    await serve(sessions, moment=noon - timedelta(days=1))
    await answer(sessions, first, moment=noon)
    await serve(sessions, moment=noon)
    await skip(sessions, second)
    async with sessions() as session:
        assert await queue.answered_today(session, ANNA, noon) == 1
        assert await queue.answered_today(session, BORIS, noon) == 0
        assert await queue.answered_today(session, ANNA, noon + timedelta(hours=11.9)) == 1
        assert await queue.answered_today(session, ANNA, noon + timedelta(hours=12)) == 0
        assert await queue.state_of(session, first, ANNA) is AssignmentState.ANSWERED
        assert await queue.state_of(session, second, ANNA) is AssignmentState.SKIPPED
        assert await queue.state_of(session, second, BORIS) is None


async def test_only_what_is_shown_can_be_answered(sessions):
    only = await add(sessions, "Неясно, что хотел сказать автор")
    assert not await skip(sessions, only)
    assert await serve(sessions) == only
    assert not await skip(sessions, only, BORIS)
    assert await skip(sessions, only)
    assert not await skip(sessions, only)


def text_of(number):
    """Texts that resemble each other little."""
    rng = random.Random(number)
    return " ".join("".join(rng.choices("абвгдежзиклмнопрстуфхцчшщыэюя", k=6)) for _ in range(5))
