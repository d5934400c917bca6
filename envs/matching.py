"""When two texts say the same word or name, in any script."""

import unicodedata

_ARABIC_VOWELS = frozenset(map(chr, range(0x64B, 0x653)))  # optional marks: most writers leave them out


def folded(text: str) -> str:
    """Letters, marks and digits alone, in one case and one form: "Buenos  Aires." and "buenos-aires" fold alike.

    Accents stay: in many languages they make another word.
    """
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(
        letter for letter in text if unicodedata.category(letter)[0] in "LMN" and letter not in _ARABIC_VOWELS
    )


def same_words(answer: str, due: str) -> bool:
    """Whether the answer is the due word or name and nothing else; case, spaces, hyphens and final stops aside."""
    return folded(answer) == folded(due) != ""
