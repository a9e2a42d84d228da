"""The transformers backend, on tiny models with random weights that are made here."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from pipeline.asr.base import Backend, Draw, Generative, Placeable
from pipeline.asr.halving import Halving
from pipeline.asr.transformers import Transformers
from pipeline.asr.transformers_models import MASKED
from pipeline.asr.transformers_options import GenerationOptions, TransformersSettings
from pipeline.errors import BackendError, MissingPrerequisite
from pipeline.records import Status

torch = pytest.importorskip("torch")
library = pytest.importorskip("transformers")

CONF = Path(__file__).resolve().parents[3] / "conf" / "asr"
LETTERS = ("<pad>", "<s>", "</s>", "<unk>", "|", *"abcdefghijklmnopqrstuvwxyz'")
END, START, ENGLISH, FRENCH, TRANSCRIBE, TRANSLATE, PREVIOUS, NO_SPEECH, NO_TIMES = range(256, 265)
CONFIGS = {
    "wav2vec2": "Wav2Vec2",
    "hubert": "Hubert",
    "wavlm": "WavLM",
    "unispeech": "UniSpeech",
    "unispeech-sat": "UniSpeechSat",
}


def make_ctc(folder, *, norm="layer", kind="wav2vec2", safe=True):
    """Save a CTC model that spells by chance, with a word delimiter and a blank as published ones have them."""
    torch.manual_seed(0)
    folder.mkdir(parents=True)
    (folder / "vocab.json").write_text(json.dumps({letter: at for at, letter in enumerate(LETTERS)}))
    library.Wav2Vec2CTCTokenizer(str(folder / "vocab.json")).save_pretrained(folder)
    library.Wav2Vec2FeatureExtractor(return_attention_mask=norm == "layer").save_pretrained(folder)
    config = getattr(library, f"{CONFIGS[kind]}Config")(
        vocab_size=len(LETTERS),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        conv_dim=(32,) * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
        feat_extract_norm=norm,
        do_stable_layer_norm=norm == "layer",
        pad_token_id=0,
    )
    model = getattr(library, f"{CONFIGS[kind]}ForCTC")(config)
    with torch.no_grad():
        model.lm_head.weight.mul_(20)
    model.save_pretrained(folder)
    if not safe:
        torch.save(model.state_dict(), folder / "pytorch_model.bin")
        (folder / "model.safetensors").unlink()
    return folder


def make_whisper(folder, *, multilingual=True):
    """Save a Whisper that writes bytes by chance, with its special tokens and times."""
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    torch.manual_seed(0)
    folder.mkdir(parents=True)
    vocabulary = {letter: at for at, letter in enumerate(bytes_to_unicode().values())} | {"<|endoftext|>": END}
    special = "startoftranscript en fr transcribe translate startofprev nospeech notimestamps"
    tokenizer = library.WhisperTokenizer(
        vocab=vocabulary, merges=[], unk_token="<|endoftext|>", bos_token="<|endoftext|>", eos_token="<|endoftext|>"
    )
    tokenizer.add_special_tokens({"additional_special_tokens": [f"<|{name}|>" for name in special.split()]})
    tokenizer.add_tokens([f"<|{0.02 * step:.2f}|>" for step in range(1501)])
    assert tokenizer.convert_tokens_to_ids("<|notimestamps|>") == NO_TIMES
    tokenizer.save_pretrained(folder)
    library.WhisperFeatureExtractor(feature_size=16).save_pretrained(folder)
    tokens = {"decoder_start_token_id": START, "pad_token_id": END, "eos_token_id": END, "bos_token_id": END}
    config = library.WhisperConfig(
        vocab_size=len(tokenizer),
        num_mel_bins=16,
        d_model=32,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        max_target_positions=64,
        init_std=1.0,
        **tokens,
    )
    model = library.WhisperForConditionalGeneration(config)
    model.generation_config = library.GenerationConfig(
        **tokens,
        max_length=64,
        is_multilingual=multilingual,
        lang_to_id={"<|en|>": ENGLISH, "<|fr|>": FRENCH},
        task_to_id={"transcribe": TRANSCRIBE, "translate": TRANSLATE},
        no_timestamps_token_id=NO_TIMES,
        suppress_tokens=[START, ENGLISH, FRENCH, TRANSCRIBE, TRANSLATE, PREVIOUS, NO_SPEECH, NO_TIMES],
        begin_suppress_tokens=[END],
    )
    model.save_pretrained(folder)
    return folder


def make_moonshine(folder):
    """Save a sequence-to-sequence model without a window: a Moonshine that writes letters by chance."""
    from tokenizers import Tokenizer, decoders, models

    torch.manual_seed(0)
    folder.mkdir(parents=True)
    letters = Tokenizer(models.WordLevel({letter: at for at, letter in enumerate(LETTERS)}, unk_token="<unk>"))
    letters.decoder = decoders.Fuse()
    library.PreTrainedTokenizerFast(
        tokenizer_object=letters, pad_token="<pad>", bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    ).save_pretrained(folder)
    library.Wav2Vec2FeatureExtractor(return_attention_mask=True, do_normalize=False).save_pretrained(folder)
    config = library.MoonshineConfig(
        vocab_size=len(LETTERS),
        hidden_size=32,
        intermediate_size=64,
        encoder_num_hidden_layers=1,
        decoder_num_hidden_layers=1,
        encoder_num_attention_heads=2,
        decoder_num_attention_heads=2,
        initializer_range=0.7,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=1,
    )
    library.MoonshineForConditionalGeneration(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Return a maker of models by name, each made once."""
    root = tmp_path_factory.mktemp("models")
    makers = {
        "ctc": make_ctc,
        "group_norm": lambda folder: make_ctc(folder, norm="group"),
        "whisper": make_whisper,
        "moonshine": make_moonshine,
        "english": lambda folder: make_whisper(folder, multilingual=False),
    }

    def folder_of(name):
        return root / name if (root / name).exists() else makers[name](root / name)

    return folder_of


SHORT = {"max_new_tokens": 12}


def opened(folder, **changes):
    backend = Transformers(
        TransformersSettings(**({"model": str(folder), "device": "cpu", "generation": SHORT} | changes))
    )
    backend.prepare()
    backend.load()
    return backend


def noises(*durations_s):
    rng = np.random.default_rng(1)
    return [
        (0.1 * (k + 1) * rng.standard_normal(round(16_000 * duration_s))).astype(np.float32)
        for k, duration_s in enumerate(durations_s)
    ]


def texts(backend, request_of, clips, **changes):
    batch = [replace(request_of(str(at), samples=clip), **changes) for at, clip in enumerate(clips)]
    heard = backend.transcribe(batch)
    assert all(hypothesis.status is Status.OK for hypothesis in heard), heard
    return [hypothesis.text for hypothesis in heard]


# ---- options -----------------------------------------------------------------------------------------------------


def test_the_yaml_states_every_setting_with_the_default_of_the_code():
    stated = yaml.safe_load((CONF / "transformers.yaml").read_text(encoding="utf-8"))
    assert stated.pop("kind") == "transformers"
    assert set(stated) == set(TransformersSettings.model_fields)
    assert set(stated["generation"]) == set(GenerationOptions.model_fields)
    assert TransformersSettings(**stated) == TransformersSettings()


@pytest.mark.parametrize(
    "wrong",
    [
        {"trust_remote_code": True},
        {"device": "tpu"},
        {"device": "cuda:x"},
        {"chunk_length_s": 10.0, "stride_length_s": 5.0},
        {"generation": {"do_sample": True}},
        {"generation": {"task": "translate"}},
        {"dtype": "int8"},
    ],
)
def test_options_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValidationError):
        TransformersSettings(**wrong)


def test_nothing_is_done_before_prepare():
    backend: Backend = Transformers(TransformersSettings(model="/nowhere/at/all", device="cuda:1"))
    assert (backend.name, backend.device) == ("transformers:all", "cuda")
    for step in (backend.fingerprint, backend.load, lambda: backend.transcribe([])):
        with pytest.raises(RuntimeError):
            step()
    backend.close()


# ---- words -------------------------------------------------------------------------------------------------------


def test_a_ctc_model_says_what_the_librarys_own_pipeline_says(made, request_of):
    backend = opened(made("ctc"))
    reference = library.pipeline("automatic-speech-recognition", model=str(made("ctc")), device="cpu")
    clips = noises(1.0, 2.5)
    expected = [reference({"raw": clip.copy(), "sampling_rate": 16_000})["text"] for clip in clips]
    assert texts(backend, request_of, clips) == expected
    assert all(expected)


@pytest.mark.parametrize("name", ["whisper", "moonshine"])
def test_a_model_that_writes_says_what_the_librarys_own_pipeline_says(made, request_of, name):
    backend = opened(made(name))
    reference = library.pipeline("automatic-speech-recognition", model=str(made(name)), device="cpu")
    told = {"num_beams": 1, "max_new_tokens": 12} | (
        {"language": "en", "task": "transcribe"} if name == "whisper" else {}
    )
    clips = noises(1.0, 2.5)
    expected = [
        reference({"raw": clip.copy(), "sampling_rate": 16_000}, generate_kwargs=told)["text"].strip() for clip in clips
    ]
    assert texts(backend, request_of, clips) == expected
    assert all(expected)


@pytest.mark.parametrize("name", ["ctc", "group_norm", pytest.param("whisper", marks=pytest.mark.long), "moonshine"])
def test_words_do_not_depend_on_batch_order_or_company(made, request_of, name):
    backend = opened(made(name))
    clips = noises(1.0, 0.4, 2.0, 1.0, 0.7)
    alone = [text for clip in clips for text in texts(backend, request_of, [clip])]
    assert len(set(alone)) > 1
    assert texts(backend, request_of, clips[::-1])[::-1] == alone
    backend._in_parts = Halving(4)  # as on CUDA: several clips in a forward pass
    assert texts(backend, request_of, clips) == alone
    assert texts(backend, request_of, clips[::-1])[::-1] == alone


@pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask")  # torch, of the library's WavLM
@pytest.mark.parametrize("kind", MASKED)
def test_what_is_padded_is_not_heard_by_the_models_that_are_batched(tmp_path, kind):
    model = opened(make_ctc(tmp_path / kind, kind=kind))._model
    clips = noises(1.0, 2.0)
    assert len({model.company(clip) for clip in clips}) == 1
    alone, together = [model.hear([clip])[0] for clip in clips], model.hear(clips)
    assert [said.text for said in together] == [said.text for said in alone]
    for one, other in zip(alone, together, strict=True):
        assert one.n_tokens == other.n_tokens
        assert one.avg_logprob == pytest.approx(other.avg_logprob, rel=1e-3)


def test_a_model_whose_norm_hears_the_padding_is_batched_by_equal_length_only(made):
    model = opened(made("group_norm"))._model
    short, long, as_short = noises(1.0, 2.0, 1.0)
    assert model.company(short) == model.company(as_short) != model.company(long)


def test_tokens_and_their_log_probability_are_counted(made, request_of):
    (clip,) = noises(1.0)
    (ctc,) = opened(made("ctc")).transcribe([request_of(samples=clip)])
    assert ctc.n_tokens >= len(ctc.text.replace("<unk>", "?").replace(" ", "")) > 0
    assert ctc.avg_logprob < 0
    (written,) = opened(made("moonshine")).transcribe([request_of(samples=clip)])
    assert 0 < written.n_tokens <= 12
    assert written.avg_logprob < 0
    (unscored,) = opened(made("whisper")).transcribe([request_of(samples=clip)])
    assert unscored.n_tokens > 0
    assert unscored.avg_logprob is None


def test_an_answer_that_was_cut_off_says_so(made, request_of):
    backend = opened(made("moonshine"), generation={"max_new_tokens": 2})
    (cut,) = backend.transcribe([request_of(samples=noises(1.0)[0])])
    assert (cut.n_tokens, cut.status) == (2, Status.OK)
    assert "cut off at asr.generation.max_new_tokens" in cut.detail


@pytest.mark.long
def test_beams_are_searched_when_asked_for(made, request_of):
    beams = opened(made("whisper"), generation=SHORT | {"num_beams": 3})
    (heard,) = beams.transcribe([request_of(samples=noises(1.0)[0])])
    assert heard.status is Status.OK
    assert heard.n_tokens > 0
    assert beams.fingerprint() != opened(made("whisper")).fingerprint()


def test_a_clip_over_a_whispers_window_is_heard_beyond_it(made, request_of):
    backend = opened(made("whisper"))
    (long,) = noises(70.0)
    seen = []
    generate = backend._model._parts.model.generate
    backend._model._parts.model.generate = lambda **told: (
        seen.append(told["input_features"].shape[-1]) or generate(**told)
    )
    (heard,) = backend.transcribe([request_of(samples=long)])
    assert heard.status is Status.OK
    assert seen == [7000]  # frames of 10 ms: all of it was handed over
    assert heard.n_tokens > 12  # more than one window may write


def test_a_long_clip_is_chunked_for_a_ctc_model_and_heard_to_its_end(made, request_of):
    (long,) = noises(25.0)
    whole = opened(made("ctc"))
    chunked = opened(made("ctc"), chunk_length_s=8.0, stride_length_s=2.0)
    (expected,), (heard,) = texts(whole, request_of, [long]), texts(chunked, request_of, [long])
    assert 0.9 < len(heard) / len(expected) < 1.1
    assert heard[-20:] == expected[-20:]
    assert whole.fingerprint() != chunked.fingerprint()


# ---- repeats and places ------------------------------------------------------------------------------------------


@pytest.mark.long
def test_a_draw_says_the_same_whatever_was_drawn_before(made, request_of):
    backend = opened(made("whisper"), repeats=2)
    assert isinstance(backend, Generative)
    assert backend.repeating.repeats == 2
    first, second = noises(1.0, 1.5)
    draw, other = Draw(1, 2**62 + 5, 1.0), Draw(2, 8, 1.0)
    expected = texts(backend, request_of, [first], draw=draw)
    texts(backend, request_of, [second], draw=other)
    torch.manual_seed(99)
    assert texts(backend, request_of, [first], draw=draw) == expected
    assert texts(opened(made("whisper")), request_of, [first], draw=draw) == expected
    assert texts(backend, request_of, [first], draw=other) != expected
    assert texts(backend, request_of, [first]) != expected


def test_a_draw_leaves_the_random_numbers_of_others_alone(made, request_of):
    backend = opened(made("whisper"))
    torch.manual_seed(3)
    expected = torch.rand(2).tolist()
    torch.manual_seed(3)
    texts(backend, request_of, noises(1.0), draw=Draw(1, 7, 1.0))
    assert torch.rand(2).tolist() == expected


def test_repeats_of_a_ctc_model_are_refused(made):
    with pytest.raises(BackendError, match=r"asr\.repeats: .* is a CTC model"):
        Transformers(TransformersSettings(model=str(made("ctc")), device="cpu", repeats=3)).prepare()


def test_a_copy_for_another_device_has_the_same_fingerprint(made):
    backend = opened(made("ctc"))
    assert isinstance(backend, Placeable)
    copy = backend.on("cpu")
    with pytest.raises(RuntimeError):
        copy.fingerprint()
    copy.prepare()
    assert copy.fingerprint() == backend.fingerprint()
    assert backend.on("cuda:1").device == "cuda"


def test_a_cuda_device_that_is_not_here_is_refused(made, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    backend = Transformers(TransformersSettings(model=str(made("ctc")), device="cuda:0"))
    backend.prepare()
    assert (backend.device, backend.fingerprint()["dtype"]) == ("cuda", "float16")
    with pytest.raises(MissingPrerequisite, match="cuda:1 is asked for, but only 1 CUDA device"):
        backend.on("cuda:1").prepare()


def test_a_batch_that_does_not_fit_is_halved_and_its_size_remembered():
    sizes, freed = [], []

    def work(part):
        sizes.append(len(part))
        if len(part) > 2:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
        return [10 * item for item in part]

    in_parts = Halving(8)
    assert in_parts(range(7), work, free=lambda: freed.append(1)) == [0, 10, 20, 30, 40, 50, 60]
    assert (sizes, len(freed), in_parts.size) == ([7, 3, 1, 1, 1, 1, 1, 1, 1], 2, 1)


def test_what_never_fits_or_fails_otherwise_is_not_tried_for_ever():
    def too_big(part):
        raise RuntimeError("CUDA failed with error out of memory")

    def broken(part):
        raise RuntimeError("index out of range")

    for work in (too_big, broken):
        with pytest.raises(RuntimeError):
            Halving(4)(range(4), work, free=lambda: None)


# ---- bad clips and bad models ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ctc", "group_norm", pytest.param("whisper", marks=pytest.mark.long), "moonshine"])
def test_bad_clips_get_a_sentence_and_the_rest_go_on(made, request_of, name):
    backend = opened(made(name))
    (clip,) = noises(1.0)
    bad = [np.zeros(0, dtype=np.float32), np.array([0.0, np.nan], dtype=np.float32)]
    fine = [clip[:160], np.zeros(16_000, dtype=np.float32), clip]
    for together in (1, 4):
        backend._in_parts = Halving(together)
        empty, broken, tick, silence, last = backend.transcribe([request_of(samples=clip) for clip in bad + fine])
        assert (empty.status, empty.detail) == (Status.FAILED, "the clip has no samples")
        assert (broken.status, broken.detail) == (Status.FAILED, "1 of 2 samples are not finite numbers")
        assert tick.status is silence.status is last.status is Status.OK
        assert "0.0100 s, too short to hold a word" in tick.detail


def test_a_clip_that_breaks_the_model_fails_alone(made, request_of, monkeypatch):
    backend = opened(made("ctc"))
    good, bad = noises(1.0, 1.5)
    hear = backend._model.hear

    def fails(clips, draw=None):
        if any(clip.size == bad.size for clip in clips):
            raise RuntimeError("no kernel\nand more")
        return hear(clips, draw)

    monkeypatch.setattr(backend._model, "hear", fails)
    for together in (1, 4):
        backend._in_parts = Halving(together)
        first, second, third = backend.transcribe([request_of(samples=clip) for clip in (good, bad, good)])
        assert (second.status, second.detail) == (
            Status.FAILED,
            "the engine failed on this clip: RuntimeError: no kernel",
        )
        assert first.text == third.text != ""


def test_fingerprint_names_the_files_and_no_place(made, tmp_path):
    backend = opened(made("ctc"), batch_size=3)
    fingerprint = backend.fingerprint()
    assert {"sha256.model.safetensors", "sha256.vocab.json", "version.torch", "generation.num_beams"} <= set(
        fingerprint
    )
    assert (fingerprint["device"], fingerprint["dtype"]) == ("cpu", "float32")
    assert not any(str(made("ctc")) in value for value in fingerprint.values())
    elsewhere = make_ctc(tmp_path / "elsewhere")
    (elsewhere / "README.md").write_text("about this model")
    assert opened(elsewhere).fingerprint() == fingerprint


def test_truncated_weights_and_those_of_another_model_get_a_sentence(tmp_path):
    folder = make_ctc(tmp_path / "cut")
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BackendError, match="cannot be loaded on cpu: SafetensorError"):
        opened(folder)
    library.Wav2Vec2Model(library.Wav2Vec2Config.from_pretrained(folder)).save_pretrained(tmp_path / "headless")
    (tmp_path / "headless" / "model.safetensors").replace(folder / "model.safetensors")
    with pytest.raises(BackendError, match=r"lack lm_head.bias, lm_head.weight, which would be made up at random"):
        opened(folder)


def test_a_pickle_is_refused_unless_the_user_says_otherwise(tmp_path, made, request_of):
    folder = make_ctc(tmp_path / "pickled", safe=False)
    with pytest.raises(BackendError, match=r"are a Python pickle \(pytorch_model.bin\).*asr.allow_pickle=true"):
        opened(folder)
    clips = noises(1.0)
    assert texts(opened(folder, allow_pickle=True), request_of, clips) == texts(opened(made("ctc")), request_of, clips)


def test_a_model_that_wants_to_run_its_own_code_is_refused(tmp_path):
    folder = make_ctc(tmp_path / "own_code")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "mine", "auto_map": {"AutoConfig": "mine.Config", "AutoModelForCTC": "mine.Model"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "mine.py").write_text("raise SystemExit('this ran')")
    with pytest.raises(BackendError, match="brings its own code is never run"):
        opened(folder)


def test_a_folder_that_is_no_recognizer_gets_a_sentence(tmp_path):
    other = tmp_path / "other"
    library.BertConfig().save_pretrained(other)
    (other / "model.safetensors").write_bytes(b"")
    with pytest.raises(BackendError, match="'bert', which is neither a CTC nor a sequence-to-sequence"):
        opened(other)
    (tmp_path / "bare").mkdir()
    for model, said in (
        (tmp_path / "bare", "lacks config.json"),
        (tmp_path / "none", "is not a folder"),
        ("wav2vec2", "neither a hub id 'owner/name' nor a folder"),
    ):
        with pytest.raises(BackendError, match=said):
            opened(model)
    (other / "model.safetensors").unlink()
    with pytest.raises(BackendError, match=r"lacks model.safetensors"):
        opened(other)


def test_a_language_that_a_whisper_lacks_is_refused(made):
    with pytest.raises(BackendError, match="does not know 'de' but en, fr"):
        opened(made("whisper"), generation={"language": "de"})
    with pytest.raises(BackendError, match="knows English only, not 'fr'"):
        opened(made("english"), generation={"language": "fr"})


@pytest.mark.long
def test_the_language_is_told_to_a_model_that_can_be_told(made, request_of):
    clips = noises(1.0)
    english, french = (opened(made("whisper"), generation=SHORT | {"language": name}) for name in ("en", "fr"))
    assert texts(english, request_of, clips) != texts(french, request_of, clips)
    assert texts(opened(made("english")), request_of, clips) != [""]


def test_a_hub_model_without_a_network_says_what_to_do(monkeypatch):
    hub = pytest.importorskip("huggingface_hub")
    asked = []

    def nothing(model, **told):
        asked.append((model, told["revision"], told["local_files_only"]))
        raise OSError("no route to host")

    monkeypatch.setattr(hub, "snapshot_download", nothing)
    backend = Transformers(TransformersSettings(model="someone/some-model", device="cpu", revision="v1"))
    with pytest.raises(MissingPrerequisite, match=r"'someone/some-model' \(revision v1\) is not on this machine"):
        backend.prepare()
    assert asked == [("someone/some-model", "v1", True), ("someone/some-model", "v1", False)]


def test_a_hub_model_in_the_cache_is_taken_without_asking_the_network(made, monkeypatch):
    hub = pytest.importorskip("huggingface_hub")

    def cached(model, **told):
        assert told["local_files_only"]
        return str(made("ctc"))

    monkeypatch.setattr(hub, "snapshot_download", cached)
    backend = Transformers(TransformersSettings(model="someone/some-model", device="cpu"))
    backend.prepare()
    assert backend.name == "transformers:someone/some-model"


def test_a_missing_package_says_what_to_install(made, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingPrerequisite, match=r"pip install -e '\.\[transformers\]'"):
        Transformers(TransformersSettings(model=str(made("ctc")), device="cpu")).prepare()
