"""Tables to the service card.

In: every table and the run record. Out: card.md, card.html, card.json, figures, model_index.yaml and, where a gate is
set, junit.xml, as bytes by file name.
Excludes nothing.
"""

from collections.abc import Mapping

from pipeline.card import content, figures, junit, model_index, render
from pipeline.card.content import CardContent, CardInput
from pipeline.card.page import island, page

NAME = "write_card"


def write_card(card_input: CardInput) -> tuple[CardContent, Mapping[str, bytes]]:
    """Return the card's content and the files that hold it, by path relative to the run folder."""
    built = content.build(card_input)
    drawn = figures.figures(built)
    files = {
        "card.json": render.json_text(built).encode(),
        "card.md": render.markdown(built).encode(),
        "card.html": page.html(built, drawn, island.build(card_input, built)).encode(),
    }
    for figure in drawn:
        files[f"{render.FIGURES_FOLDER}/{figure.name}.svg"] = figure.svg.encode()
        files[f"{render.FIGURES_FOLDER}/{figure.name}.png"] = figure.png
        files[f"{render.FIGURES_FOLDER}/{figure.name}.csv"] = figure.csv.encode()
    files[model_index.FILE] = model_index.yaml_text(built, card_input.record.corpus).encode()
    if built.gates:
        record = card_input.record
        files[junit.FILE] = junit.xml(built.gates, run_name=record.run_name, started_at=record.started_at)
    return built, files
