"""The thinking of a single candidate while it is written, so that a client of one sample need not wait for its end."""

from hexad.chat.parts import THINK_CLOSE, THINK_OPEN


class LiveThinking:
    """Which text of a stream is certainly thinking. `told` is always the beginning of what `hexad.chat.split` makes of
    the whole, stripped: what may still turn out otherwise, as everything after the first closing tag, is held back.
    """

    def __init__(self) -> None:
        self.told = ""
        self._held = ""
        self._typed = False  # the engine's own parser tells thinking from content
        self._open = False
        self._over = False

    def feed(self, field: str, text: str) -> str:
        """The part of the thinking that became certain with this piece; `field` is "reasoning" or "content"."""
        if self._over:
            return ""
        if field == "reasoning" and not self._open:
            self._typed, self._open, self._held = True, True, ""
        elif field == "content" and self._typed:
            self._over = True
            return ""
        self._held += text
        if not self._open:
            self._look_for_opening()
        return self._tell() if self._open else ""

    def rest(self, thinking: str) -> str:
        """What of the whole thinking was not told yet."""
        return thinking[len(self.told) :] if thinking.startswith(self.told) else ""

    def _look_for_opening(self) -> None:
        """Text that begins otherwise may be content, or thinking whose opening tag stood in the prompt."""
        begun = self._held.lstrip()
        if begun.startswith(THINK_OPEN):
            self._open, self._held = True, begun.removeprefix(THINK_OPEN)
        elif not THINK_OPEN.startswith(begun):
            self._over = True

    def _tell(self) -> str:
        before, tag, _ = self._held.partition(THINK_CLOSE)
        self._over = bool(tag)
        sure = (before if tag else self._held[: len(self._held) - _begun_tag(self._held)]).rstrip()
        if not self.told:
            self._held = self._held[len(sure) - len(sure.lstrip()) :]
            sure = sure.lstrip()
        self._held = self._held[len(sure) :]
        self.told += sure
        return sure


def _begun_tag(text: str) -> int:
    """How many characters at the end may be the beginning of a closing tag."""
    return next((n for n in range(len(THINK_CLOSE) - 1, 0, -1) if text.endswith(THINK_CLOSE[:n])), 0)
