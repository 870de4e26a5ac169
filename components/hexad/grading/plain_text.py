"""What an answer says without its typography: markdown, LaTeX text wrappers, full-width and look-alike signs."""

import re

# Full-width forms U+FF01..U+FF5E are ASCII shifted by 0xFEE0.
_SIGNS = {0xFF01 + i: chr(0x21 + i) for i in range(0x5E)} | {
    ord("−"): "-", ord("–"): "-", ord("—"): "-", ord("‐"): "-", ord("‑"): "-", ord("\u00a0"): " ", ord("\u2009"): " ",
    ord("\u202f"): " ", ord("\u3000"): " ", ord("\u200b"): "", ord("’"): "'", ord("‘"): "'", ord("“"): '"',
    ord("”"): '"', ord("\ufeff"): "",
}  # fmt: skip
_WRAPPER = re.compile(
    r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mathit|mathsf|operatorname|mbox|rm|bf)\s*\{([^{}]*)\}"
)
_DISPLAY = re.compile(r"\\(?:left|right|displaystyle|bigl?|bigr?|Bigl?|Bigr?)(?![A-Za-z])|\\[!;:]")


def ascii_signs(text: str) -> str:
    """Full-width digits and letters, typographic minus signs, quotes and blanks as ASCII."""
    return text if text.isascii() else text.translate(_SIGNS)


def unwrap(text: str) -> str:
    """Without dollar signs around it, markdown emphasis, LaTeX text wrappers and display commands."""
    text = ascii_signs(text).strip()
    for _ in range(4):
        before = text
        text = _WRAPPER.sub(r"\1", text).strip()
        for mark in ("**", "__", "$$", "$", "`"):
            if len(text) >= 2 * len(mark) and text.startswith(mark) and text.endswith(mark):
                text = text[len(mark) : -len(mark)].strip()
        if text.startswith(("\\(", "\\[")) and text.endswith(("\\)", "\\]")):
            text = text[2:-2].strip()
        if text == before:
            break
    return _DISPLAY.sub("", text).strip()


def words(text: str) -> str:
    """For comparing short texts: unwrapped, lower case, one blank between words, no punctuation at the ends."""
    text = unwrap(text).replace("\\ ", " ").replace("\\,", " ").replace("~", " ")
    return " ".join(text.casefold().split()).strip(" .,;:!?\"'")
