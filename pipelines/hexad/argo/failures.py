"""Which step of a workflow failed first, from what Argo tells the exit handler."""

import json


def first_failure(told: str) -> str:
    """One line, step and message, from the value of `{{workflow.failures}}`; text of another form as it is.

    Argo quotes its JSON list once more, in Go's way (workflow/controller/operator.go); what fails is listed with all
    that fails because of it.
    """
    try:
        found = json.loads(told)
        failures = json.loads(found) if isinstance(found, str) else found
    except ValueError:
        return told
    named = [failure for failure in failures or [] if failure.get("message")]
    if not named:
        return ""
    first = min(named, key=lambda failure: failure.get("finishedAt") or "9")
    return f"{first.get('displayName', '')}: {first['message']}"
