"""The probe corpus's data: each feature changes exactly what it documents."""

import re

import pytest

from pipeline.corpora.probe_data import Features, features, first_or_named, prompts, voices

# by hand, from the descriptions in features.yaml
GOLDEN = {
    "th_stopping": [
        ("ðə θˈɪn klˈɔθ, bɹˈʌðəɹ.", "də tˈɪn klˈɔt, bɹˈʌdəɹ."),
        ("tˈɪn dˈɔɡ vˈɛst fˈɪʃ", "tˈɪn dˈɔɡ vˈɛst fˈɪʃ"),
    ],
    "th_fronting": [
        ("ðə θˈɪn klˈɔθ ðˌɛm", "ðə fˈɪn klˈɔf ðˌɛm"),
        ("bɹˈʌðəɹ wɪðˈɪn lˈOðz, ðˈæt", "bɹˈʌvəɹ wɪvˈɪn lˈOvz, ðˈæt"),
    ],
    "h_dropping": [("ðə hˈɛʤ bəhˈInd hˌɪm", "ðə ˈɛʤ bəˈInd ˌɪm"), ("ʃˌi θˈif", "ʃˌi θˈif")],
    "non_rhotic": [
        ("ðə ɹˈɛd kˈɑɹt nˈɔɹθ fˈɔɹ", "ðə ɹˈɛd kˈɑt nˈɔθ fˈɔ"),
        ("wˈɔTəɹ, ænd wˈɔTəɹ ænd wˈɔTəɹ ˈɪz", "wˈɔTə, ænd wˈɔTəɹ ænd wˈɔTəɹ ˈɪz"),
        ("klˈɪɹ fˈɛɹ vˈɛɹi hˈɜɹd lˈAəɹ.", "klˈɪə fˈɛə vˈɛɹi hˈɜd lˈAə."),
    ],
    "kit_fleece_merger": [("ʃˈɪp ʃˈip ɪn klˈɪɹ wˈɪɹi lˈIt", "ʃˈip ʃˈip in klˈɪɹ wˈɪɹi lˈIt")],
    "l_r_merger": [
        ("ɹˈɛd lˈɛd bɹˈɪʤ vˈɛɹi ɹˌɪtˈɜɹn", "lˈɛd lˈɛd blˈɪʤ vˈɛli lˌɪtˈɜɹn"),
        ("kˈɑɹt nˈɔɹθ wˈɔTəɹ", "kˈɑɹt nˈɔɹθ wˈɔTəɹ"),
    ],
    "v_w_merger": [("vˈɛst wˈɛst hˈɛvi lˈiv ʌv lˈivz", "wˈɛst wˈɛst hˈɛwi lˈiv ʌv lˈivz")],
    "final_devoicing": [
        ("bˈæɡ, kˈʌb lˈɛd hˈɛʤ lˈiv bɹˈið hɪz.", "bˈæk, kˈʌp lˈɛt hˈɛʧ lˈif bɹˈiθ hɪs."),
        ("ɹˈɪbz klˈɑɡd wˈidz lˈOðz bˈɑdi ˈOld", "ɹˈɪps klˈɑkt wˈits lˈOθs bˈɑdi ˈOlt"),
        ("bˈæd dˈɔɡz dˈɪd?", "bˈæt dˈɔks dˈɪt?"),
    ],
    "cluster_reduction": [
        ("lˈæst hˈænd kɹˈʌʃt, dˈɛsk wˈɑsp ˈOld", "lˈæs hˈæn kɹˈʌʃ, dˈɛs wˈɑs ˈOl"),
        ("hˈɑɹd kˈɑɹt bˈæd dɹˈɪftᵻd sˈɪŋk lˈæmp", "hˈɑɹd kˈɑɹt bˈæd dɹˈɪftᵻd sˈɪŋk lˈæmp"),
    ],
}
NATIONS = (
    "english|american|british|indian|chinese|japanese|german|french|spanish|russian|irish|scot|cockney|african|asian"
)


@pytest.mark.parametrize(
    ("feature", "before", "after"), [(name, *pair) for name, pairs in GOLDEN.items() for pair in pairs]
)
def test_a_feature_rewrites_what_it_documents_and_nothing_else(feature: str, before: str, after: str) -> None:
    assert features().apply(features().by_id()[feature], before) == after


def test_every_feature_has_golden_strings_and_the_baseline_changes_nothing() -> None:
    assert set(features().by_id()) == {"baseline", *GOLDEN}
    assert features().by_id()["baseline"].rewrites == ()


def test_no_feature_is_named_after_a_nationality() -> None:
    for feature in features().features:
        assert not re.search(NATIONS, f"{feature.id} {feature.name}", re.IGNORECASE)
        assert feature.source


@pytest.mark.parametrize("feature", sorted(GOLDEN))
def test_every_feature_has_something_to_change_in_half_of_the_prompts(feature: str) -> None:
    known = features()
    changed = [known.apply(known.by_id()[feature], part) != part for one in prompts().study for part in one.phonemes]
    assert sum(changed) >= len(changed) // 2


def test_rewrites_stay_within_the_alphabet_of_the_prompts() -> None:
    known, everything = features(), [part for one in prompts().study for part in one.phonemes]
    alphabet = set("".join(everything))
    for feature in known.features:
        assert set("".join(known.apply(feature, part) for part in everything)) <= alphabet


def test_prompts_are_plain_sentences_of_our_own_length_and_all_different() -> None:
    read = [*prompts().study, *prompts().babble]
    assert len({one.id for one in read}) == len({one.text for one in read}) == len(read)
    assert len(prompts().study) == 30
    for one in read:
        assert 16 <= len(one.text.split()) <= 24
        assert re.fullmatch(r"[A-Za-z ,]+[.?]", one.text)
        assert len(" ".join(one.phonemes).split()) == len(one.text.split())


def test_voices_are_all_different_and_babble_shares_none() -> None:
    shipped = [*voices().study, *voices().babble]
    assert len({one.id for one in shipped}) == len({one.scale for one in shipped}) == len(shipped)
    assert len(voices().study) == 12
    assert len(voices().babble) == 8


def test_voices_are_counted_from_the_top_or_named() -> None:
    assert [one.id for one in first_or_named(voices().study, 2)] == ["v01", "v02"]
    assert [one.id for one in first_or_named(voices().study, ["v05", "v01"])] == ["v05", "v01"]


@pytest.mark.parametrize("find", ["(", "[{vowel}"])
def test_a_broken_rewrite_is_refused_by_name(find: str) -> None:
    feature = {"id": "odd", "name": "n", "description": "d", "source": "s", "rewrites": [{"find": find, "replace": ""}]}
    with pytest.raises(ValueError, match="'odd' has a broken rewrite"):
        Features.model_validate({"sets": {"vowel": "ae"}, "features": [feature]})
