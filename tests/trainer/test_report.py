import copy
import re
import shutil

import pytest
from playwright.async_api import async_playwright, expect

from tests.trainer import evaluations
from tests.trainer.conftest import trainer
from trainer import compare, findings, report, score_table
from trainer.config import TrainingError


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """An evaluation's directory, its content, and the directory of the report on it."""
    directory = tmp_path_factory.mktemp("evaluation")
    content = evaluations.write(directory)
    report.write(directory, directory / "report")
    return directory, content, directory / "report"


@pytest.fixture(scope="module")
def page(written):
    return (written[2] / "report.html").read_text(encoding="utf-8")


@pytest.fixture
def own(written, tmp_path):
    """A copy of the evaluation that a test may change."""
    shutil.copy(written[0] / "scores.tsv.gz", tmp_path)
    return copy.deepcopy(written[1])


def rendered(directory):
    """The page without charts: drawing them takes seconds."""
    found, scores = findings.read(directory), score_table.read(directory)
    verdict = compare.decide(found) if found.comparisons else None
    return report.render(found, scores, verdict, [])


def test_the_verdict_and_its_reasons_come_first(written, page, own, tmp_path):
    assert "<h2>Новая модель лучше: можно ставить</h2>" in page

    evaluations.set_ap(own, "threat", -0.03)
    evaluations.save(tmp_path, own)
    kept = rendered(tmp_path)
    top = kept[: kept.index("<table")]
    assert "Лучше оставить прежнюю модель" in top
    assert "Угроза: AP −0,030" in top


def test_every_category_has_its_figures_with_intervals_of_every_model(written, page):
    content = written[1]
    for title in ("Мат", "Оскорбление", "Угроза", "Дискриминация", "Грубость", "Не токсично"):
        assert f"<strong>{title}</strong>" in page
    for name in ("действующая", "исходная", "n-граммы букв", "список слов", "самый частый ответ"):
        assert f"<th>{name}</th>" in page
    ap = evaluations.model(content)["figures"]["threat"]["ap"]
    shown = f"{ap['low']:.2f}–{ap['high']:.2f}".replace(".", ",")
    assert f"<small>{shown}</small>" in page


def test_all_that_a_repetition_needs_is_told(written, page):
    content = written[1]
    for said in (content["data"]["digest"], content["command"], "20260102-champion", "1 000"):
        assert said.replace(" ", "\N{NO-BREAK SPACE}") in page or said in page


def test_the_page_needs_nothing_from_elsewhere(page):
    assert re.findall(r"(?:src|href)=\"(?!data:)[^\"]*\"", page) == []
    assert "<script" not in page
    assert "@import" not in page
    assert "url(" not in page


def test_numbers_have_decimal_commas(page):
    body = page[page.index("<main>") : page.index("<h2>Данные и версии")]
    said = re.sub(r"<[^>]*>", " ", body)

    assert re.findall(r"\d\.\d", said) == []


def test_texts_are_escaped(written, tmp_path):
    frame = evaluations.scored(evaluations.rows())
    frame.loc[11, "model/insult"], frame.loc[11, "insult"] = 0.999, 0
    evaluations.save_scores(tmp_path, frame)
    evaluations.save(tmp_path, written[1])
    page = rendered(tmp_path)

    assert "&lt;script&gt;fail()&lt;/script&gt;" in page
    assert "<script>fail" not in page


def test_charts_are_as_wide_as_a_phones_screen(written):
    for name in ("verdict", "roc", "pr", "reliability"):
        head = (written[2] / f"{name}.png").read_bytes()[:24]
        assert head.startswith(b"\x89PNG")
        assert int.from_bytes(head[16:20]) == 1080


def test_a_model_alone_is_reported_without_a_verdict(tmp_path):
    evaluations.write(tmp_path, names=("model",))
    page = report.write(tmp_path, tmp_path).read_text(encoding="utf-8")

    assert "Сравнивать не с чем" in page
    assert "исходная" not in page


def test_null_figures_do_not_break_the_report(own, tmp_path):
    for model in own["models"]:
        model |= {"suites": None, "speed": None, "any_toxic": None, "reliability": {}}
        model["figures"]["rude"] = None
    own |= {"slices": [], "notes": []}
    evaluations.save(tmp_path, own)
    page = rendered(tmp_path)

    assert "Обязательные случаи: не проверено." in page
    assert "<h2>Наборы случаев</h2>" not in page


def test_a_place_that_is_a_file_is_refused(written, tmp_path):
    (tmp_path / "out").write_text("")

    with pytest.raises(TrainingError, match="out: File exists"):
        report.write(written[0], tmp_path / "out")


def test_the_command_writes_the_page_beside_the_evaluation(own, tmp_path):
    evaluations.save(tmp_path, own)
    done = trainer("report", "--evaluation", tmp_path)

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "report.html")
    assert (tmp_path / "roc.png").exists()


def test_a_missing_evaluation_is_said_in_one_line(tmp_path):
    done = trainer("report", "--evaluation", tmp_path)

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "evaluation.json: No such file" in done.stderr


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1200])
async def test_a_browser_shows_the_page_whole_and_opens_what_is_hidden(written, width):
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed")
    requests, said = [], []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page(viewport={"width": width, "height": 800})
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        await page.goto((written[2] / "report.html").as_uri())
        await page.evaluate(
            "document.querySelectorAll('details:not(.spoiler)').forEach(part => part.open = true)"
        )
        spoiler = page.locator("details.spoiler").first
        await expect(spoiler.locator("p")).to_be_hidden()
        await spoiler.locator("summary").click()
        await expect(spoiler.locator("p")).to_be_visible()
        widest = await page.evaluate("document.documentElement.scrollWidth")
        images = await page.evaluate("[...document.images].every(image => image.naturalWidth)")
        await browser.close()
    assert widest == width
    assert images
    assert said == []
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
