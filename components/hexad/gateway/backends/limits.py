"""Rate limits as an operator states them."""

from pydantic import Field

from hexad.records import Record


class RateLimits(Record):
    """Most that this gateway may ask of its engine; None: no limit, or the one that the engine's headers tell.

    Limits of an account count for all who use it: with several gateways, give each its share.
    """

    requests_per_minute: int | None = Field(None, gt=0)
    requests_per_hour: int | None = Field(None, gt=0)
    requests_per_day: int | None = Field(None, gt=0)
    tokens_per_minute: int | None = Field(None, gt=0, description="Tokens read and written.")
    tokens_per_hour: int | None = Field(None, gt=0)
    tokens_per_day: int | None = Field(None, gt=0)

    @property
    def tokens(self) -> int | None:
        """The lowest limit on tokens: no call may be larger."""
        known = [n for n in (self.tokens_per_minute, self.tokens_per_hour, self.tokens_per_day) if n is not None]
        return min(known, default=None)
