"""The page in a real browser: it is laid out, it asks nobody for anything, and hostile text stays text."""

import json
import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from . import sample_run
from .test_report_page import HOSTILE, SECTIONS

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no `chromium` on the PATH; install Debian's package chromium"),
]
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--enable-logging=stderr"]  # fmt: skip
# Reports the layout in the page's title: width of the content beyond the window, and the sections that have no height.
PROBE = """<script>addEventListener('load', () => { document.title = JSON.stringify({
  overflow: document.documentElement.scrollWidth - innerWidth,
  empty: [...document.querySelectorAll('section')].filter(s => s.offsetHeight < 60).map(s => s.id),
  headings: [...document.querySelectorAll('h1, h2')].map(h => h.textContent) }) })</script>"""


def browse(tmp_path: Path, page: str, *flags: str) -> subprocess.CompletedProcess[str]:
    """Open `page` with a new profile; gives what the browser printed and logged."""
    file = tmp_path / "page.html"
    file.write_text(page, encoding="utf-8")
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", *flags, file.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)


def png_size(path: Path) -> tuple[int, int]:
    return struct.unpack(">II", path.read_bytes()[16:24])


@pytest.mark.parametrize("width", [1200, 400])
def test_the_page_fits_the_window_and_shows_every_section(report, tmp_path, width):
    page, _, _ = report(sample_run.files())
    probed = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page).replace("</body>", f"{PROBE}</body>")
    found = browse(tmp_path, probed, f"--window-size={width},1000", "--dump-dom")
    title = re.search(r"<title>(.*?)</title>", found.stdout)
    assert title is not None
    layout = json.loads(title.group(1).replace("&amp;", "&"))
    assert layout["overflow"] <= 0
    assert layout["empty"] == []
    assert len(layout["headings"]) == 1 + len(SECTIONS)


def test_a_screenshot_of_the_page_is_not_blank_and_the_console_is_silent(report, tmp_path):
    page, _, _ = report(sample_run.files())
    shot = tmp_path / "page.png"
    found = browse(tmp_path, page, "--window-size=1200,3000", f"--screenshot={shot}")
    assert png_size(shot) == (1200, 3000)
    assert shot.stat().st_size > 150_000
    assert "CONSOLE" not in found.stderr


def test_hostile_text_runs_nothing_and_fetches_nothing(report, tmp_path):
    files = sample_run.files()
    example = {"question": HOSTILE, "gold": HOSTILE, "cells": {HOSTILE: {"response": HOSTILE, "status": HOSTILE}}}
    files["scores"]["examples.json"] = json.dumps([example])
    page, _, _ = report(files)
    net = tmp_path / "net.json"
    found = browse(tmp_path, page, "--dump-dom", f"--log-net-log={net}", "--net-log-capture-mode=Everything")
    assert "<title>owned" not in found.stdout
    assert "page.html" in net.read_text()
    assert "evil.example" not in net.read_text()
