"""Vendors' JSON: one small function a vendor, from the document to what it says of each recording.

A job that failed at the vendor, or was saved before it was done, is a ``Found`` with ``failure``. One that heard
nothing is an empty text. Layouts are those that the vendors document: AWS Transcribe batch output and
``GetTranscriptionJob``; Google Speech-to-Text v1 and v2; Azure batch (v3), fast transcription and SDK results;
Deepgram's and AssemblyAI's responses for recordings; OpenAI's ``json`` and ``verbose_json``; openai-whisper's
``--output_format json``.
"""

from collections.abc import Sequence
from dataclasses import replace

from pipeline.asr.imported.found import (
    Choice,
    Document,
    Found,
    LayoutError,
    UnreadableError,
    maybe,
    number,
    of_channel,
    take,
)
from pipeline.asr.segments import Segment, confidences

GOOGLE_EMPTY = {
    "@type", "metadata", "outputConfig", "requestId", "speechAdaptationInfo", "totalBilledDuration", "totalBilledTime",
}  # fmt: skip
"""What may stand in Google's answer when nothing was heard: empty lists are left out of it."""

AZURE_HEARD_NOTHING = {"NoMatch", "InitialSilenceTimeout", "BabbleTimeout", "EndOfDictation"}

UNFINISHED = "was saved before the vendor had finished"


def aws_transcribe(document: Document, choice: Choice) -> list[Found]:
    """AWS Transcribe: ``results.transcripts[0].transcript``; by channel, the words of ``channel_labels``."""
    job = maybe(document, "TranscriptionJob", dict)
    if job is not None:
        return [_aws_job(job)]
    name = maybe(document, "jobName", str) or ""
    status = maybe(document, "status", str) or "COMPLETED"
    if status != "COMPLETED":
        return [Found(None, name, failure=f"the job's status is {status}")]
    labels = maybe(take(document, "results", kind=dict), "channel_labels", dict)
    text = take(document, "results", "transcripts", 0, "transcript", kind=str)
    channels = take(labels, "channels", kind=list) if labels else []
    if channels and (len(channels) > 1 or choice.channel is not None):
        by_label = {take(channel, "channel_label", kind=str): channel for channel in channels}
        text = _aws_words(take(of_channel(by_label, choice), "items", kind=list))
    return [Found(text, name)]


def _aws_job(job: Document) -> Found:
    """Read the service's account of a job, which people save where a failed job has left no transcript."""
    status = take(job, "TranscriptionJobStatus", kind=str)
    reason = maybe(job, "FailureReason", str) or "the account of a job, which holds no transcript"
    return Found(None, maybe(job, "TranscriptionJobName", str) or "", failure=f"the job's status is {status}: {reason}")


def _aws_words(items: Sequence[object]) -> str:
    spoken = ""
    for item in items:
        word = take(item, "alternatives", 0, "content", kind=str)
        spoken += word if take(item, "type", kind=str) == "punctuation" else f" {word}"
    return spoken.strip()


def google(document: Document, choice: Choice) -> list[Found]:
    """Google: ``results[].alternatives[0].transcript`` joined; of a batch, the same for each URI in ``results``."""
    failure = _failure(document)
    if failure:
        return [Found(None, failure=failure)]
    answer = maybe(document, "response", dict)
    if answer is None and "metadata" in document and "name" in document:
        return [Found(None, failure=f"the operation {UNFINISHED}")]
    answer = document if answer is None else answer
    results = answer.get("results")
    if isinstance(results, dict):
        return [_google_file(uri, take(results, uri, kind=dict), choice) for uri in results]
    if results is None and not set(answer) <= GOOGLE_EMPTY:
        raise LayoutError("has no results")
    return [Found(_google_text(answer, choice))]


def _google_file(uri: str, result: Document, choice: Choice) -> Found:
    failure = _failure(result)
    if failure:
        return Found(None, uri, "source", failure=failure)
    inline = maybe(result, "inlineResult", dict)
    transcript = maybe(result if inline is None else inline, "transcript", dict)
    if inline is None and transcript is None:
        stored = maybe(result, "cloudStorageResult", dict) or result
        where = maybe(stored, "uri", str) or "another file"
        raise UnreadableError(
            f"says that the transcript of {uri} is in {where}: give the files written there as asr.path"
        )
    return Found(_google_text(transcript or {}, choice), uri, "source")


def _google_text(answer: Document, choice: Choice) -> str:
    by_tag: dict[str, list[str]] = {}
    for place, result in enumerate(maybe(answer, "results", list) or []):
        if not isinstance(result, dict):
            raise LayoutError(f"holds something else than an object in results[{place}]")
        alternatives = maybe(result, "alternatives", list) or []
        said = maybe(take(alternatives, 0, kind=dict), "transcript", str) if alternatives else None
        by_tag.setdefault(str(result.get("channelTag", "")), []).append((said or "").strip())
    parts = by_tag.get("", []) if set(by_tag) <= {""} else of_channel(by_tag, choice)
    return " ".join(part for part in parts if part)


def azure(document: Document, choice: Choice) -> list[Found]:
    """Azure: batch ``combinedRecognizedPhrases``, fast ``combinedPhrases[].text``, SDK ``NBest`` or ``DisplayText``."""
    if "combinedRecognizedPhrases" in document:
        return [_azure_batch(document, choice)]
    if "combinedPhrases" in document:
        phrases = _by_channel(take(document, "combinedPhrases", kind=list))
        return [Found(take(of_channel(phrases, choice), "text", kind=str) if phrases else "")]
    if "RecognitionStatus" in document:
        return [_azure_phrase(document, choice)]
    failure = _failure(document) or _failure({"error": document} if {"code", "message"} <= set(document) else {})
    if not failure:
        raise LayoutError("has no combinedRecognizedPhrases, combinedPhrases or RecognitionStatus")
    return [Found(None, failure=failure)]


def _azure_batch(document: Document, choice: Choice) -> Found:
    source = maybe(document, "source", str) or ""
    found = Found("", source, "source" if source else "file")
    phrases = _by_channel(take(document, "combinedRecognizedPhrases", kind=list))
    if not phrases:
        parts = [part for part in maybe(document, "recognizedPhrases", list) or [] if isinstance(part, dict)]
        failed = any(part.get("recognitionStatus") == "Failure" for part in parts)
        return replace(found, text=None, failure="no phrase was recognized: Failure") if failed else found
    phrase = of_channel(phrases, choice)
    if choice.azure_text not in phrase:
        raise UnreadableError(
            f"has no {choice.azure_text!r} text but {', '.join(sorted(map(str, phrase)))}:"
            " set asr.azure_text to lexical or display, whichever all files have"
        )
    return replace(found, text=take(phrase, choice.azure_text, kind=str))


def _azure_phrase(document: Document, choice: Choice) -> Found:
    status = take(document, "RecognitionStatus", kind=str)
    if status in AZURE_HEARD_NOTHING:
        return Found("")
    if status != "Success":
        return Found(None, failure=f"the recognition status is {status}")
    if not maybe(document, "NBest", list):
        return Found(take(document, "DisplayText", kind=str))
    return Found(take(document, "NBest", 0, choice.azure_text.capitalize(), kind=str))


def _by_channel(phrases: Sequence[object]) -> dict[str, Document]:
    found = {}
    for place, phrase in enumerate(phrases):
        if not isinstance(phrase, dict):
            raise LayoutError(f"holds something else than an object at place {place} of its phrases")
        found[str(maybe(phrase, "channel", int) or 0)] = phrase
    return found


def deepgram(document: Document, choice: Choice) -> list[Found]:
    """Deepgram: ``results.channels[].alternatives[0].transcript``."""
    code = maybe(document, "err_code", str)
    if code is not None:
        return [Found(None, failure=f"{code}: {maybe(document, 'err_msg', str) or 'no message'}")]
    channels = {str(i): channel for i, channel in enumerate(take(document, "results", "channels", kind=list))}
    channel = of_channel(channels, choice) if channels else {"alternatives": []}
    heard = take(channel, "alternatives", kind=list)
    return [Found(take(heard, 0, "transcript", kind=str) if heard else "")]


def assemblyai(document: Document, choice: Choice) -> list[Found]:
    """AssemblyAI: ``text``; by channel, the ``words`` of one channel."""
    name = maybe(document, "audio_url", str) or ""
    status = take(document, "status", kind=str)
    if status == "error":
        return [Found(None, name, failure=maybe(document, "error", str) or "an error without a message")]
    if status != "completed":
        return [Found(None, name, failure=f"the transcript {UNFINISHED}: its status is {status}")]
    by_channel: dict[str, list[str]] = {}
    words = maybe(document, "words", list) or []
    for word in words if document.get("multichannel") is True else []:
        by_channel.setdefault(str(take(word, "channel", kind=object)), []).append(take(word, "text", kind=str))
    if by_channel:
        return [Found(" ".join(of_channel(by_channel, choice)), name)]
    return [Found(maybe(document, "text", str), name)]


def openai(document: Document, choice: Choice) -> list[Found]:
    """OpenAI and compatible servers: ``text``, and the confidences of ``verbose_json``'s segments."""
    failure = _failure(document)
    return [Found(None, failure=failure) if failure else _spoken(document)]


def whisper_cli(document: Document, choice: Choice) -> list[Found]:
    """openai-whisper's command line: ``text`` and ``segments``."""
    take(document, "segments", kind=list)
    return [_spoken(document)]


def _spoken(document: Document) -> Found:
    text = take(document, "text", kind=str)
    segments = [segment for segment in maybe(document, "segments", list) or [] if isinstance(segment, dict)]
    told = [
        Segment(
            len(one["tokens"]) if isinstance(one.get("tokens"), list) else None,
            *(number(one, name) for name in ("avg_logprob", "no_speech_prob", "compression_ratio")),
        )
        for one in segments
    ]
    return Found(text, n_tokens=sum(one.n_tokens or 0 for one in told) or None, **confidences(told))


def _failure(document: Document) -> str:
    """Read the ``error`` object that Google, Azure and OpenAI answer with; empty text where there is none."""
    error = document.get("error")
    if not error:
        return ""
    if isinstance(error, str):
        return error
    said = [str(error[key]) for key in ("code", "message") if error.get(key)] if isinstance(error, dict) else []
    return ": ".join(said) or "an error without a message"
