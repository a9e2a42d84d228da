"""What can go wrong in rendering, by name, so that a caller can account for every trial that is lost."""


class ConditionError(ValueError):
    """A condition is described wrongly, cannot be made from what is here, or was not met by a rendering."""


class NoActiveSpeechError(ConditionError):
    """A signal holds no active speech by ITU-T P.56, so it has no level to set and no SNR."""
