"""What all pages share: a head that forbids every request, a style, and tables that sort.

Knows nothing of what a page is about, and imports nothing heavy.
"""

from __future__ import annotations

from importlib.resources import files

from retarget_cli.evaluation.report.markup import Markup, content, data_block, filled, tag


def whole_page(title: str, header: Markup, body: Markup, data: object, style: str, program: str) -> str:
    """A page that is one file.

    Args:
        title: any text.
        header, body: what is seen.
        data: JSON for the program, which finds it in the element `data`.
        style, program: what the page has besides the shared ones.
    """
    return filled(
        asset("page.html"),
        title=content(title),
        style=asset("base.css") + style,
        header=header,
        body=body,
        data=data_block("data", data),
        program=asset("base.js") + program,
    )


def asset(name: str, package: str = "retarget_cli.evaluation.report") -> str:
    """The text of a file in a package's folder `assets`."""
    return files(package).joinpath("assets", name).read_text(encoding="utf-8")


def scrolled(table: Markup, label: str) -> Markup:
    """A table that may be wider than the screen; the keyboard can scroll it."""
    return tag("div", table, class_="scroll", tabindex=0, role="region", aria_label=label)


def sortable(name: str, label: str, is_higher_first: bool | None = None, title: str = "") -> Markup:
    """A head that sorts its column; numbers begin with the better end."""
    kind = "text" if is_higher_first is None else "number"
    first = "descending" if is_higher_first else "ascending"
    button = tag("button", label, tag("span", class_="mark", aria_hidden="true"), type="button", title=title or None)
    return tag("th", button, scope="col", data_sort=kind, data_first=first, class_=f"{kind} {name}".strip())
