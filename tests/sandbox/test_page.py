"""The page in a real browser, driven by its test identifiers as a person would."""

import shutil

import pytest

from sandbox import scene

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
GROUP = {"chat_id": scene.GROUP_ID}
MODERATORS = {"chat_id": scene.MODERATORS_ID}
KEYBOARD = {"inline_keyboard": [[{"text": "Верно", "callback_data": "yes"}]]}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed"),
]


@pytest.fixture
async def page(client):
    from playwright.async_api import async_playwright

    problems = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: problems.append(str(error)))
        await page.goto(client.sandbox.url)
        await page.wait_for_selector("body[data-ready]")
        yield page
        await browser.close()
    assert problems == []


async def test_a_day_in_the_group(client, page):
    """One browser for many steps: starting one costs more than all of them."""
    await _a_member_writes(client, page)
    await _a_deleted_message_becomes_a_line(client, page)
    await _a_button_is_pressed_and_answered(client, page)
    await _users_words_are_never_markup(client, page)
    await _entities_are_rendered(client, page)
    await _a_restricted_member_is_marked(client, page)
    await _calls_are_listed_and_filtered(client, page)
    await _an_ephemeral_message_says_who_sees_it(client, page)
    await _a_link_to_the_bot_starts_a_private_chat(client, page)
    await _a_private_chat_is_opened(client, page)


async def _a_member_writes(client, page):
    await page.get_by_test_id("group-author").select_option("Участник Б")
    await page.get_by_test_id("group-input").fill("добрый день")
    await page.get_by_test_id("group-send").click()

    await page.get_by_test_id("group").get_by_text("добрый день").wait_for()

    update = (await client.updates())[-1]
    assert update["message"]["from"]["id"] == scene.MEMBER_B_ID


async def _a_deleted_message_becomes_a_line(client, page):
    written = await client.write(scene.MEMBER_A_ID, "грубые слова")
    message = page.get_by_test_id("group").locator(f"[data-message-id='{written['message_id']}']")
    await message.get_by_text("грубые слова").wait_for()
    assert await message.get_attribute("data-deleted") == "false"

    await client.result("deleteMessage", **GROUP, message_id=written["message_id"])

    await page.get_by_text("сообщение удалено").wait_for()
    assert await message.get_attribute("data-deleted") == "true"
    assert await page.get_by_text("грубые слова").count() == 0


async def _a_button_is_pressed_and_answered(client, page):
    await client.updates()
    await client.result("sendMessage", **MODERATORS, text="карточка", reply_markup=KEYBOARD)
    moderators = page.get_by_test_id("moderators")
    await moderators.get_by_test_id("button").filter(has_text="Верно").click()
    query = await _next_callback(client)
    assert (query["data"], query["from"]["id"]) == ("yes", scene.MODERATOR_ID)

    await client.result("answerCallbackQuery", callback_query_id=query["id"], text="записано")

    await page.get_by_test_id("toast").get_by_text("записано").wait_for()


async def _next_callback(client):
    params = {"offset": client.offset, "timeout": 10}
    [*_, update] = await client.result("getUpdates", **params)
    client.offset = update["update_id"] + 1
    return update["callback_query"]


async def _users_words_are_never_markup(client, page):
    attack = "<img src=x onerror='document.title=\"взлом\"'>"
    await client.write(scene.MEMBER_A_ID, attack)
    await client.control("users", id=scene.MEMBER_A_ID, last_name=attack)
    await client.write(scene.MEMBER_A_ID, "ещё", reply_to_message_id=2)

    await page.get_by_test_id("group").get_by_text("ещё").wait_for()

    assert await page.title() == "Песочница Telegram"
    assert await page.locator("img").count() == 0


async def _entities_are_rendered(client, page):
    source = "<b>жирно</b> <tg-spoiler>тайна</tg-spoiler> <code>код</code>"
    await client.result("sendMessage", **GROUP, text=source, parse_mode="HTML")
    spoiler = page.locator(".spoiler")
    await spoiler.wait_for()
    assert "shown" not in await spoiler.get_attribute("class")

    await spoiler.click()

    assert "shown" in await spoiler.get_attribute("class")
    assert await page.locator("b", has_text="жирно").count() == 1
    assert await page.locator("code", has_text="код").count() == 1


async def _a_restricted_member_is_marked(client, page):
    params = {**GROUP, "user_id": scene.MEMBER_C_ID, "permissions": {}}
    await client.result("restrictChatMember", **params, until_date=client.now + 600)
    member = page.get_by_test_id("group").locator(f"[data-user-id='{scene.MEMBER_C_ID}']")
    await member.get_by_text("без слова до").wait_for()

    await page.get_by_test_id("group-author").select_option("Участник В")
    await page.get_by_test_id("group-input").fill("можно?")
    await page.get_by_test_id("group-send").click()

    await page.get_by_test_id("toast").get_by_text("нельзя писать").wait_for()
    assert await page.get_by_test_id("group-input").input_value() == "можно?"


async def _calls_are_listed_and_filtered(client, page):
    await client.call("sendNonsense")
    calls = page.get_by_test_id("calls")
    await calls.get_by_text("method not found").wait_for()
    assert await calls.locator("[data-method='getUpdates']").count() == 0

    await page.get_by_test_id("calls-filter").fill("restrict")

    assert await calls.locator("[data-method]").count() == 1


async def _an_ephemeral_message_says_who_sees_it(client, page):
    to_b = {"receiver_user_id": scene.MEMBER_B_ID}
    sent = await client.result("sendMessage", **GROUP, **to_b, text="вам одному")
    message = page.get_by_test_id("group").locator("[data-ephemeral-id='1']")
    await message.get_by_text("видно только одному: Участник Б").wait_for()
    await message.get_by_text("вам одному").wait_for()

    ephemeral_id = sent["ephemeral_message_id"]
    await client.result(
        "deleteEphemeralMessage", **GROUP, **to_b, ephemeral_message_id=ephemeral_id
    )

    await message.get_by_text("сообщение удалено").wait_for()
    await _an_ephemeral_command_is_written(client, page)


async def _an_ephemeral_command_is_written(client, page):
    command = {"command": "rules", "description": "Правила", "is_ephemeral": True}
    await client.result("setMyCommands", commands=[command])
    await page.get_by_test_id("group-author").select_option("Участник Б")
    await page.get_by_test_id("group-input").fill("/rules")
    await page.get_by_test_id("group-send").click()

    only_bot = page.get_by_test_id("group").locator("[data-ephemeral-id='2']")

    await only_bot.get_by_text("видно только боту").wait_for()


async def _a_link_to_the_bot_starts_a_private_chat(client, page):
    address = "https://t.me/Demo_moderator_bot?start=why_7"
    row = [{"text": "Почему?", "url": address}, {"text": "Сайт", "url": "https://example.org/"}]
    await client.result(
        "sendMessage",
        **GROUP,
        text=f"подробности: {address}",
        reply_markup={"inline_keyboard": [row]},
    )
    group = page.get_by_test_id("group")
    site = group.get_by_test_id("button").filter(has_text="Сайт")
    assert await site.get_attribute("href") == "https://example.org/"
    assert await site.get_attribute("target") == "_blank"
    await _link_is_followed(client, page, group.get_by_test_id("button").filter(has_text="Почему?"))
    await page.get_by_test_id("group-chat").select_option(str(scene.GROUP_ID))
    await _link_is_followed(client, page, group.get_by_role("link", name=address))


async def _link_is_followed(client, page, link):
    await page.get_by_test_id("group-author").select_option("Участник Б")
    await link.click()
    await page.locator(
        f"[data-testid='group-chat'] option[value='{scene.MEMBER_B_ID}']:checked"
    ).wait_for(state="attached")

    chats = {chat["id"]: chat for chat in (await client.show("state"))["chats"]}

    written = chats[scene.MEMBER_B_ID]["messages"][-1]
    assert (written["text"], written["from"]["id"]) == ("/start why_7", scene.MEMBER_B_ID)


async def _a_private_chat_is_opened(client, page):
    await page.get_by_test_id("group-chat").select_option(str(scene.PASSER_BY_ID))
    await page.get_by_test_id("group-input").fill("/start")
    await page.get_by_test_id("group-input").press("Enter")

    await page.get_by_test_id("group").get_by_text("/start").wait_for()

    assert await client.result("sendMessage", chat_id=scene.PASSER_BY_ID, text="здравствуйте")


async def test_a_phone_shows_everything_without_scrolling_sideways(client, page):
    await page.set_viewport_size({"width": 390, "height": 844})
    await client.write(scene.MEMBER_A_ID, "оченьдлинноеслово" * 20)
    await page.get_by_test_id("group").get_by_text("оченьдлинноеслово").wait_for()

    await _a_card_fits(client, page)
    assert await page.evaluate("document.documentElement.scrollWidth") == 390


async def _a_card_fits(client, page):
    """Of quotes only a long one opens; five buttons stand in one row, none is cut off."""
    long, short = "цитата " * 60, "коротко"
    quotes = "".join(f"<blockquote expandable>{text}</blockquote>" for text in (long, short))
    table = f"<pre>{'строка таблицы ' * 9}</pre><tg-spoiler>{'тайна ' * 20}</tg-spoiler>"
    row = [{"text": f"• кнопка {n}", "callback_data": "x"} for n in range(5)]
    markup = {"inline_keyboard": [row]}
    await client.result(
        "sendMessage", **GROUP, text=quotes + table, parse_mode="HTML", reply_markup=markup
    )
    opened, whole = page.locator("blockquote").nth(0), page.locator("blockquote").nth(1)
    await whole.wait_for()
    folded = (await opened.bounding_box())["height"]
    assert "cut" in await opened.get_attribute("class")
    assert "cut" not in await whole.get_attribute("class")
    boxes = [await key.bounding_box() for key in await page.get_by_test_id("button").all()]
    assert len({box["y"] for box in boxes}) == 1
    assert max(box["x"] + box["width"] for box in boxes) <= 390

    await opened.click()

    assert (await opened.bounding_box())["height"] > folded
