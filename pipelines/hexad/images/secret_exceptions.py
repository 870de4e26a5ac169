"""What the scan of images finds that is no secret: published test material inside packages, written down one by one."""

from hexad.images.secret_scan import Finding

_EXCEPTIONS: dict[tuple[str, str], str] = {}
"""(end of the file's path, kind) to the reason."""


def allowed(finding: Finding) -> bool:
    """Whether `finding` is written down here."""
    return any(finding.place.endswith(end) and finding.kind == kind for end, kind in _EXCEPTIONS)
