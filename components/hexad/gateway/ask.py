"""`hexad ask`: put one question to a gateway and watch plan, candidates, scores and choice in the terminal."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

_TAIL_CHARACTERS = 160
_REFRESHES_PER_SECOND = 8


def run_ask(question: str, base_url: str, model: str | None, key: str | None) -> int:
    """Ask, show, and return the exit code: 0 answered, 1 not."""
    try:
        asyncio.run(ask(base_url, question, Console(), model, key))
    except httpx.ConnectError:
        return _failed(base_url, "nothing answers there; start an endpoint with `hexad serve RUN`, or give --base-url")
    except (AskError, httpx.HTTPError, httpx.InvalidURL) as error:
        return _failed(base_url, str(error) or type(error).__name__)
    return 0


def _failed(base_url: str, cause: str) -> int:
    line = " ".join(f"{base_url}: {cause}".split())
    Console(stderr=True).print(line, style="red", markup=False, highlight=False, soft_wrap=True)
    return 1


class AskError(Exception):
    """The endpoint answered with an error, in its own words, or is no OpenAI-compatible endpoint."""


async def ask(base_url: str, question: str, console: Console, model: str | None, key: str | None) -> str:
    """Stream the answer to `question`, drawing its progress; returns the answer's text.

    `model` None takes the first that the gateway lists. Raises AskError or httpx.HTTPError.
    """
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    url = base_url.rstrip("/").removesuffix("/v1")
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=httpx.Timeout(None, connect=10)) as client:
        model = model or await _first_model(client)
        body = {
            "model": model,
            "messages": [{"role": "user", "content": question}],
            "stream": True,
            "stream_options": {"include_usage": True},
            "scaffold": {"events": True},
        }
        progress = Progress()
        with Live(progress.draw(), console=console, refresh_per_second=_REFRESHES_PER_SECOND) as live:
            async for name, event in _events(client, body):
                progress.take(name, event)
                live.update(progress.draw())
    console.print(Panel(Text(progress.answer), title="answer", border_style="green"))
    console.print(Text(progress.closing(), style="dim"))
    return progress.answer


class Progress:
    """What is known of the running request, and its picture."""

    def __init__(self) -> None:
        self.plan = ""
        self.answer = ""
        self._texts: dict[int, str] = {}
        self._status: dict[int, dict[str, Any]] = {}
        self._scores: dict[int, float] = {}
        self._selected: int | None = None
        self._report: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}

    def take(self, name: str, event: dict[str, Any]) -> None:
        """One server-sent event: progress (`scaffold`) or a chunk of the answer."""
        if name != "scaffold":
            self._report = event.get("scaffold") or self._report
            self._usage = event.get("usage") or self._usage
            for choice in event["choices"]:
                self.answer += choice["delta"].get("content") or ""
            return
        match event["type"]:
            case "plan":
                mark = "" if event["candidate"] is None else f"[{event['candidate']}] "
                self.plan += f"{mark}{event['text'] or event['note']}\n"
            case "delta":
                i = event["candidate"]
                self._texts[i] = self._texts.get(i, "") + event["text"]
            case "candidate":
                self._status[event["index"]] = event
            case "scores":
                self._scores = {i: score for i, score in enumerate(event["scores"]) if score is not None}
            case "selected":
                self._selected = event["index"]

    def draw(self) -> RenderableType:
        """The plan above a row per candidate."""
        table = Table("", "candidate", "answer", "tokens", "score", expand=True)
        for i in sorted(self._texts.keys() | self._status.keys()):
            done = self._status.get(i, {})
            state = done.get("finish_reason", "writing")
            tail = " ".join(self._texts.get(i, "")[-_TAIL_CHARACTERS:].split())
            answer = done.get("answer")
            table.add_row(
                "→" if i == self._selected else str(i),
                Text(tail if state == "writing" else f"[{state}] {tail}", overflow="ellipsis", no_wrap=True),
                Text("" if answer is None else str(answer)),
                str(done.get("tokens", "")),
                f"{self._scores[i]:.3f}" if i in self._scores else "",
                style="bold" if i == self._selected else None,
            )
        plan = [Panel(Text(self.plan.strip()), title="plan", border_style="cyan")] if self.plan else []
        return Group(*plan, table)

    def closing(self) -> str:
        """One line: why this answer, at what cost."""
        report, usage = self._report, self._usage
        notes = "; ".join(note for key in ("plan_note", "selector_note") if (note := report.get(key)))
        return (
            f"{report.get('reason', '')} · "
            f"{report.get('n_completed', 0)} of {report.get('n_launched', 0)} candidates · "
            f"{usage.get('completion_tokens', 0)} tokens · {report.get('seconds', 0):.1f} s"
            + (f" · {notes}" if notes else "")
        )


async def _first_model(client: httpx.AsyncClient) -> str:
    response = await client.get("/v1/models")
    _check(response)
    try:
        return str(response.json()["data"][0]["id"])
    except (ValueError, LookupError, TypeError) as error:
        raise AskError(f"/v1/models lists no model ({response.text[:60]!r}); give the URL of an endpoint") from error


async def _events(client: httpx.AsyncClient, body: dict[str, Any]) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """(event name, data) until [DONE]."""
    async with client.stream("POST", "/v1/chat/completions", json=body) as response:
        if response.status_code != 200:
            await response.aread()
        _check(response)
        name = ""
        async for line in response.aiter_lines():
            if line.startswith("event:"):
                name = line[6:].strip()
            elif line.startswith("data:") and line[5:].strip() != "[DONE]":
                event = json.loads(line[5:])
                if "error" in event:
                    raise AskError(event["error"]["message"])
                yield name, event
            elif not line:
                name = ""


def _check(response: httpx.Response) -> None:
    if response.status_code == 200:
        return
    try:
        message = response.json()["error"]["message"]
    except (ValueError, KeyError, TypeError):
        message = response.text[:200]
    raise AskError(f"HTTP {response.status_code}: {message}")
