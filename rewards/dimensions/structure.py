"""Is what was opened also closed?"""

import re

from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example

PAIRS = {")": "(", "]": "[", "}": "{", "）": "（", "」": "「", "】": "【"}
_EMOTICON = re.compile(r"[:;=8][-~^]?[()\[\]]|[()\[\]][-~^]?[:;=](?!\w)")
_ENUMERATION = re.compile(r"^\s*[0-9a-zA-Z]{1,2}\)", re.MULTILINE)  # "1) first"
_BRACKET = re.compile(r"[()\[\]{}（）「」【】]")


def balanced_brackets(transcript: Transcript) -> float | None:
    """1 - unmatched / all brackets; emoticons and the marks of a list are not brackets."""
    text = transcript.last.answer
    if _BRACKET.search(text) is None:
        return None
    brackets = _BRACKET.findall(_EMOTICON.sub("", _ENUMERATION.sub("", text)))
    if not brackets:
        return None
    open_ones: list[str] = []
    unmatched = 0
    for bracket in brackets:
        if bracket not in PAIRS:
            open_ones.append(bracket)
        elif open_ones and open_ones[-1] == PAIRS[bracket]:
            open_ones.pop()
        else:
            unmatched += 1
    return 1.0 - (unmatched + len(open_ones)) / len(brackets)


DIMENSIONS = (
    Dimension(
        "structure.balanced_brackets",
        "structure",
        "Share of brackets that have their partner, in the right order.",
        balanced_brackets,
        passes=example("Where is Rome?", "In Italy (on the Tiber)."),
        fails=example("Where is Rome?", "In Italy (on the Tiber."),
    ),
)
