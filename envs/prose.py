"""The parts of a text that a demand can count: words, sentences, paragraphs, list items, JSON."""

import json
import re

from envs.fences import sole_block

MAX_JSON_LENGTH = 4000  # characters; longer ones are noise, and deep ones exhaust the parser's stack

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_SENTENCE_END = re.compile(
    r"""(?<=[.!?…])(?<!\bDr\.)(?<!\bMr\.)(?<!\bMrs\.)(?<!\bSt\.)(?<!\bvs\.)(?<!\be\.g\.)(?<!\bi\.e\.)
        ["'”’»)\]]*\s+
        | (?<=[。！？؟।])""",
    re.VERBOSE,
)
_PARAGRAPH_BREAK = re.compile(r"\n[ \t]*\n\s*")
_BULLET = re.compile(r"^[ \t]{0,8}[-*•+][ \t]+(\S.*)$", re.MULTILINE)
_NUMBERED = re.compile(r"^[ \t]{0,8}([0-9]{1,3})[.)][ \t]+(\S.*)$", re.MULTILINE)

# Words that are frequent in their language and strange to the other three.
_FUNCTION_WORDS = {
    "en": "the and of is to in it that was for with are this be you not have at from they",
    "de": "der die das und ist nicht ein eine den mit auf für von dem sich auch es wir ich sie zu im",
    "fr": "le les et est une des dans du pour qui ne pas sur avec au ce il nous vous je sont elle",
    "es": "el los las y es una del para con por no se su lo como más pero está son hay muy yo",
}
FUNCTION_WORDS = {language: frozenset(listed.split()) for language, listed in _FUNCTION_WORDS.items()}


def words(text: str) -> list[str]:
    """Words as written; "it's" and "well-known" count as one."""
    return _WORD.findall(text)


def sentences(text: str) -> list[str]:
    """Sentences that hold a letter or a digit, with their closing mark. A new line alone ends none."""
    return [part for part in (piece.strip() for piece in _SENTENCE_END.split(text)) if words(part)]


def paragraphs(text: str) -> list[str]:
    return [part for part in _PARAGRAPH_BREAK.split(text.strip()) if part.strip()]


def bullets(text: str) -> list[str]:
    return _BULLET.findall(text)


def numbered(text: str) -> list[tuple[int, str]]:
    """The items of a numbered list, with their numbers."""
    return [(int(number), item) for number, item in _NUMBERED.findall(text)]


def items(text: str) -> list[str]:
    """What stands between commas, or on lines of its own if there are several; marks of a list are not part of it."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    if len(lines) > 1:
        return [re.sub(r"^\s*(?:[-*•+]|[0-9]{1,3}[.)])\s+", "", line).strip() for line in lines]
    return [part for part in (piece.strip(" .\t") for piece in text.strip().split(",")) if part]


def as_json(text: str) -> object:
    """The value that the text is, alone or as one fenced block. Raises ValueError where it is no JSON."""
    if len(text) > MAX_JSON_LENGTH:
        raise ValueError(f"no JSON of at most {MAX_JSON_LENGTH} characters")
    block = sole_block(text)
    try:
        return json.loads(block.code if block else text, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("JSON nested too deep") from error


def is_json(text: str) -> bool:
    try:
        as_json(text)
    except ValueError:
        return False
    return True


def main_language(text: str) -> str | None:
    """The one language of `FUNCTION_WORDS` that has most function words in the text; None where there is none."""
    said = [word.lower() for word in words(text)]
    counts = {language: sum(word in known for word in said) for language, known in FUNCTION_WORDS.items()}
    most = max(counts.values())
    leading = [language for language, count in counts.items() if count == most]
    return leading[0] if most and len(leading) == 1 else None


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON")
