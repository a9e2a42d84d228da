"""Sections 10 to 15: examples, privacy, review, advice, and how to test on one's own speech."""

from pipeline.artifacts import CorpusRecord
from pipeline.card import explained, registered, suppressed
from pipeline.card.evidence import Evidence, fact
from pipeline.card.figure_slots import figure_slots
from pipeline.card.folding import some_named
from pipeline.card.measures import Utterance
from pipeline.card.model import Block, Command, Fact, Facts, Heading, Listing, Row, Section, Sentence, TableCell
from pipeline.card.wording import NOT_EVALUATED, count, gap_points, label, listed, outside, p_value, percent, points
from pipeline.tables import ATTRIBUTE_PREFIX, POOLED

WITHHELD = "withheld"
TEXTS_WITHHELD = (
    "Texts are withheld: the corpus does not say that they may be redistributed, or the publisher chose so."
)
ONE_UTTERANCE = "Single utterances are not published: each is of one speaker, which is below the publication floor."
ADVICE = "advice"
"""Slug of the section in which the gates of a release stand too."""
OWN_CONTENT = "python -m pipeline corpus=manifest corpus.path=my_recordings.csv run_name=my_recordings"
OWN_NOISE = (
    "python -m pipeline corpus=manifest corpus.path=my_recordings.csv run_name=my_noise "
    "'+conditions.my_noise={version: 1, family: last_mile, description: Our own noise, "
    "steps: [{kind: add_noise, source: {kind: folder, path: my_noise}, snr_db: 10}]}'"
)
GLOSSARY = {
    "Group, accent": "the corpus's own label of how its speakers speak; this program never guesses one from audio",
    "Condition": "a named, fixed chain of noise, devices and codecs that every recording is passed through",
    "Cell": "one group under one condition, with one recognizer and one normalizer",
    "Normalizer": "the rules that decide which spellings count as the same word",
    "WER": "word error rate: substitutions, deletions and insertions per reference word",
    "Shrunken WER": "a group's WER in the model, drawn toward the others' as far as few speakers leave it uncertain",
    "Model gap, ratio, SD": "what a model of WERs leaves once chance is taken off; never 0, so no test",
    "P(worst), P(best)": "how often a group is worst, or best, in draws from that model",
    "Equivalent": "shown, not assumed: the interval of the ratio of WERs lies within the margin fixed beforehand",
    "Inconclusive": "neither equivalence nor its opposite is shown",
    "Adjusted p": "corrected for how many groups and conditions were tested together (max-T or Holm)",
    "Not shown": "p is not below 1 minus the confidence level; a difference may still be there",
    "Detectable ratio": "what four of five studies with speakers as scattered as these would have shown",
    "F1": "balance of word precision and word recall",
    "Interval": "what WER would be compatible with these speakers; leave-one-speaker-out jackknife of log WER",
    "Borrowed interval": "the same with part of the variance from the other groups under the same condition",
    "MER, WIL, CER": "errors per aligned word; word information lost; errors per character of the reference",
    "Effective speakers": "how many equally talkative speakers would be worth as much as these",
    "Naive gap": "highest minus lowest WER as observed; positive even when all groups are equal",
    "Permutation null": "the same number with speakers dealt to the groups at random, many times",
    "Repeat": "one of several transcripts of the same audio that a recognizer draws at random; never scored",
    "Rolled up": "a group of too few speakers, told by the numbers of a wider group that it is part of",
    "Confounded": "nothing in the data tells a gap between groups from a gap between what they read",
    "Candidate": "a trial with a sign of invented text; a finding only after a person has listened",
    "Interaction, harm ratio": "whether a condition multiplies the errors of one group more than those of the others",
}
REFERENCES = {
    "Interval of a WER, Welch t of a gap": "MacKinnon, Nielsen and Webb, Leverage, influence, and the jackknife in "
    "clustered regression models (CR3)",
    "Max-T": "Westfall and Young, Resampling-based multiple testing (1993), single step",
    "Holm": "S. Holm, A simple sequentially rejective multiple test procedure (1979)",
    "Moderated variances": "G. K. Smyth, Linear models and empirical Bayes methods for assessing differential "
    "expression in microarray experiments (2004)",
    "Matched-pairs test of segments": "Gillick and Cox, Some statistical issues in the comparison of speech "
    "recognition algorithms (1989)",
    "Conditions": "the standards and measurements named with each one under Intended use and limits",
}


def explainability(evidence: Evidence) -> Section:
    """Section 10: the utterances with the most errors, words taken for others, and confidence against error."""
    items = evidence.numbers.worst_utterances
    blocks: list[Block] = []
    if items:
        rows = [Row(head=outside(item.utterance_id, limit=80), cells=_utterance_cells(item)) for item in items]
        caption = (
            f"Utterances with the most word errors, each under its worst condition (text after {evidence.view.main})"
        )
        columns = ["Utterance", "Group", "Condition", "WER", "S / D / I of words", "Reference", "Hypothesis"]
        blocks.append(evidence.table(caption, columns, rows))
    elif evidence.numbers.publication.floor is not None:
        blocks.append(Sentence(text=ONE_UTTERANCE))
    else:
        text = "No word errors were counted." if evidence.measured else NOT_EVALUATED
        blocks.append(Sentence(text=text))
    if items and not evidence.view.may_show_text:
        blocks.append(Sentence(text=TEXTS_WITHHELD))
    blocks += figure_slots(evidence, "error_kinds")
    return Section(slug="explainability", title="Explainability", blocks=[*blocks, *_words_and_confidence(evidence)])


def _words_and_confidence(evidence: Evidence) -> list[Block]:
    told = explained.confusion_blocks(evidence), explained.confidence_blocks(evidence)
    withheld = WITHHELD if evidence.measured and not evidence.view.may_show_text else None
    missing = [
        fact(name, value)
        for name, value, block in zip((explained.CONFUSIONS, explained.CONFIDENCE), (withheld, None), told, strict=True)
        if not block
    ]
    return [*told[0], *told[1], *([Facts(facts=missing)] if missing else [])]


def _utterance_cells(item: Utterance) -> list[TableCell]:
    texts = [
        label(item.key.accent),
        label(item.key.condition),
        percent(item.wer),
        f"{item.substitutions} / {item.deletions} / {item.insertions} of {item.n_ref_words}",
        WITHHELD if item.reference is None else item.reference or "(no words)",
        WITHHELD if item.hypothesis is None else item.hypothesis or "(no words)",
    ]
    return [TableCell(lines=[text], key=item.key) for text in texts]


def privacy(evidence: Evidence) -> Section:
    """Section 11: consent, labels, and what kind of speech this is."""
    view = evidence.view
    corpus = view.source.record.corpus
    attributes = [
        name.removeprefix(ATTRIBUTE_PREFIX)
        for name in view.source.utterances.columns
        if name.startswith(ATTRIBUTE_PREFIX)
    ]
    kind = outside(corpus.label_kind).replace("_", " ") if corpus is not None and corpus.label_kind else "not stated"
    provenance = (
        outside(corpus.label_provenance).replace("_", " ")
        if corpus is not None and corpus.label_provenance
        else "not stated"
    )
    shown = "shown for the worst utterances" if view.may_show_text else WITHHELD
    facts = [
        fact(
            "Label policy",
            "labels come from the corpus; no accent, gender or race is inferred from audio by this program",
        ),
        fact("What the label is", kind),
        fact("Who says so", provenance),
        fact("Other declared attributes", listed(map(label, attributes))),
        fact("Consent of the speakers", "no speakers: the speech is synthetic" if view.synthetic else None),
        fact("Reference and hypothesis texts", shown),
        fact("Recordings and renderings of them", _passed_on(corpus)),
        fact("Per-speaker results", _per_speaker(evidence)),
        *suppressed.facts(evidence),
        fact("Synthetic speech", _synthetic(evidence)),
    ]
    return Section(slug="privacy", title="Privacy, consent and label policy", blocks=[Facts(facts=facts)])


def _passed_on(corpus: CorpusRecord | None) -> str:
    """Return whether recordings may leave those who have the corpus."""
    if corpus is None or corpus.redistribute_audio is None:
        return "the corpus does not say whether they may be passed on"
    return "may be passed on under the license" if corpus.redistribute_audio else "must not be passed on"


def _per_speaker(evidence: Evidence) -> str:
    if evidence.numbers.publication.floor is not None or not evidence.numbers.speakers:
        return "not published"
    return "errors and words of each speaker by group and condition, without names and in the order of their WER"


def _synthetic(evidence: Evidence) -> str:
    utterances = evidence.view.source.utterances
    synthetic = int(utterances["synthetic"].sum())
    if not evidence.view.synthetic:
        return "none"
    return f"{synthetic:,} of {count(len(utterances), 'utterance')}; it says nothing about any people"


def review(evidence: Evidence) -> Section:
    """Section 12: nothing that this program can compute."""
    facts = [fact("Groups submitted by outsiders", None), fact("Red-team findings", None)]
    return Section(slug="review", title="External review", blocks=[Facts(facts=facts)])


def advice(evidence: Evidence) -> Section:
    """Section 13: what the numbers ask of whoever builds on this recognizer."""
    slug, title = ADVICE, "Workflow advice"
    if not evidence.measured:
        return Section(slug=slug, title=title, blocks=[Sentence(text=NOT_EVALUATED)])
    items = [s for condition in evidence.view.conditions for s in _gap_advice(evidence, condition)]
    items += [*_costliest(evidence), *_more_speakers(evidence)]
    limit = gap_points(evidence.numbers.rules.gap_limit)
    if not items:
        items = [Sentence(text=f"No naive gap between ranked groups exceeds the publisher's limit of {limit}.")]
    standing = "Where a wrong word can harm someone, have a person check transcripts, whatever this card says."
    drift = "Run this study again when the recognizer, the microphones or the callers change."
    return Section(
        slug=slug, title=title, blocks=[Listing(items=[*items, Sentence(text=standing), Sentence(text=drift)])]
    )


def _gap_advice(evidence: Evidence, condition: str) -> list[Sentence]:
    gap, limit = evidence.disparity("gap_max_min", condition), evidence.numbers.rules.gap_limit
    if gap is None or gap.value is None or gap.value <= limit:
        return []
    text = (
        f"Under {label(condition)} the naive gap between {count(gap.n_groups, 'ranked group')} "
        f"({gap_points(gap.value)}; {evidence.stands_on(gap.n_speakers, gap.n_ref_words)}) exceeds the "
        f"publisher's limit of {gap_points(limit)}"
    )
    test = evidence.disparity("omnibus_q", condition)
    p = test.p if test is not None else None
    if p is not None and p < evidence.alpha:
        text += f", and a difference between groups is shown ({p_value(p)}): have people check transcripts of the "
        text += "groups with high WER."
    else:
        text += f"; a difference between groups is not shown ({p_value(p)}): test more speakers before you rely on the "
        text += "gap or dismiss it."
    return [Sentence(text=text, key=gap.key)]


def _costliest(evidence: Evidence) -> list[Sentence]:
    floor = evidence.numbers.rules.min_speakers
    pooled = [d for d in evidence.numbers.degradation if d.key.accent == POOLED and (d.difference or 0) > 0]
    pooled = [d for d in pooled if d.n_speakers >= floor]
    if not pooled or evidence.view.source.renderings.empty:
        return []
    worst = max(pooled, key=lambda item: item.difference or 0.0)
    text = (
        f"{label(worst.key.condition)} costs most: {points(worst.difference)} of WER, all groups pooled "
        f"({evidence.stands_on(worst.n_speakers, worst.n_ref_words)}). Mend such an audio path first."
    )
    return [Sentence(text=f"Of the conditions evaluated, {text}", key=worst.key)]


def _more_speakers(evidence: Evidence) -> list[Sentence]:
    view, floor = evidence.view, evidence.numbers.rules.min_speakers
    below = {
        accent: cell
        for accent in view.accents
        for cell in [evidence.cell(accent, view.reference)]
        if cell is not None and not cell.ranked
    }
    if not below:
        return []
    named = [f"{label(a)} ({evidence.stands_on(c.n_speakers, c.n_ref_words)})" for a, c in below.items()]
    names = some_named(named, separator=", ")
    return [Sentence(text=f"Record more speakers before you judge these groups (floor {floor}): {names}.")]


def own_content(evidence: Evidence) -> Section:
    """Section 14: the closing sentence and the commands, for one's own speech and one's own noise."""
    text = (
        "Because results depend on the recognizer, the workflow and the evaluation data, test on your own content too. "
        "List your recordings in a CSV file (utterance_id, audio_path, reference, speaker_id, accent) and run:"
    )
    noise = (
        "And with your own noise: put recordings of it (WAV) into a folder my_noise, and say how many decibels it lies "
        "below the speech:"
    )
    another = "Both commands take the default recognizer; asr=... names another, and --help lists them."
    blocks: list[Block] = [Sentence(text=text), Command(text=OWN_CONTENT)]
    blocks += [Sentence(text=noise), Command(text=OWN_NOISE), Sentence(text=another)]
    return Section(slug="own-content", title="Test on your own content", blocks=blocks)


def glossary(evidence: Evidence) -> Section:
    """Section 15: the words, and where the numbers are."""
    facts = [Fact(label=name, value=meaning) for name, meaning in GLOSSARY.items()]
    numbers = evidence.numbers
    text = (
        f"card.json holds every number of this card with its cell key, counts, speakers, words, interval and method: "
        f"{count(len(numbers.cells), 'cell')}, {len(numbers.disparities):,} disparities, "
        f"{len(numbers.interactions):,} interaction rows."
    )
    references = Facts(facts=[Fact(label=name, value=source) for name, source in REFERENCES.items()])
    blocks: list[Block] = [Facts(facts=facts), Heading(text="References"), references, Heading(text="Appendix")]
    blocks += [Sentence(text=text), *registered.blocks(evidence)]
    return Section(slug="glossary", title="Glossary and appendix", blocks=blocks)
