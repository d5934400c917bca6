"""Are data and marked-up parts of an answer whole: JSON, tags, quotations, paragraphs?"""

import json
import re
from functools import lru_cache

from envs.fences import blocks
from envs.prose import MAX_JSON_LENGTH, paragraphs, words
from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example
from rewards.reading import MEMORY

LONG_TEXT = 120  # words; a longer one wants paragraphs
MAX_PARAGRAPH = 120  # words

_TAG = re.compile(r"<(/?)([A-Za-z][\w-]{0,30})(?:\s[^<>]{0,200})?(/?)>")
_VOID = {"br", "hr", "img", "input", "meta", "link"}
_QUOTE = re.compile(r"[\"“”„«»]")
_OPENING, _CLOSING = "“„«", "”»"
_UNTIDY = re.compile(r"(?<![ \t])[ \t]+$|\S {2,}\S|\n{3,}|\t", re.MULTILINE)
_DOLLARS = re.compile(r"(?<!\\)\$\$?")
_ENVIRONMENT = re.compile(r"\\(begin|end)\{(\w{1,20}\*?)\}")


@lru_cache(MEMORY)
def json_part(text: str) -> str:
    """What an answer offers as JSON: the first JSON block, or all of an answer that begins like it; else empty."""
    for block in blocks(text):
        if block.language == "json":
            return block.code.strip()[:MAX_JSON_LENGTH]
    body = text.strip()
    return body[:MAX_JSON_LENGTH] if re.match(r"\{\s*[\"'}\w]|\[\s*[\[{\"\]\d-]", body) else ""


def json_valid(transcript: Transcript) -> float | None:
    """1 if it parses; else half of the share that is read before the first error."""
    part = json_part(transcript.last.answer)
    if not part:
        return None
    try:
        json.loads(part)
    except json.JSONDecodeError as error:
        return 0.5 * error.pos / max(len(part), 1)
    except (RecursionError, ValueError):  # nested too deep; a number too long
        return 0.0
    return 1.0


def json_keys_unique(transcript: Transcript) -> float | None:
    """Distinct / all keys, object by object."""
    part = json_part(transcript.last.answer)
    if "{" not in part:
        return None
    counts = [0, 0]

    def count(pairs: list[tuple[str, object]]) -> None:
        counts[0] += len({key for key, _ in pairs})
        counts[1] += len(pairs)

    try:
        json.loads(part, object_pairs_hook=count)
    except (RecursionError, ValueError):
        return None
    return counts[0] / counts[1] if counts[1] else None


def tags_balanced(transcript: Transcript) -> float | None:
    """1 - unmatched / all tags."""
    tags = [tag for tag in _TAG.findall(transcript.last.answer) if tag[1].lower() not in _VOID and not tag[2]]
    if not tags:
        return None
    open_ones: list[str] = []
    unmatched = 0
    for closing, name, _ in tags:
        if not closing:
            open_ones.append(name)
        elif open_ones and open_ones[-1] == name:
            open_ones.pop()
        else:
            unmatched += 1
    return 1.0 - (unmatched + len(open_ones)) / len(tags)


def quotes_balanced(transcript: Transcript) -> float | None:
    """1 where each quotation that begins also ends, else 1 - 1 / marks."""
    marks = _QUOTE.findall(transcript.last.answer)
    if not marks:
        return None
    straight = marks.count('"') % 2
    opened = sum(marks.count(mark) for mark in _OPENING)
    closed = sum(marks.count(mark) for mark in _CLOSING)
    if "„" in marks and "”" not in marks:  # German closes with the mark that opens in English
        closed += marks.count("“")
        opened -= marks.count("“")
    return max(0.0, 1.0 - (straight + abs(opened - closed)) / len(marks))


def paragraphs_divide(transcript: Transcript) -> float | None:
    """For a long text: 120 / words of the longest paragraph, at most 1."""
    text = transcript.last.answer
    if len(words(text)) < LONG_TEXT:
        return None
    return min(1.0, MAX_PARAGRAPH / max(len(words(part)) for part in paragraphs(text)))


def tidy_whitespace(transcript: Transcript) -> float | None:
    """1 - untidy places / lines, at least 0: double spaces, tabs, spaces at line ends, rows of blank lines."""
    text = transcript.last.answer.strip()
    if not text or "```" in text:
        return None
    return max(0.0, 1.0 - len(_UNTIDY.findall(text)) / len(text.splitlines()))


def latex_delimited(transcript: Transcript) -> float | None:
    r"""Share of LaTeX's marks ($, \(, \[, \begin) that have their partners."""
    text = transcript.last.answer
    if "\\" not in text:
        return None
    dollars = _DOLLARS.findall(text)
    begun = [(kind, name) for kind, name in _ENVIRONMENT.findall(text)]
    kinds = ((text.count("\\("), text.count("\\)")), (text.count("\\["), text.count("\\]")))
    total = len(dollars) + len(begun) + sum(map(sum, kinds))
    if not total:
        return None
    names = {name for _, name in begun}
    missing = sum(abs(begun.count(("begin", name)) - begun.count(("end", name))) for name in names)
    missing += sum(abs(opened - closed) for opened, closed in kinds)
    return max(0.0, 1.0 - (missing + dollars.count("$") % 2 + dollars.count("$$") % 2) / total)


def _about_rome(answer: str) -> Transcript:
    return example("Tell me about Rome.", answer)


_SENTENCE = "Rome lies on the banks of the Tiber, some twenty kilometres from the sea. "

DIMENSIONS = (
    Dimension(
        "structure.json_valid",
        "structure",
        "What is offered as JSON is JSON; half at most for a good beginning.",
        json_valid,
        passes=_about_rome('{"city": "Rome"}'),
        fails=_about_rome("{'city': 'Rome'}"),
    ),
    Dimension(
        "structure.json_keys_unique",
        "structure",
        "No JSON object has a key twice.",
        json_keys_unique,
        passes=_about_rome('{"city": "Rome", "river": "Tiber"}'),
        fails=_about_rome('{"city": "Rome", "city": "Tiber"}'),
    ),
    Dimension(
        "structure.tags_balanced",
        "structure",
        "Share of tags, such as <b> or <think>, that have their partner in the right order.",
        tags_balanced,
        passes=_about_rome("<b>Rome</b> is in Italy."),
        fails=_about_rome("<b>Rome is in Italy."),
    ),
    Dimension(
        "structure.quotes_balanced",
        "structure",
        "Every quotation that begins also ends.",
        quotes_balanced,
        passes=_about_rome('It is called "eternal".'),
        fails=_about_rome('It is called "eternal.'),
    ),
    Dimension(
        "structure.paragraphs_divide",
        "structure",
        "A long text is divided into paragraphs.",
        paragraphs_divide,
        passes=_about_rome("\n\n".join([_SENTENCE * 5] * 3)),
        fails=_about_rome(_SENTENCE * 15),
    ),
    Dimension(
        "structure.tidy_whitespace",
        "structure",
        "No double spaces, tabs, spaces at line ends or rows of blank lines.",
        tidy_whitespace,
        passes=_about_rome("Rome is in Italy."),
        fails=_about_rome("Rome  is in   Italy."),
    ),
    Dimension(
        "structure.latex_delimited",
        "structure",
        "Share of the marks around LaTeX that have their partner.",
        latex_delimited,
        passes=_about_rome("\\(x = 1\\)"),
        fails=_about_rome("\\(x = 1"),
    ),
)
