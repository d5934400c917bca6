"""Is the answer in the language of the task? By script at any length, by language where the text is long enough."""

from collections import Counter
from functools import cache
from typing import Protocol

from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example
from rewards.reading import letters, script_of

# A script is the first word of the Unicode names of its letters.
_LANGUAGES_BY_SCRIPT: dict[tuple[str, ...], str] = {
    ("LATIN",): "af ca cs da de en es et eu fi fr gl hr hu id it lt lv ms nl no pl pt ro sk sl sq sv sw tl tr vi",
    ("CYRILLIC",): "be bg kk mk ru uk",
    ("CYRILLIC", "LATIN"): "sr",
    ("ARABIC",): "ar fa ur",
    ("DEVANAGARI",): "hi mr ne",
    ("BENGALI",): "bn",
    ("TAMIL",): "ta",
    ("TELUGU",): "te",
    ("GREEK",): "el",
    ("HEBREW",): "he",
    ("ARMENIAN",): "hy",
    ("GEORGIAN",): "ka",
    ("HANGUL", "CJK"): "ko",
    ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "IDEOGRAPHIC", "CJK"): "ja",
    ("CJK", "IDEOGRAPHIC"): "zh",
    ("THAI",): "th",
}
SCRIPTS = {language: scripts for scripts, languages in _LANGUAGES_BY_SCRIPT.items() for language in languages.split()}

MIN_BYTES = 24  # of letters in UTF-8: 24 Latin, 12 Cyrillic or 8 Han letters; below, the identifier guesses
MAX_CHARACTERS = 120  # enough to be sure; the time goes with the length


class Identifier(Protocol):
    def set_languages(self, langs: list[str]) -> None: ...

    def classify(self, text: str) -> tuple[str, float]: ...


@cache
def identifier() -> Identifier:
    """py3langid's bundled model: a second to load, so at the first text that needs it."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    model: Identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    model.set_languages(sorted(SCRIPTS))  # fewer to tell apart: faster, and surer of close ones
    return model


def matches(transcript: Transcript) -> float | None:
    """The identifier's confidence if it recognises the language of the task, otherwise 0."""
    text = transcript.last.answer[:MAX_CHARACTERS]
    if transcript.task.language not in SCRIPTS or len(letters(text).encode()) < MIN_BYTES:
        return None
    language, confidence = identifier().classify(text)
    return min(1.0, confidence) if language == transcript.task.language else 0.0


def script(transcript: Transcript) -> float | None:
    wanted = SCRIPTS.get(transcript.task.language)
    found = Counter(letters(transcript.last.answer))
    if wanted is None or not found:
        return None
    return sum(count for letter, count in found.items() if script_of(letter) in wanted) / found.total()


DIMENSIONS = (
    Dimension(
        "language.script",
        "language",
        "Share of letters that belong to the script of the task's language.",
        script,
        passes=example("Where is Rome?", "In Italy."),
        fails=example("Where is Rome?", "В Италии."),
        languages=tuple(sorted(SCRIPTS)),
    ),
    Dimension(
        "language.matches",
        "language",
        "A text of some length is recognised as the task's language.",
        matches,
        passes=example("Where is Rome?", "The city of Rome lies in the middle of Italy, not far from the sea."),
        fails=example("Where is Rome?", "Die Stadt Rom liegt in der Mitte von Italien, nicht weit vom Meer."),
        languages=tuple(sorted(SCRIPTS)),
        cost="moderate",
    ),
)
