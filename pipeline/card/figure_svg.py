"""What matplotlib writes as SVG, made fit to be read out, put into a page beside others, and small.

The tree is changed, never the text of it: a label that looks like markup stays a label.
"""

import re
from collections import Counter
from xml.etree import ElementTree

from pipeline.card.palette import VARIABLES

SVG, LINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
ElementTree.register_namespace("", SVG)
ElementTree.register_namespace("xlink", LINK)

STYLED_OFTEN = 3
"""A style that so many elements share is written once, as a class."""
_HREF = f"{{{LINK}}}href"
_REFERENCE = re.compile(r"url\(#")
_NUMBER = re.compile(r"-?\d+\.\d+")
_COLOR = re.compile("|".join(VARIABLES))
_PLACES = ("d", "x", "y", "transform", "points")


def finished(svg: str, name: str, title: str, description: str) -> str:
    """Return the SVG with a title and a description; its ids and classes begin with ``name``.

    Coordinates are rounded to 0.01 pt, and what nothing refers to (metadata, comments, ids of groups) is left out.
    """
    root = ElementTree.fromstring(svg)  # the parser drops comments and the document type
    for metadata in root.findall(f"{{{SVG}}}metadata"):
        root.remove(metadata)
    for element in root.iter():
        _name_and_round(element, name)
    _share_styles(root, name)
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title {name}-desc")
    for kind, text in (("desc", description), ("title", title)):
        described = ElementTree.Element(f"{{{SVG}}}{kind}", {"id": f"{name}-{kind}"})
        described.text = text
        root.insert(0, described)
    return ElementTree.tostring(root, encoding="unicode")


def _name_and_round(element: ElementTree.Element, name: str) -> None:
    for key, value in list(element.attrib.items()):
        if key == "id":
            if element.tag == f"{{{SVG}}}g":
                del element.attrib[key]  # "axes_1" and the like: nothing refers to them, and every figure has them
            else:
                element.set(key, f"{name}-{value}")
        elif key == _HREF and value.startswith("#"):
            element.set(key, f"#{name}-{value[1:]}")
        elif key in _PLACES:
            element.set(key, " ".join(_NUMBER.sub(_rounded, value).split()))
        else:
            element.set(key, _REFERENCE.sub(f"url(#{name}-", value))
    if element.tag != f"{{{SVG}}}text":
        element.text = None
    element.tail = None
    if element.get("transform", "").startswith("rotate(-0 "):
        del element.attrib["transform"]


def _rounded(found: re.Match[str]) -> str:
    return f"{float(found[0]):.2f}".rstrip("0").rstrip(".")


def _share_styles(root: ElementTree.Element, name: str) -> None:
    counted = Counter(element.get("style", "") for element in root.iter())
    shared = [style for style, times in counted.items() if style and times >= STYLED_OFTEN]
    classes = {style: f"{name}-{number}" for number, style in enumerate(shared)}
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
