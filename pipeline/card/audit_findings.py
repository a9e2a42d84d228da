"""All sentences of an audit, the gravest first."""

from pipeline.audit_tables import Audit
from pipeline.card.audited import Finding, Told, coverage, duplicates, labels, lost
from pipeline.card.audited_confounds import confounds
from pipeline.card.audited_texts import texts

TOPICS = ("confounds", "coverage", "texts", "duplicates", "labels", "recordings", "license")


def findings(audit: Audit, told: Told) -> list[Finding]:
    """Return every sentence, by severity, then by topic, then in the order in which they were found."""
    found = [
        *confounds(audit, told),
        *coverage(audit, told),
        *texts(audit),
        *duplicates(audit, told),
        *lost(audit, told),
        *labels(told),
    ]
    return sorted(found, key=lambda one: (-one.severity, TOPICS.index(one.topic)))
