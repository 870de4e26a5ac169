"""The gateway's page in a real browser: asked from the keyboard, watched, stopped, and safe from what models write."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from .upstream import Engine, Script, is_plan, wait_for

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no `chromium` on the PATH; install Debian's package chromium"),
]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
PLAN = Script("<plan>add the ones, carry, add the tens</plan>")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty tab that fails the test on any message in its console."""
    tab = browser.new_page(viewport={"width": 1200, "height": 900})
    said: list[str] = []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    yield tab
    tab.close()
    assert [text for text in said if "status of 401" not in text] == []


def three(engine: Engine, *values: str) -> None:
    """The engine plans, and candidates answer `values` in the order in which they are asked; the second scores best."""
    turn = count()

    def script(payload: dict[str, Any]) -> Script:
        if is_plan(payload):
            return PLAN
        i = next(turn) % len(values)
        return Script(f"<think>thought {i}</think><answer>{values[i]}</answer>")

    engine.script = script
    engine.score = lambda response: 0.9 if "thought 1" in response else 0.2


def ask(page: Page, question: str = "17 + 25?") -> None:
    """From the keyboard alone: the question has the focus when the page opens."""
    expect(page.locator("#status")).to_have_text("Ready.")
    page.keyboard.type(question)
    page.keyboard.press("Control+Enter")


def test_a_question_from_the_keyboard_shows_plan_candidates_scores_and_choice(
    page: Page, engine: Engine, engine_url: str, gateway: Callable[..., str], tmp_path: Path
) -> None:
    three(engine, "41", "42", "43")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    url = gateway(scorer_url=engine_url)
    page.goto(url)
    ask(page)
    expect(page.locator("#status")).to_have_text("Answered.")
    expect(page.locator("#answer")).to_have_text("42")
    expect(page.locator("#plan-text")).to_contain_text("carry, add the tens")
    cards = page.locator(".candidate")
    expect(cards).to_have_count(3)
    expect(page.locator(".candidate.chosen")).to_contain_text("thought 1")
    expect(page.locator(".candidate.chosen")).to_contain_text("0.900")
    expect(page.locator("#cost")).to_contain_text("3 of 3 candidates to their end (complete)")
    assert all(address.startswith((url, "data:")) for address in asked)
    page.screenshot(path=tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 20_000


def test_escape_stops_the_engine_within_a_second(page: Page, engine: Engine, gateway: Callable[..., str]) -> None:
    engine.held = True
    page.goto(gateway(plan="off"))
    ask(page)
    wait_for(lambda: engine.open_streams == 3)
    page.keyboard.press("Escape")
    assert wait_for(lambda: engine.open_streams == 0) < 1.0
    expect(page.locator("#status")).to_have_text("Stopped. The engine writes no further.")
    expect(page.locator("#ask")).to_be_enabled()


def test_what_a_model_writes_stays_text(page: Page, engine: Engine, gateway: Callable[..., str]) -> None:
    attack = "<img src=x onerror='window.hacked=1'><script>window.hacked=1</script>"
    engine.script = lambda _: Script(f"<think>{attack}</think>{attack}<answer>{attack}</answer>")
    page.goto(gateway(plan="off", n=1))
    ask(page)
    expect(page.locator("#status")).to_have_text("Answered.")
    expect(page.locator("#answer")).to_contain_text("onerror")
    assert page.evaluate("window.hacked") is None
    assert page.locator("main img, main script").count() == 0


def test_a_missing_key_is_asked_for_and_taken(page: Page, engine: Engine, gateway: Callable[..., str]) -> None:
    page.goto(gateway(api_key_hashes=[hashlib.sha256(b"secret").hexdigest()]))
    expect(page.locator("#status")).to_contain_text("401: no API key")
    page.fill("#key", "secret")
    page.keyboard.press("Tab")
    expect(page.locator("#status")).to_have_text("Ready.")
    assert page.locator("#model option").count() > 1


def test_an_error_of_the_engine_is_said(page: Page, engine: Engine, gateway: Callable[..., str]) -> None:
    engine.script = lambda _: Script(status=400, message="prompt too long")
    page.goto(gateway(plan="off"))
    ask(page)
    expect(page.locator("#status")).to_contain_text("prompt too long")
    expect(page.locator("#status")).to_have_class("problem")


@pytest.mark.parametrize("width", [1200, 380])
def test_the_page_fits_its_window(page: Page, engine: Engine, gateway: Callable[..., str], width: int) -> None:
    three(engine, "1" * 200, "42", "43")
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(gateway())
    ask(page)
    expect(page.locator("#status")).to_have_text("Answered.")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    unlabelled = "[...document.querySelectorAll('input, select, textarea')].filter(e => !e.labels.length).length"
    assert page.evaluate(unlabelled) == 0


def test_the_pages_headers_allow_nothing_from_elsewhere(engine: Engine, gateway: Callable[..., str]) -> None:
    policy = httpx.get(gateway()).headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
