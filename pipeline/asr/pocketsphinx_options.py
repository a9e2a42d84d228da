"""What PocketSphinx is told: every option of its search, stated here and in ``conf/asr/pocketsphinx.yaml``.

None is inherited from the engine. The names are the engine's, the defaults those of its version 5.1. What describes the
signal and the acoustic model (filter banks, normalization, dither) belongs to the acoustic model and stands in its own
``feat.params``, whose hash is part of the fingerprint. Grammars, keyword spotting and logs are left out.
"""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

BUILT_IN = "en-us"


class _Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SearchOptions(_Options):
    """The three passes of the search; beams are probabilities relative to the best path, penalties are factors."""

    beam: float = Field(1e-48, gt=0, le=1)
    wbeam: float = Field(7e-29, gt=0, le=1)
    pbeam: float = Field(1e-48, gt=0, le=1)
    lpbeam: float = Field(1e-40, gt=0, le=1)
    lponlybeam: float = Field(7e-29, gt=0, le=1)
    maxhmmpf: int = Field(30_000, ge=-1)
    """Phone models kept in a frame; -1: all."""
    maxwpf: int = Field(-1, ge=-1)
    """Words that may end in a frame; -1: all."""
    fwdtree: Literal[True] = True
    fwdflat: bool = True
    fwdflatbeam: float = Field(1e-64, gt=0, le=1)
    fwdflatwbeam: float = Field(7e-29, gt=0, le=1)
    fwdflatefwid: int = Field(4, ge=1)
    fwdflatsfwin: int = Field(25, ge=1)
    bestpath: bool = True
    backtrace: Literal[False] = False
    latsize: int = Field(5000, ge=1)
    min_endfr: int = Field(0, ge=0)
    pl_window: int = Field(5, ge=0)
    pl_beam: float = Field(1e-10, gt=0, le=1)
    pl_pbeam: float = Field(1e-10, gt=0, le=1)
    pl_pip: float = Field(1.0, gt=0)
    pl_weight: float = Field(3.0, gt=0)
    lw: float = Field(6.5, gt=0)
    fwdflatlw: float = Field(8.5, gt=0)
    bestpathlw: float = Field(9.5, gt=0)
    ascale: float = Field(20.0, gt=0)
    wip: float = Field(0.65, gt=0)
    nwpen: float = Field(1.0, gt=0)
    pip: float = Field(1.0, gt=0)
    uw: float = Field(1.0, gt=0)
    silprob: float = Field(0.005, gt=0, le=1)
    fillprob: float = Field(1e-8, gt=0, le=1)
    ds: int = Field(1, ge=1)
    topn: int = Field(4, ge=1)
    topn_beam: str = "0"
    compallsen: bool = False
    aw: int = Field(1, ge=1)
    logbase: float = Field(1.0001, gt=1)
    tmatfloor: float = Field(1e-4, ge=0, le=1)
    varfloor: float = Field(1e-4, ge=0)
    mixwfloor: float = Field(1e-7, ge=0, le=1)
    dictcase: bool = False


class PocketSphinxSettings(_Options):
    """Which model, searched how."""

    acoustic_model: str | None = None
    """Its folder (the engine's ``hmm``); None, as for the two below: the one in the wheel."""
    language_model: str | None = None
    dictionary: str | None = None
    language: str = Field("en", min_length=2)
    """What is spoken; the model in the wheel knows ``en`` alone."""
    samprate: Literal[16_000] = 16_000
    """What every clip is resampled to; an acoustic model for another rate would hear another voice."""
    batch_size: int = Field(8, ge=1)
    """Clips handed over and remembered together; they are decoded one by one."""
    decoding: SearchOptions = SearchOptions()

    @property
    def acoustic_model_name(self) -> str:
        """The folder's name, ``en-us`` for the one in the wheel."""
        return BUILT_IN if self.acoustic_model is None else Path(self.acoustic_model).expanduser().resolve().name
