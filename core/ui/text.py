"""Text from people and files, shown as text."""

from __future__ import annotations

import re

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|~$:<>&^=@])")


def plain(text: str) -> str:
    """Escape ``text`` so that Streamlit's Markdown shows it letter for letter on one line."""
    one_line = " ".join(text.split())
    return _MARKDOWN.sub(r"\\\1", one_line)
