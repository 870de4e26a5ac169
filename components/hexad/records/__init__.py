"""Pydantic rows and manifests that cross a border."""

from hexad.records.audit import AuditCandidate, AuditRow
from hexad.records.base import Record
from hexad.records.benchmarks import SubsetName, Subsets
from hexad.records.bundle import Bundle, Speculation
from hexad.records.manifest import MANIFEST, FileEntry, Manifest, Provenance
from hexad.records.rows import (
    DOMAINS,
    Domain,
    Gold,
    Message,
    Prompt,
    Reject,
    Rollout,
    Status,
    Trace,
    Verdict,
    as_rows,
)
from hexad.records.summary import (
    Delta,
    Overlap,
    Score,
    SpeculativeSummary,
    StageSummary,
    SubsetScores,
    Summary,
    VerifierSummary,
)

__all__ = [
    "DOMAINS",
    "MANIFEST",
    "AuditCandidate",
    "AuditRow",
    "Bundle",
    "Delta",
    "Domain",
    "FileEntry",
    "Gold",
    "Manifest",
    "Message",
    "Overlap",
    "Prompt",
    "Provenance",
    "Record",
    "Reject",
    "Rollout",
    "Score",
    "Speculation",
    "SpeculativeSummary",
    "StageSummary",
    "Status",
    "SubsetName",
    "SubsetScores",
    "Subsets",
    "Summary",
    "Trace",
    "Verdict",
    "VerifierSummary",
    "as_rows",
]
