"""Whether another machine's clock agrees with ours, from the Date of any HTTP answer."""

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from hexad.preflight.checks import Finding

MOST_S = 60.0
"""S3 refuses requests signed 15 minutes off (RequestTimeTooSkewed), and tokens are valid to the second; a clock that
is a minute off is not kept by anybody and drifts on."""


def skew_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """The answering machine's clock minus `now`, seconds, to the second; None without a Date that can be read."""
    try:
        there = parsedate_to_datetime(headers.get("Date", ""))
    except ValueError:
        return None
    return (there - now).total_seconds() if there.tzinfo else None


def clock(whose: str, skew: float | None) -> Finding:
    """One line on the clock of `whose`."""
    check = f"clock of {whose}"
    if skew is None:
        return Finding(check=check, found="no Date in its answer", judged=False)
    found = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} ours"
    if abs(skew) <= MOST_S:
        # A Date is in whole seconds.
        return Finding(check=check, found=found if abs(skew) > 1 else "agrees with ours")
    return Finding(check=check, found=found, mend="keep both by NTP (chrony): signed requests and tokens are refused")
