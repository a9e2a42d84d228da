"""What matplotlib writes as SVG, made fit to be read out, put into a page beside others, and small.

The tree is changed, never the text of it: a label that looks like markup stays a label.
"""

import re
from collections import Counter
from collections.abc import Mapping
from xml.etree import ElementTree

from pipeline.card.palette import VARIABLES

SVG, LINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
ElementTree.register_namespace("", SVG)
ElementTree.register_namespace("xlink", LINK)

GROUP = f"{{{SVG}}}g"
LARGE = 200_000
"""Characters as matplotlib writes it."""
STYLED_OFTEN = 3
"""A style that so many elements share is written once, as a class."""
_HREF = f"{{{LINK}}}href"
_REFERENCE = re.compile(r"url\(#([^)]*)\)")
_NUMBER = re.compile(r"-?\d+\.\d+")
_AFTER_LETTER = re.compile(r" ?([MLQCz]) ?")
_COLOR = re.compile("|".join(VARIABLES))
_PLACES = ("d", "x", "y", "transform", "points")


def finished(svg: str, name: str, title: str, description: str) -> str:
    """Return the SVG with a title and a description; no other figure on a page has an id or a class of it.

    Coordinates are rounded to 0.01 pt (0.1 pt in a large figure). What nothing refers to (metadata, comments, groups)
    is left out.
    """
    root = ElementTree.fromstring(svg)  # the parser drops comments and the document type
    for metadata in root.findall(f"{{{SVG}}}metadata"):
        root.remove(metadata)
    prefix = "".join(word[0] for word in name.split("_"))
    ids = _new_ids(root, prefix)
    digits = 2 if len(svg) <= LARGE else 1
    for element in root.iter():
        _refer_and_round(element, ids, digits)
    _flatten(root)
    _share_styles(root, prefix)
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title {name}-desc")
    for kind, text in (("desc", description), ("title", title)):
        described = ElementTree.Element(f"{{{SVG}}}{kind}", {"id": f"{name}-{kind}"})
        described.text = text
        root.insert(0, described)
    return ElementTree.tostring(root, encoding="unicode")


def _new_ids(root: ElementTree.Element, prefix: str) -> dict[str, str]:
    """Number the ids that something refers to; take those of groups ("axes_1"), which every figure has, away."""
    ids: dict[str, str] = {}
    for element in root.iter():
        old = element.attrib.pop("id", None)
        if old is not None and element.tag != GROUP:
            ids[old] = f"{prefix}-{len(ids)}"
            element.set("id", ids[old])
    return ids


def _refer_and_round(element: ElementTree.Element, ids: Mapping[str, str], digits: int) -> None:
    for key, value in list(element.attrib.items()):
        if key == _HREF and value.startswith("#"):
            element.set(key, f"#{ids[value[1:]]}")
        elif key in _PLACES:
            rounded = _NUMBER.sub(lambda found: f"{float(found[0]):.{digits}f}".rstrip("0").rstrip("."), value)
            element.set(key, _AFTER_LETTER.sub(r"\1", " ".join(rounded.split())))
        elif key != "id":
            element.set(key, _REFERENCE.sub(lambda found: f"url(#{ids[found[1]]})", value))
    if "fill" in element.attrib:  # of a hatch; a variable of a page works in a style, whatever reads it
        fill = element.attrib.pop("fill")
        element.set("style", f"fill: {fill}; {element.get('style', '')}".rstrip("; "))
    if element.tag != f"{{{SVG}}}text":
        element.text = None
    element.tail = None
    if element.get("transform", "").startswith("rotate(-0 "):
        del element.attrib["transform"]


def _flatten(parent: ElementTree.Element) -> None:
    """Put the children of groups that say nothing in the place of their groups."""
    children: list[ElementTree.Element] = []
    for child in parent:
        _flatten(child)
        children += list(child) if child.tag == GROUP and not child.attrib else [child]
    parent[:] = children


def _share_styles(root: ElementTree.Element, prefix: str) -> None:
    counted = Counter(element.get("style", "") for element in root.iter())
    shared = [style for style, times in counted.items() if style and times >= STYLED_OFTEN]
    classes = {style: f"{prefix}{number}" for number, style in enumerate(shared)}
    for element in root.iter():
        style = element.get("style", "")
        if style in classes:
            del element.attrib["style"]
            element.set("class", classes[style])
    rules = ElementTree.Element(f"{{{SVG}}}style")
    rules.text = "".join(f".{label}{{{style}}}" for style, label in classes.items())
    root.insert(0, rules)


def inline(svg: str) -> str:
    """Return a finished SVG as it stands in a page: its colors are the page's variables (``palette.VARIABLES``)."""
    root = ElementTree.fromstring(svg)
    for element in root.iter():
        if "style" in element.attrib:
            element.set("style", _COLOR.sub(_variable, element.attrib["style"]))
        if element.tag == f"{{{SVG}}}style":
            element.text = _COLOR.sub(_variable, element.text or "")
    return ElementTree.tostring(root, encoding="unicode")


def _variable(found: re.Match[str]) -> str:
    return VARIABLES[found[0]]
