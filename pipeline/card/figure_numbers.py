"""What only figures need of a run: the counts of each speaker, and which conditions are one noise at several SNRs."""

from pipeline.card.figure_measures import Rung, SpeakerCounts
from pipeline.card.keys import Key
from pipeline.card.view import View

SPEAKERS_METHOD = "errors and reference words of each speaker, lowest WER first; speakers are not named"
RUNGS_METHOD = "conditions that differ in nothing but the SNR that they ask for"


def speakers(view: View) -> list[SpeakerCounts]:
    """Return the counts of each speaker under the main normalizer, by cell; nothing where a publication floor holds.

    Speakers nobody named are in none. The order says nothing of who is who: by WER, then words.
    """
    if view.source.publication.floor is not None:
        return []
    known = view.counts[view.counts["speaker_id"].notna()]
    each = known.groupby(["accent", "condition", "speaker_id"], as_index=False)[["errors", "ref_words"]].sum()
    each = each[each["ref_words"] > 0]
    each = each.assign(wer=each["errors"] / each["ref_words"]).sort_values(["wer", "ref_words"], ignore_index=True)
    cells = {
        (str(accent), str(condition)): group for (accent, condition), group in each.groupby(["accent", "condition"])
    }
    return [
        SpeakerCounts(
            key=view.key(accent=accent, condition=condition),
            method=SPEAKERS_METHOD,
            n_speakers=len(group),
            n_ref_words=int(group["ref_words"].sum()),
            errors=tuple(group["errors"].tolist()),
            ref_words=tuple(group["ref_words"].tolist()),
        )
        for accent in view.accents
        for condition in view.conditions
        if (group := cells.get((accent, condition))) is not None
    ]


def rungs(view: View) -> list[Rung]:
    """Return the ladders of the study: by noise, the lowest SNR first; conditions that were not run are in none."""
    return [
        Rung(key=Key(condition=condition), method=RUNGS_METHOD, noise=noise, snr_db=snr_db)
        for noise, found in sorted(view.source.ladders.items())
        for condition, snr_db in sorted(found.items(), key=lambda one: one[1])
        if condition in view.conditions
    ]
