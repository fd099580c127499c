"""Answers: values with attributes, and a page that says them."""

from __future__ import annotations

import html as _html
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weight_decay import _native

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: Width in pixels of a figure that is a file of its own.
FIGURE_WIDTH = 900.0


class Answer:
    """An answer: a value, and the page that says it.

    The value is what ``wd … --json`` prints: ``answer["key"]``, or all of it by :meth:`to_dict`.
    In a notebook an answer shows its page; ``print(answer)`` shows it as the terminal does.
    """

    def __init__(self, value: Any, page: _native.Page) -> None:
        self._value = value
        self._page = page

    def __getitem__(self, key: str) -> Any:
        return self._value[key]

    def __contains__(self, key: object) -> bool:
        return key in self._value

    def keys(self) -> Sequence[str]:
        """Names of the parts of the value."""
        return list(self._value) if isinstance(self._value, Mapping) else []

    @property
    def lead(self) -> str:
        """What was found, in a sentence or two."""
        return self._page.lead

    def to_dict(self) -> Any:
        """Give the value as dictionaries, lists, strings and numbers.

        Returns:
            A copy that is the caller's own.
        """
        return _copy(self._value)

    def to_frame(self) -> pd.DataFrame:
        """Give the rows of the answer as a pandas DataFrame.

        Raises:
            ImportError: pandas is not installed.
        """
        return frame(self._records())

    def _records(self) -> Sequence[Mapping[str, Any]]:
        return [self._value]

    def html(self) -> str:
        """Give the page as one HTML file that loads nothing."""
        return self._page.html()

    def save(self, path: str | Path) -> None:
        """Write the page as an HTML file."""
        Path(path).write_text(self.html(), encoding="utf-8")

    def text(self, width: int = 100) -> str:
        """Give the page as lines of text, as on a terminal."""
        return self._page.text(width)

    @property
    def figures(self) -> tuple[Figure, ...]:
        """The figures of the page."""
        described = self._page.figures()
        return tuple(Figure(self._page, place, one) for place, one in enumerate(described))

    def plot(self, ax: Axes | None = None, figure: int = 0) -> Axes:
        """Draw a figure of the page with matplotlib.

        Args:
            ax: Where to draw the figure's first panel; ``None`` makes a figure of all its panels.
            figure: Which of :attr:`figures`.

        Returns:
            The axes of the first panel.

        Raises:
            ImportError: matplotlib is not installed.
            IndexError: There is no such figure.
        """
        return self.figures[figure].plot(ax)

    def __str__(self) -> str:
        return self.text().rstrip("\n")

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.lead or self._page.title}>"

    def _repr_html_(self) -> str:
        return framed(self.html())

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self) if cycle else str(self))


class Figure:
    """A figure of a page: as SVG, as HTML, and drawn by matplotlib.

    Attributes:
        name: What the figure is, in a few words.
        caption: What to look for, and what bands and bars are.
    """

    def __init__(self, page: _native.Page, place: int, described: Mapping[str, Any]) -> None:
        self._page = page
        self._place = place
        self._described = described
        self.name: str = described["name"]
        self.caption: str = described["caption"]

    @property
    def csv(self) -> str:
        """The numbers that are drawn, unrounded, as CSV."""
        return str(self._described["csv"])

    def svg(self, width: float = FIGURE_WIDTH) -> str:
        """Give the figure as an SVG file laid out for so many pixels."""
        drawn = self._page.svg(self._place, width)
        if drawn is None:
            raise IndexError(f"the page has no figure {self._place}")
        return drawn

    def html(self) -> str:
        """Give the figure with its caption, for a page of HTML."""
        words = _html.escape(f"{self.name} {self.caption}".strip())
        return f"<figure>{self.svg()}<figcaption>{words}</figcaption></figure>"

    def to_dict(self) -> Any:
        """Give what is drawn: panels with series of points, or the cells of a heat map."""
        return _copy(self._described["figure"])

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the figure with matplotlib; see :meth:`Answer.plot`."""
        from weight_decay._matplotlib import draw

        return draw(self.to_dict(), ax)

    def __repr__(self) -> str:
        return f"<Figure: {self.name}>"

    def _repr_html_(self) -> str:
        return self.html()


def frame(records: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Make a DataFrame of rows; what is nested gets a column for each part."""
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(
            "to_frame() needs pandas, which is not installed: pip install pandas; to_dict() gives "
            "the same without it"
        ) from error
    return pd.DataFrame([dict(flattened(record)) for record in records])


def flattened(record: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Name the parts of nested dictionaries by their path."""
    for key, value in record.items():
        name = f"{before}{key}"
        if isinstance(value, Mapping):
            yield from flattened(value, f"{name}.")
        else:
            yield name, value


def framed(document: str) -> str:
    """Put a whole HTML document into a frame, so that its styles stay its own."""
    return (
        f'<iframe srcdoc="{_html.escape(document, quote=True)}" '
        'style="width:100%;height:36em;border:0;resize:vertical;overflow:auto"></iframe>'
    )


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_copy(part) for part in value]
    return value
