"""Files of terms, tags, phrases and verdicts: every form that is read, and a sentence for each that cannot be."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.corpora.word_files import TaggedWord, Verdict, read_phrases, read_tags, read_terms, read_verdicts
from pipeline.errors import ManifestError

DRUGS = {"metformin": ("metformin", "glucophage", "diabex"), "insulin glargine": ("insulin glargine",)}


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", "term,variants\nmetformin,glucophage; diabex\ninsulin glargine,\n"),
        ("t.tsv", "variants\tterm\nglucophage;diabex\tmetformin\n\tinsulin glargine\n"),
        ("t.csv", "term,variants\nmetformin,glucophage\nmetformin,diabex\ninsulin glargine,\n"),
        ("t.jsonl", '{"term": "metformin", "variants": "glucophage;diabex"}\n{"term": "insulin glargine"}\n'),
        ("t.yaml", 'metformin: [glucophage, diabex]\n"insulin glargine":\n'),
        ("t.yml", "- {term: metformin, variants: [glucophage, diabex]}\n- insulin glargine\n"),
        ("t.txt", "# drugs\nmetformin; glucophage; diabex\n\ninsulin glargine\n"),
    ],
)
def test_terms_are_read_from_every_form_of_a_list(tmp_path: Path, name: str, text: str) -> None:
    assert read_terms(written(tmp_path, name, text)) == DRUGS


def test_words_that_look_like_missing_values_are_terms(tmp_path: Path) -> None:
    assert list(read_terms(written(tmp_path, "t.csv", "term\nnull\nNone\nNA\n🙂\n"))) == ["null", "None", "NA", "🙂"]


def test_tags_are_read_with_an_index_a_word_or_both(tmp_path: Path) -> None:
    rows = [
        {"utterance_id": "u1", "word_index": 0, "tag": "name"},
        {"utterance_id": "u1", "word": "Kano", "tag": "place"},
        {"utterance_id": "u2", "word_index": 3, "word": "five", "tag": "null"},
    ]
    path = written(tmp_path, "tags.jsonl", "\n".join(map(json.dumps, rows)))
    assert read_tags(path) == [
        TaggedWord("u1", "name", 0, ""),
        TaggedWord("u1", "place", None, "Kano"),
        TaggedWord("u2", "null", 3, "five"),
    ]


def test_verdicts_are_candidates_that_somebody_filled_in(tmp_path: Path) -> None:
    text = "trial_key,backend,text_sha256,verdict\nk1,b,h,hallucination\nk1,b,h,\nk2,b,h,unsure\n"
    path = written(tmp_path, "c.csv", text)
    assert read_verdicts(path) == [Verdict("k1", "hallucination", "b", "h"), Verdict("k2", "unsure", "b", "h")]


def test_the_shipped_phrases_are_whole_phrases_and_users_may_bring_their_own(tmp_path: Path) -> None:
    shipped = read_phrases(None)
    assert min(map(len, (*shipped.anywhere, *shipped.whole))) > 1
    # a single common word within a sentence is no sign of anything
    assert all(" " in phrase for phrase in shipped.anywhere)
    own = read_phrases(written(tmp_path, "p.txt", "# ours\nring the bell\n"))
    assert (own.anywhere, own.whole) == (("ring the bell",), ())
    both = read_phrases(written(tmp_path, "p.yaml", "anywhere: [ring the bell]\nwhole: [amen]\n"))
    assert (both.anywhere, both.whole) == (("ring the bell",), ("amen",))


@pytest.mark.parametrize(
    ("reader", "name", "text", "said"),
    [
        (read_terms, "t.txt", "# nothing\n\n", "stats.terms: t.txt holds no term"),
        (read_terms, "t.csv", "term,variants\n", "stats.terms: t.csv holds no rows"),
        (read_terms, "t.csv", "word\nx\n", "no column 'term'"),
        (read_terms, "t.yaml", "- no\n- 12\n", "Quote every term"),
        (read_terms, "t.yaml", "a: [b\n", "not valid YAML"),
        (read_terms, "t.yaml", "just text", "neither a list"),
        (read_terms, "t.txt", "aspirin; ASA\nasa\n", "'asa' is a form of 'aspirin' and of 'asa'"),
        (read_terms, "t.csv", 'term\n"open\n', "not readable as csv"),
        (read_tags, "g.csv", "utterance_id,tag,word_index\nu1,name,-1\n", "line 2 needs"),
        (read_tags, "g.csv", "utterance_id,tag\nu1,name\n", "line 2 needs"),
        (read_tags, "g.csv", "utterance_id,tag,word\nu1,name\n", "bad rows: line 2"),
        (read_tags, "g.xlsx", "", "must end in"),
        (read_phrases, "p.yaml", "anywhere: [12]\n", "quoted phrases"),
        (read_phrases, "p.yaml", "phrases: [x]\n", "quoted phrases"),
        (read_phrases, "p.txt", "\n", "holds no phrase"),
        (read_verdicts, "v.csv", "trial_key,verdict\nk,halucination\n", "Did you mean 'hallucination'?"),
        (read_verdicts, "v.csv", "trial_key,verdict\nk,unsure\nk,hallucination\n", "two verdicts"),
    ],
)
def test_what_cannot_be_used_is_a_sentence(
    tmp_path: Path, reader: Callable[[Path], Any], name: str, text: str, said: str
) -> None:
    with pytest.raises(ManifestError) as caught:
        reader(written(tmp_path, name, text))
    assert said in str(caught.value)


@pytest.mark.parametrize("reader", [read_terms, read_tags, read_phrases, read_verdicts])
def test_a_wrong_path_and_bytes_that_are_no_text_are_sentences(tmp_path: Path, reader: Callable[[Path], Any]) -> None:
    with pytest.raises(ManifestError, match="there is no file"):
        reader(tmp_path / "absent.csv")
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ManifestError, match="not UTF-8"):
        reader(tmp_path / "bytes.csv")
