"""HTML as a row of parts, so that white space and the order of attributes mean nothing."""

from __future__ import annotations

from html.parser import HTMLParser

_VERBATIM = frozenset(["pre", "textarea", "script", "style"])


def html_parts(text: str) -> list[str]:
    """Take a page apart into tags and runs of text, each in one spelling."""
    parser = _Parts()
    parser.feed(text)
    parser.close()
    return parser.parts


class _Parts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._verbatim = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        written = "".join(f' {name}="{value or ""}"' for name, value in sorted(attrs, key=lambda pair: pair[0]))
        self.parts.append(f"<{tag}{written}>")
        self._verbatim += tag in _VERBATIM

    def handle_endtag(self, tag: str) -> None:
        self.parts.append(f"</{tag}>")
        self._verbatim -= tag in _VERBATIM and self._verbatim > 0

    def handle_data(self, data: str) -> None:
        text = data if self._verbatim else " ".join(data.split())
        if text:
            self.parts.append(text)

    def handle_decl(self, decl: str) -> None:
        self.parts.append(f"<!{decl.lower()}>")
