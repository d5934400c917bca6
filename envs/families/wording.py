"""The ways to ask one thing, in each language."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Wordings:
    """How one thing is asked. A wording has places for `{x}` and, where there are two things to fill in, `{y}`.

    Attributes:
        by_language: written by hand, the shortest one first.
        notation: a wording that needs no language; empty where every language has one of its own.
    """

    notation: str = ""
    by_language: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def of(self, language: str) -> tuple[str, ...]:
        """The wordings of a language, and the notation last."""
        return self.by_language.get(language, ()) + ((self.notation,) if self.notation else ())
