"""A table with a title, in whichever form a page shows it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
