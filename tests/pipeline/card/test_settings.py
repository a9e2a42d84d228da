"""The card's settings and the file that ships with them."""

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from pipeline.card.settings import CardSettings

SHIPPED = Path(__file__).resolve().parents[3] / "conf" / "card" / "service_card.yaml"


def test_the_shipped_option_holds_the_defaults() -> None:
    assert CardSettings.model_validate(yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))) == CardSettings()


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(ValidationError, match="colour"):
        CardSettings.model_validate({"colour": "red"})
