"""The page in a real browser, with the real bot behind it."""

import shutil

import pytest
from playwright.async_api import async_playwright, expect

from sandbox import scene
from tests.e2e.stage import INSULT, until

pytestmark = pytest.mark.browser


async def test_a_message_written_on_the_page_vanishes_and_a_press_becomes_a_label(own_stage):
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed")
    stage = own_stage
    await stage.start_bot()
    link = f"/start@demo_moderator_bot modchat_{scene.GROUP_ID}"
    await stage.people.write(scene.MODERATORS_ID, scene.OWNER_ID, link)
    await until(lambda: stage.said(scene.MODERATORS_ID, "карточки группы"))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page()
        await page.goto(stage.people.url)
        await page.get_by_test_id("group-author").select_option(label="Участник А")
        await page.get_by_test_id("group-input").fill(INSULT)
        await page.get_by_test_id("group-send").click()
        group = page.get_by_test_id("group")
        await expect(group.locator('[data-deleted="true"]')).to_have_count(1, timeout=20_000)
        card = page.get_by_test_id("moderators").locator("[data-message-id]").last
        await expect(card).to_contain_text("Удаление: оскорбление", timeout=20_000)
        await page.get_by_test_id("moderators-author").select_option(label="Модератор")
        buttons = page.get_by_test_id("moderators").get_by_test_id("button")
        await buttons.filter(has_text="Верно").last.click()
        await expect(card).to_contain_text("✅ Верно — Модератор", timeout=20_000)
        names = ["⚠️ Предупредить", "🤝 Простить", "🔇 1 ч", "🔇 24 ч", "⛔️ Бан"]
        await expect(card.get_by_test_id("button")).to_have_text(names, timeout=20_000)
        await browser.close()
    (label,) = await stage.labels(scene.GROUP_ID)
    assert (label.vector["insult"], label.moderator_id) == (1, scene.MODERATOR_ID)
