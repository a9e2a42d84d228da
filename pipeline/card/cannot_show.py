"""What the data of this study cannot show, whatever its numbers are: every sentence follows from what was studied."""

from pipeline.card.adjusted import SAME_TEXTS, confounded_sentences, content_blocks
from pipeline.card.evidence import Evidence
from pipeline.card.model import Block, Heading, Listing, Sentence
from pipeline.card.wording import NOT_EVALUATED, count, label, listed

TITLE = "What these data cannot show"
ADDED = ("noise", "room", "last_mile")
"""Families of conditions whose sound is added after a person has spoken."""
NO_PEOPLE = (
    "Anything about people: the speech is synthetic. It shows which pronunciations cost words, with this synthesizer."
)
NOT_A_SAMPLE = (
    "How everybody of a group fares: the speakers are those of the corpus, and nothing says that they were drawn from "
    "all who speak so."
)
NO_SPEAKERS = "How far speakers differ: the corpus names none, so that one voice may stand behind many utterances."
QUIET = (
    "How people speak in noise: {names} add sound to speech that was recorded without it, and people who hear noise "
    "speak otherwise."
)
HARM = "What an error costs: WER counts words, and a wrong drug name counts as much as a wrong article."
READ = "Talk that nobody prepared: the speech is {style}, which has other words, pauses and errors."
PREPARED = ("read", "scripted", "prompted", "synthetic")


def cannot_show(evidence: Evidence) -> list[Block]:
    """Return the heading and the list, the same in every study of the same kind of data."""
    items = [Sentence(text=text) for text in (*_of_speech(evidence), *_of_texts(evidence), *_of_sound(evidence))]
    return [Heading(text=TITLE), Listing(items=[*items, *_of_size(evidence), Sentence(text=HARM)])]


def _of_speech(evidence: Evidence) -> list[str]:
    view = evidence.view
    corpus = view.source.record.corpus
    style = corpus.style.replace("_", " ") if corpus is not None else ""
    texts = [NO_PEOPLE if view.synthetic else NOT_A_SAMPLE]
    if not view.speakers_known:
        texts.append(NO_SPEAKERS)
    if style in PREPARED:
        texts.append(READ.format(style=style))
    return texts


def _of_texts(evidence: Evidence) -> list[str]:
    if confounded_sentences(evidence):
        return [
            "Whether a gap is one of accents or of texts: the groups did not read the same (see Fairness and bias)."
        ]
    same = [block for block in content_blocks(evidence) if isinstance(block, Sentence) and SAME_TEXTS in block.text]
    if same or len(evidence.view.accents) < 2 or not evidence.measured:
        return []
    return ["How much of a gap is the texts': the groups did not all read the same (see Fairness and bias)."]


def _of_sound(evidence: Evidence) -> list[str]:
    view = evidence.view
    if not view.has_audio:
        return ["Anything about acoustic conditions: no audio is part of this study."]
    texts = []
    if evidence.numbers.starting_points:
        texts.append("How much of a gap is the recordings': groups were recorded otherwise (see Evaluation data).")
    added = [label(one.name) for one in view.source.record.conditions if one.family in ADDED]
    if added and not view.source.renderings.empty:
        texts.append(QUIET.format(names=listed(added)))
    return texts


def _of_size(evidence: Evidence) -> list[Sentence]:
    """Return what the number of speakers leaves unseen, over the groups under the reference condition."""
    view = evidence.view
    cells = [cell for accent in view.accents if (cell := evidence.cell(accent, view.reference)) is not None]
    if len(cells) < 2 or not view.speakers_known:
        return []
    fewest, most = min(cell.n_speakers for cell in cells), max(cell.n_speakers for cell in cells)
    people = count(most, "speaker") if fewest == most else f"{fewest:,} to {count(most, 'speaker')}"
    seen = any(item.detectable_ratio is not None for item in evidence.numbers.detectable)
    where = "Minimum detectable ratio says which" if seen else f"which differences could be seen is {NOT_EVALUATED}"
    text = f"Small differences: with {people} a group, what is not shown may well be there ({where})."
    return [Sentence(text=text, key=view.key(condition=view.reference))]
