"""One row per request to the gateway: who asked, what was done, what was chosen; hashes instead of text."""

from pydantic import AwareDatetime, Field, JsonValue

from hexad.records.base import Record


class AuditCandidate(Record):
    """One candidate of an audited request."""

    seed: int
    tokens: int = Field(ge=0, description="Completion tokens.")
    finish_reason: str = Field(description="stop, length, deadline, cancelled or error.")
    text_sha256: str = Field(description="Of the raw text as the engine wrote it, UTF-8.")
    answer_sha256: str | None = Field(None, description="Of the extracted answer; None where there is none.")
    score: float | None = Field(None, description="The verifier's, 0..1; None where it was not asked.")
    group: int | None = Field(None, description="Equal numbers for equivalent answers; None: could not win.")
    text: str | None = Field(None, description="The raw text, only if the operator asked for it.")


class AuditRow(Record):
    """What a gateway did for one request. Rows with text can train a verifier; others can be matched by hash."""

    version: int = 1
    request_id: str
    trace_id: str | None = Field(None, description="W3C trace id, 32 hexadecimal digits.")
    instance: str = Field(description="The gateway process.")
    time: AwareDatetime = Field(description="When the request arrived, UTC.")
    seconds: float = Field(ge=0, description="From arrival to the last byte handed over.")
    status: int = Field(description="HTTP status that the client was told or, in a stream, would have been; 499: left.")
    error: str | None = Field(None, description="Code or type of the error, never its message.")
    caller: str | None = Field(None, description="First digits of the sha256 of the API key; None: no key asked for.")
    model: str | None = Field(None, description="The alias asked for; None: the request could not be read.")
    messages_sha256: str | None = Field(None, description="Of the messages as JSON: sorted keys, no spaces, ASCII.")
    messages: list[dict[str, JsonValue]] | None = Field(None, description="Only if the operator asked for text.")
    sampling: dict[str, float] = Field(default_factory=dict, description="Numbers only: strings may quote the client.")
    seed: int | None = Field(None, description="Candidate i was sampled with seed + i.")
    policy: dict[str, JsonValue] = Field(default_factory=dict, description="Candidates, plan, selector, limits.")
    bypass: str | None = Field(None, description="Why the scaffold did not apply, e.g. tools.")
    candidates: list[AuditCandidate] = Field(default_factory=list)
    selected: int | None = None
    reason: str | None = Field(None, description="Why that one.")
    selector: str | None = Field(None, description="The rule that was applied, after any fallback.")
    stop: str | None = Field(None, description="Why sampling ended.")
    usage: dict[str, JsonValue] = Field(default_factory=dict, description="OpenAI's usage object: all stages summed.")
