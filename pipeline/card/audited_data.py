"""The audit's part of section 4: what the data can and cannot show, whatever recognizer listens to it."""

from pipeline.card.audit_findings import findings
from pipeline.card.audited import GRAVE, RECORD, Finding, Told
from pipeline.card.evidence import Evidence
from pipeline.card.model import Block, Heading, Listing, Sentence
from pipeline.card.view import View
from pipeline.card.wording import label, listed

TITLE = "Audit of the data"
ELSEWHERE = ("labels", "license", "recordings")
"""Topics that the section tells of in other places."""


def audited_data(evidence: Evidence) -> list[Block]:
    """Return what the audit found, the gravest as warnings; nothing where no audit was made."""
    found = _told(evidence.view)
    if not found:
        return []
    blocks: list[Block] = [Heading(text=TITLE)]
    blocks += [Sentence(text=one.text, warning=True) for one in found if one.severity == GRAVE]
    return [*blocks, Listing(items=[Sentence(text=one.text) for one in found if one.severity != GRAVE])]


def short_warning(evidence: Evidence) -> list[Sentence]:
    """Return one sentence for the summary, or none where nothing is shown to go with accent."""
    view = evidence.view
    table = view.source.audit.associations
    floor = view.source.publication.floor
    told = table[table["n_units"] >= floor] if floor is not None else table
    chosen = told[(told["family"] == "accent") & (told["shown"] | told["nested"].isin(["same", "in_accent"]))]
    if chosen.empty:
        return []
    text = (
        f"Goes with the groups: {listed(label(name) for name in chosen['attribute'])}. A difference between groups may "
        "be one of these; Evaluation data says by how much."
    )
    return [Sentence(text=text, warning=True)]


def _told(view: View) -> list[Finding]:
    audit = view.source.audit
    if audit.coverage.empty:
        return []
    told = Told(view.source.record.corpus, view.rules.min_speakers, view.source.publication.floor)
    return [one for one in findings(audit, told) if _is_for_the_card(one)]


def _is_for_the_card(one: Finding) -> bool:
    if one.topic in ELSEWHERE or (one.topic, one.severity) == ("coverage", RECORD):
        return False
    return not (one.topic == "texts" and ("corpus" in one.text or "audit.word_list" in one.text))
