"""A comparison as one HTML page: findings first, figures inline, real tables; no script and no network."""

from pipeline.card.change_sentences import findings, shown_labels
from pipeline.card.compared import Comparison
from pipeline.card.comparison import notes, sections, title
from pipeline.card.comparison_figures import figures
from pipeline.card.render import environment_for_html


def html(comparison: Comparison) -> str:
    """Return the page. It links to the cards of runs that lie beside it, and to nothing else."""
    labels = shown_labels(comparison)
    template = environment_for_html().get_template("comparison.html.j2")
    return template.render(
        title=title(comparison),
        synthetic=comparison.synthetic,
        findings=findings(comparison),
        notes=notes(comparison),
        figures=figures(comparison),
        sections=sections(comparison),
        cards=[(labels[name], link) for name, link in comparison.cards.items()],
    )
