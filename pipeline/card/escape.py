"""Outside text inside Markdown: every character that could start a construct is made to stand for itself."""

import re

from pipeline.card.wording import visible

# A punctuation character after a backslash is itself (CommonMark 2.4); "|" ends a table cell, "$" opens mathematics
# and "~" strikes out in the dialects that hosting sites read.
_SPECIAL = re.compile(r"[\\`*\[\]<>|~${}&]|(?<![^\W_])_|_(?![^\W_])|(?<=[a-zA-Z]):(?=//)|(?<=www)\.|@")
_AT_LINE_START = re.compile(r"^(\d{0,9})([-+#=.)]+)(?=\s|$)")


def markdown(text: object) -> str:
    """Return ``text`` as one line of Markdown that displays exactly its characters and links to nothing."""
    escaped = _SPECIAL.sub(lambda match: "\\" + match[0], visible(str(text)))
    # at the start of a line these would open a list, a heading or an underline
    return _AT_LINE_START.sub(r"\1\\\2", escaped)


def fence(text: str) -> str:
    """Return the backtick fence that no run of backticks in ``text`` can close."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    return "`" * max(3, longest + 1)
