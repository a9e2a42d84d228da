"""Sections 1 to 4: what was run, what the words mean, what the card is for, and on which data."""

from pipeline.card.cannot_show import cannot_show
from pipeline.card.evidence import Evidence, fact
from pipeline.card.model import Block, Fact, Facts, Listing, Section, Sentence
from pipeline.card.recognizer_facts import recognizer_facts
from pipeline.card.view import View
from pipeline.card.wording import NOT_EVALUATED, NOT_RECORDED, count, label, listed, outside

FAMILIES = {
    "noise": "background noise",
    "room": "room reverberation and distance from the microphone",
    "handset": "handsets and microphones by themselves",
    "channel": "codecs, network loss and clipping",
    "last_mile": "a customer's own noise and devices",
}


def header(evidence: Evidence) -> Section:
    """Section 1: card, recognizer and run, so that the run can be made again."""
    record, settings = evidence.view.source.record, evidence.view.source.settings
    backend = record.backend
    facts = [
        fact("Card version", outside(settings.version)),
        fact("Run", outside(record.run_name)),
        fact("Status", record.status.replace("_", " ")),
        fact("Date", record.finished_at or record.started_at),
        fact("Applies to", label(backend.name) if backend else None),
        fact("Hardware", outside(record.device)),
        fact("Contact", outside(settings.contact) or NOT_RECORDED),
        *_fingerprint(evidence),
        fact(
            "Condition definitions", listed(f"{label(c.name)} v{c.version} {c.sha256[:12]}" for c in record.conditions)
        ),
        fact("Pipeline commit", record.commit or NOT_RECORDED),
        fact("Package versions", listed(f"{name} {outside(value)}" for name, value in sorted(record.versions.items()))),
        fact("Seed", str(record.seed)),
        fact("Configuration SHA-256", record.config_sha256),
        fact("Recomputed with other settings before", _history(len(record.history))),
    ]
    return Section(slug="header", title="Header", blocks=[Facts(facts=facts)])


def _fingerprint(evidence: Evidence) -> list[Fact]:
    backend = evidence.view.source.record.backend
    if backend is None:
        return [fact("Weights and decoding options", None)]
    return [*recognizer_facts(backend.fingerprint), fact("Recognizer fingerprint SHA-256", backend.sha256)]


RENDERED = (
    "Each recording was rendered under every condition below, and the same recording under every condition is what "
    "makes the comparison across conditions a paired one."
)
UNHEARD = (
    "No audio was rendered here: the hypotheses were imported or scripted, and the names of the conditions are labels "
    "that this program has not verified."
)


NO_AUDIO = (
    "No audio is part of this study: references, labels and hypotheses were given as text. How the speech was recorded "
    "and transcribed is not known here: the name of the condition stands for no acoustic condition."
)


def played(view: View) -> str:
    """Return what was done to the recordings, in words."""
    if not view.has_audio:
        return NO_AUDIO
    return UNHEARD if view.source.renderings.empty else RENDERED


def on_what(view: View) -> str:
    """Return the data behind a bound, as the published cards do: the corpus, its speech, and who says the labels."""
    corpus = view.source.record.corpus
    if corpus is None:
        return f"corpus {NOT_RECORDED}"
    said = [f"corpus {label(corpus.name)}"]
    said += [f"{outside(corpus.style).replace('_', ' ')} speech"] if corpus.style else []
    who = outside(corpus.label_provenance).replace("_", " ") if corpus.label_provenance else "not stated whose"
    return ", ".join([*said, f"labels: {who}"])


def _history(times: int) -> str:
    return "no" if times == 0 else f"{count(times, 'time')}; the rules were not all fixed before results were seen"


def overview(evidence: Evidence) -> Section:
    """Section 2: the task, the measures with their formulas, and what varied."""
    view = evidence.view
    kind = view.source.record.corpus.label_kind if view.source.record.corpus else ""
    measures = [
        "Task: writing down the words of recorded speech. " + played(view),
        "A word of the reference is a hit (H), replaced by another (substitution, S) or left out (deletion, D); a word "
        'nobody said is an insertion (I). If "turn the lights off" comes back as "turn lights of now", then H = 2, '
        "S = 1 (off), D = 1 (the) and I = 1 (now).",
        "Word error rate: WER = (S + D + I) / (H + S + D). It can exceed 100%.",
        "Word-recognition F1 = 2H / (reference words + hypothesis words), the balance of precision H / (H + S + I) and "
        "recall H / (H + S + D).",
    ]
    blocks: list[Block] = [Sentence(text=text) for text in measures]
    accents = listed((label(accent) for accent in view.accents), empty=NOT_EVALUATED)
    conditions = listed((label(condition) for condition in view.conditions), empty=NOT_EVALUATED)
    name = f" ({outside(kind).replace('_', ' ')})" if kind else ""
    facts = [fact(f"Intrinsic variation: groups compared{name}", accents)]
    controlled = conditions if view.has_audio else f"none; {conditions}, the acoustic condition is not known"
    facts.append(fact("Confounding variation: conditions controlled for", controlled))
    return Section(slug="overview", title="Overview", blocks=[*blocks, Facts(facts=facts)])


def intended_use(evidence: Evidence) -> Section:
    """Section 3: what the card is for, what was and was not evaluated, and what a generative recognizer may do."""
    view = evidence.view
    settings = view.source.settings
    facts = [
        fact("Intended use", outside(settings.intended_use, limit=1000)),
        fact("Out of scope", outside(settings.out_of_scope, limit=1000)),
        fact("Languages and varieties", outside(settings.locale)),
    ]
    described = [
        f"{label(c.name)}: {outside(c.description) or 'no description'}{_sources(c.sources)}"
        for c in view.source.record.conditions
    ]
    families = {condition.family for condition in view.source.record.conditions}
    absent = [name for family, name in FAMILIES.items() if family not in families]
    facts.append(fact("Conditions evaluated", None if not described else f"{len(described)}, listed below"))
    facts.append(fact("Conditions not evaluated", f"any not listed below; of the known kinds: {listed(absent)}"))
    warning = (
        "A generative recognizer can write fluent words that nobody said, most of all where speech is faint, noisy or "
        "absent. A low WER does not rule this out; see Hallucination and veracity."
    )
    return Section(
        slug="intended-use",
        title="Intended use and limits",
        blocks=[
            Facts(facts=facts),
            Listing(items=[Sentence(text=text) for text in described]),
            Sentence(text=warning, warning=True),
            *cannot_show(evidence),
        ],
    )


def _sources(sources: list[str]) -> str:
    return f" (sources: {'; '.join(outside(source) for source in sources)})" if sources else ""
