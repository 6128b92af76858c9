"""Text from people and files, shown as text; and numbers as people write them."""

from __future__ import annotations

import html
import re

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|~$:<>&^=@])")
_TURNED = re.compile(r"(?i)(www(?=\.)|https?:(?=//)|@|(?<!\S)[-<>~](?=[-=>]{1,2}(?!\S)))")
"""What begins a link, a dash or an arrow although every sign is escaped; nothing may follow it at once."""


def plain(text: str) -> str:
    """Escape ``text`` so that Streamlit's Markdown shows it letter for letter on one line."""
    one_line = " ".join(text.split())
    return _MARKDOWN.sub(r"\\\1", _TURNED.sub("\\1\N{WORD JOINER}", one_line))


def plain_in_plot(text: str) -> str:
    """Escape ``text`` so that a plot, which takes tags for links, shows it letter for letter."""
    return html.escape(text, quote=False)


def three_figures(value: float) -> str:
    """A number to three significant figures, written out: ``"0.123"``, ``"89"``, ``"1,430"``."""
    return f"{float(f'{value:.3g}'):,g}"
