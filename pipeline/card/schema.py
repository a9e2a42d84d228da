"""The JSON Schema of ``card.json``: what every card of this version keeps to.

``python -m pipeline.card.schema`` prints it; ``card.schema.json`` beside this file is what it printed, and ships with
the package. ``schema_version`` is raised when a field goes or comes to mean something else; a field that is added
leaves it as it is. So a reader should pass over fields that it does not know, although this schema, which is that of
one version of the program, names every field there is.
"""

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from pipeline.card.model import CardContent

FILE = "card.schema.json"


class _Untitled(GenerateJsonSchema):
    """Without the titles that pydantic makes of the names of fields."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Return that a field has no title of its own."""
        return False


def schema() -> dict[str, Any]:
    """Return the schema of a written card (draft 2020-12), made from the models that write it."""
    made = CardContent.model_json_schema(mode="serialization", schema_generator=_Untitled)
    about = {
        "$schema": GenerateJsonSchema.schema_dialect,
        "$id": FILE,
        "title": "Service card of a speech recognizer",
    }
    return about | {name: value for name, value in made.items() if name not in about}


def text() -> str:
    """Return the schema as the file holds it: ASCII, one key a line."""
    return json.dumps(schema(), indent=1, allow_nan=False) + "\n"


if __name__ == "__main__":
    print(text(), end="")
