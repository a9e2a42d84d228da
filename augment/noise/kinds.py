"""Every kind of noise: its settings, and the source that they make."""

from typing import Annotated

from pydantic import Field

from augment.noise.babble import Babble, BabbleSettings
from augment.noise.folder import Folder, FolderSettings
from augment.noise.hum import HumSettings, hum
from augment.noise.machine import MachineSettings, machine
from augment.noise.source import NoiseSource
from augment.noise.speech_shaped import SpeechShaped, SpeechShapedSettings
from augment.noise.steady import ColoredSettings, HothSettings, colored, hoth

SourceSettings = (
    ColoredSettings
    | HothSettings
    | SpeechShapedSettings
    | BabbleSettings
    | HumSettings
    | MachineSettings
    | FolderSettings
)
AnySource = Annotated[SourceSettings, Field(discriminator="kind")]


def source(settings: SourceSettings, family: str) -> NoiseSource:
    """Return the source of the noise that ``settings`` describe; ``family`` keys its draws."""
    match settings:
        case ColoredSettings():
            return colored(settings, family)
        case HothSettings():
            return hoth(settings, family)
        case SpeechShapedSettings():
            return SpeechShaped(settings, family)
        case BabbleSettings():
            return Babble(settings, family)
        case HumSettings():
            return hum(settings, family)
        case MachineSettings():
            return machine(settings, family)
        case FolderSettings():
            return Folder(settings, family)
