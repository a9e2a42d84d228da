"""A real browser: Debian's chromium (``apt-get install chromium``), driven by Playwright, closed after each module.

What a page may never do is checked by the browser itself at the end of every test: no request but for the page's own
folder, no message of an error on its console, no breach of its security policy.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from playwright.sync_api import Browser, Page, sync_playwright

from pipeline.asr.transcripts import Transcripts
from pipeline.card import figures
from pipeline.config import build
from pipeline.run import Outcome, run

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required", "--mute-audio",
)  # fmt: skip
NONE_HERE = (
    "no chromium on this machine: `apt-get install chromium`, or name one with the environment variable STUDY_CHROMIUM"
)
# The policy's own event, kept where a page's script cannot know of it; a payload would set the other one.
WATCH = """
window.breaches = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.breaches.push(`${event.violatedDirective} ${event.blockedURI}`);
});
window.alert = window.confirm = window.prompt = () => { window.ran = "a dialog"; };
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return the browser of a module. It holds an event loop, so it is gone before the next module's tests."""
    wanted = os.environ.get("STUDY_CHROMIUM")
    found = wanted or next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(NONE_HERE)
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=found, args=list(FLAGS))
        yield opened
        opened.close()


@dataclass
class Visit:
    """One page in one window, and everything that it asked for, said and broke."""

    page: Page
    folder: Path
    requests: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    excused: bool = False
    """set by the test of this very check"""

    @property
    def outside(self) -> list[str]:
        """What was asked for that is not in the page's own folder."""
        own = (self.folder.as_uri() + "/", "data:", "blob:null/")
        return [url for url in self.requests if not url.startswith(own)]

    def troubles(self) -> dict[str, object]:
        """Return what a page must never do; empty values: it did nothing of it."""
        return {
            "requests to elsewhere": self.outside,
            "console": self.said,
            "breaches of its policy": self.page.evaluate("window.breaches"),
            "a payload ran": self.page.evaluate("window.ran ?? null"),
        }


Open = Callable[..., Visit]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Open]:
    """Return an opener of pages: file, fragment, width, scheme. Every page is checked when the test is over."""
    visits: list[Visit] = []

    def open_it(file: Path, fragment: str = "", *, width: int = 1280, scheme: str = "light", **more: Any) -> Visit:
        window: dict[str, Any] = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
        context = browser.new_context(**window | more)
        context.set_default_timeout(10_000)
        context.add_init_script(WATCH)
        made = Visit(context.new_page(), file.parent.resolve())
        made.page.on("request", lambda request: made.requests.append(request.url))
        made.page.on("console", lambda line: made.said.append(line.text) if line.type in ("error", "warning") else None)
        made.page.on("pageerror", lambda error: made.said.append(str(error)))
        visits.append(made)
        made.page.goto(file.resolve().as_uri() + fragment)
        return made

    yield open_it
    troubles = [made.troubles() for made in visits if not made.excused]
    for made in visits:
        made.page.context.close()
    assert [found for found in troubles if any(found.values())] == []


@dataclass(frozen=True)
class Speaker:
    """Who says what in a made study, and what is heard of it under each condition."""

    accent: str
    name: str
    said: Sequence[str]
    heard: Sequence[Mapping[str, str]]
    prefix: str = ""
    """how the names of the utterances begin"""


def written(folder: Path, speakers: Sequence[Speaker], *, seconds: float = 0.5) -> tuple[Path, Path]:
    """Write a manifest with recordings of noise, and the transcripts of their renderings; return both files."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(7)
    time_s = np.arange(round(seconds * 16_000)) / 16_000
    rows, lines = [], []
    for n, speaker in enumerate(speakers):
        for at, (said, heard) in enumerate(zip(speaker.said, speaker.heard, strict=True)):
            key, file = f"{speaker.prefix}u{n:03d}-{at}", f"u{n:03d}-{at}.flac"
            noise = 0.1 * np.abs(np.sin(2 * np.pi * 3 * time_s)) * rng.standard_normal(len(time_s))
            soundfile.write(folder / file, noise, 16_000)
            who = {"speaker_id": speaker.name, "accent": speaker.accent}
            rows.append({"utterance_id": key, "audio_path": file, "reference": said} | who)
            lines += [{"utterance_id": key, "condition": c, "hypothesis": text} for c, text in heard.items()]
    (folder / "manifest.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "heard.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return folder / "manifest.jsonl", folder / "heard.jsonl"


def studied(folder: Path, *overrides: str) -> Outcome:
    """Run a study of the repository's configuration in a folder of the test."""
    fixed = [f"results_dir={folder}", "stats.permutations=99", "stats.bootstrap=0", "render.workers=0"]
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        composed = OmegaConf.to_container(compose("config", [*fixed, *overrides]), resolve=True)
    assert isinstance(composed, dict)
    plain = {str(key): value for key, value in composed.items()}
    return run(build(plain), store_path=folder / "store.db", overrides=[])


def people(accents: Sequence[str], each: int, conditions: Sequence[str]) -> list[Speaker]:
    """Return speakers who all say the same; of the later accents and conditions less is heard."""
    said = ("the boat left the harbor before sunrise", "please bring the blue folder to the second floor")
    return [
        Speaker(accent, f"{accent}{n}", said, [_heard(text, a + n % 2, conditions) for text in said])
        for a, accent in enumerate(accents)
        for n in range(each)
    ]


def _heard(text: str, lost: int, conditions: Sequence[str]) -> dict[str, str]:
    words = text.split()
    return {c: " ".join(["odd", *words[: len(words) - lost - at]]) if lost else text for at, c in enumerate(conditions)}


def made(folder: Path, speakers: Sequence[Speaker], conditions: Sequence[str], *overrides: str) -> Outcome:
    """Run a study of what is written, whose texts and recordings may be passed on; its last recording is missing."""
    manifest, heard = written(folder, speakers)
    sorted(folder.glob("*.flac"))[-1].unlink()
    with pytest.MonkeyPatch.context() as changed:
        # words that are known, of recordings that are rendered as for a recognizer that listens
        changed.setattr(Transcripts, "needs_audio", True)
        for name in ("PNG_DPI", "LEAST_PNG_DPI"):  # no browser shows the PNGs
            changed.setattr(figures, name, 30)
        return studied(
            folder, "corpus=manifest", f"corpus.path={manifest}", "corpus.accents=as_given", "corpus.public=true",
            "corpus.redistribute_text=true", "corpus.redistribute_audio=true", "asr=transcripts", f"asr.path={heard}",
            f"conditions=[{','.join(conditions)}]", *overrides,
        )  # fmt: skip


@pytest.fixture(scope="session")
def study_of() -> Callable[..., Outcome]:
    """Return a runner of a study of speakers: folder, speakers, conditions, overrides."""
    return made


@pytest.fixture(scope="session")
def speaker() -> type[Speaker]:
    """Return what a speaker is."""
    return Speaker


@pytest.fixture(scope="module")
def friendly(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Return a finished run of three accents under two conditions, with audio that may be passed on."""
    conditions = ("clean", "babble_10")
    speakers = people(("north", "south", "river & lake"), 6, conditions)
    return made(tmp_path_factory.mktemp("friendly"), speakers, conditions, "run_name=friendly")
