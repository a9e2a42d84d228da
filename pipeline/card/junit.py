"""The gates as JUnit XML, which continuous integration systems read: a test suite a run, a test case a limit.

The layout is that of Jenkins' xUnit schema, which GitLab and readers for GitHub take too: a broken limit is a failure,
one that could not be decided an error (a skipped test would count as passed), a group that is not judged is skipped.
All text went through ``wording.visible``, so that no label holds a character that XML 1.0 forbids.
"""

from collections import Counter
from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from pipeline.card.gate_measures import Gate
from pipeline.card.wording import label, visible

FILE = "junit.xml"
ELEMENTS = {"broken": "failure", "not_decided": "error", "not_judged": "skipped"}


def xml(gates: Sequence[Gate], *, run_name: str, started_at: str) -> bytes:
    """Return the gates of one run as JUnit XML in UTF-8.

    Args:
        gates: what each limit ended in.
        run_name: name of the test suite.
        started_at: when the run began, in UTC; the same run gives the same file.
    """
    outcomes = Counter(gate.outcome for gate in gates)
    numbers = {
        "tests": str(len(gates)),
        "failures": str(outcomes["broken"]),
        "errors": str(outcomes["not_decided"]),
        "time": "0",
    }
    root = Xml.Element("testsuites", {"name": "gates", **numbers})
    stamp = started_at.removesuffix("Z").partition("+")[0]  # the schema's date and time have no zone
    named = {"name": visible(run_name), "skipped": str(outcomes["not_judged"]), "timestamp": stamp}
    suite = Xml.SubElement(root, "testsuite", numbers | named)
    names: Counter[str] = Counter()
    for gate in gates:
        _case(suite, gate, names)
    Xml.indent(root)
    return bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _case(suite: Xml.Element, gate: Gate, names: Counter[str]) -> None:
    name = _name(gate)
    names[name] += 1
    if names[name] > 1:  # two long labels may be cut to the same words, and readers take the name for the test
        name += f" ({names[name]})"
    case = Xml.SubElement(suite, "testcase", {"classname": f"gate.{gate.gate}", "name": name, "time": "0"})
    element = ELEMENTS.get(gate.outcome)
    if element is None:
        Xml.SubElement(case, "system-out").text = gate.sentence
        return
    said = {"message": gate.sentence} if element == "skipped" else {"message": gate.sentence, "type": gate.outcome}
    Xml.SubElement(case, element, said).text = None if element == "skipped" else gate.sentence


def _name(gate: Gate) -> str:
    limit = f"{gate.gate} {gate.limit:g} ({gate.rule})"
    place = f" under {label(gate.key.condition)}" if gate.key.condition else ""
    return f"{limit}{place}{f' for {label(gate.key.accent)}' if gate.key.accent else ''}"
