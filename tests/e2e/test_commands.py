from sandbox import scene
from tests.e2e.stage import INSULT, MEMBER, MODERATOR, OWNER, STRANGER, start, until, whispered


async def test_a_member_gets_no_figures_and_no_presets(stage):
    group = await stage.group()
    for command in ("/stats", "/settings", "/modchat"):
        await stage.people.write(group, MEMBER, command)
    await stage.settled(group, 3)
    assert len(await stage.people.messages(group, scene.BOT_ID)) == 1  # the greeting


async def test_a_command_is_no_hiding_place(stage):
    group = await stage.group()
    await stage.people.write(group, MEMBER, f"/stats {INSULT}")
    await stage.card(group)


async def test_only_a_moderator_of_both_connects_a_moderators_chat(stage):
    group = await stage.group()
    modchat = await stage.group(rights={})
    link = f"/start@demo_moderator_bot modchat_{group}"
    await stage.people.write(modchat, STRANGER, link)
    refusal = "может только тот, кто администратор и здесь"
    await until(lambda: whispered(stage, modchat, STRANGER, refusal))
    await stage.settled(modchat, 1)  # what stands beside the link is judged
    await stage.people.write(modchat, OWNER, link)
    await until(lambda: stage.said(modchat, "карточки группы"))

    async def is_greeting_gone():
        return not await stage.said(modchat, "Здравствуйте")

    await until(is_greeting_gone)


async def test_a_title_with_signs_of_html_is_shown_as_it_is(stage):
    _, modchat = await stage.moderated_group(title="Двор <№5> & парковка")
    assert await stage.said(modchat, "«Двор <№5> & парковка»")


async def test_forged_links_connect_nothing_and_stop_nobody(stage):
    modchat = await stage.group(rights={})
    for payload in ("modchat_--5", "modchat_" + "9" * 40, "modchat_", "modchat_x"):
        await stage.people.write(modchat, OWNER, f"/start@demo_moderator_bot {payload}")
    await stage.settled(modchat, 4)
    assert "update failed" not in stage.bot.said


async def test_modchat_gives_a_link_that_carries_the_group(stage):
    group = await stage.group()
    await stage.people.write(group, MODERATOR, "/modchat")
    (answer,) = await until(lambda: whispered(stage, group, MODERATOR, "startgroup"))
    assert f"startgroup=modchat_{group}" in answer["text"]


async def test_start_and_check_answer_in_private(stage):
    await stage.people.write(STRANGER, STRANGER, "/start")
    (answer,) = await until(lambda: stage.said(STRANGER, "startgroup=start"))
    assert "admin=delete_messages+restrict_members" in answer["text"]
    await stage.people.write(STRANGER, STRANGER, f"/check {INSULT}")
    await until(lambda: stage.said(STRANGER, "Решение: удалить"))


async def test_doctor_says_what_is_well_and_what_is_not(own_stage):
    stage = own_stage
    await stage.start_bot()
    await stage.group(title="С правами")
    await stage.group(title="Без прав", rights={})
    doctor = await start(
        stage.folder / "doctor.log", "bot", "doctor",
        BOT_TOKEN=stage.token, TELEGRAM_API_URL=stage.people.url,
        DATABASE_URL=stage.database_url, MODELS_DIR=str(stage.folder / "models"),
    )  # fmt: skip
    assert await doctor.child.wait() == 1
    assert "✅ группа «С правами»: права есть" in doctor.said
    assert "❌ группа «Без прав»: нет права удалять сообщения" in doctor.said
    for line in ("токен: @demo_moderator_bot", "часы: идут верно", "получение: опросом"):
        assert f"✅ {line}" in doctor.said
    assert stage.token not in doctor.said


async def test_a_backup_is_a_database_that_a_bot_goes_on_with(own_stage):
    stage = own_stage
    await stage.start_bot()
    group = await stage.group()
    await stage.people.write(group, MEMBER, INSULT)
    case = await stage.card(group)
    copy = stage.folder / "copy.sqlite3"
    url = stage.database_url.replace("+aiosqlite", "")
    backup = await start(stage.folder / "backup.log", "bot", "backup", copy, DATABASE_URL=url)
    assert await backup.child.wait() == 0, backup.said
    assert "copy.sqlite3: " in backup.said
    await stage.bot.stop()
    copy.replace(stage.folder / "bot.sqlite3")
    await stage.start_bot()
    await stage.press(case, MODERATOR, button="🕊 Не токсично")
    await until(lambda: stage.labels(group))


async def test_check_draws_a_bar_for_each_category(tmp_path):
    process = await start(tmp_path / "log", "bot", "check", INSULT)
    assert await process.child.wait() == 0
    lines = process.said.strip().splitlines()
    assert len(lines) == 6
    assert all("│" in line and "порог" in line for line in lines[:5])
    assert lines[5].startswith("Решение: удалить (оскорбление")


async def test_help_names_every_command(tmp_path):
    process = await start(tmp_path / "log", "bot", "--help")
    assert await process.child.wait() == 0
    for command in ("run", "demo", "doctor", "health", "check", "backup", "forget", "labels"):
        assert command in process.said
