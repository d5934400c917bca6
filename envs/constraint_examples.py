"""Answers that meet a set of demands: oracles where many answers are right and none is the only one.

They are word salad on purpose: whoever trains on them learns the form that was demanded, not an opinion.
"""

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from envs.constraints import holds
from envs.task import Constraint

MARGIN = 12  # words that a text may have more or less than its demands count
COUNTS = {"num_words", "min_words", "num_sentences", "num_paragraphs", "num_bullets", "num_numbered", "num_items"}

# Words that stand where any would do. The first of each language tell which language it is; together they begin with
# most letters, so that `initials` can be met.
_FILLER = {
    "en": "the and with from of they are old new green house river tea garden bread quiet apple bird cold door east "
    "fish ice jam king lamp moon night open paper rain sun tree under very water young zebra queen blue hill ink",
    "de": "und mit auf nicht wir sie im der alt neu gern heute rot still blau dort einmal frei ganz hier immer jung "
    "klein lang munter nie oben prima quer ruhig sanft tief unten vorn warm zart bald aber kalt leise weit",
    "fr": "le et avec dans pour sur nous vieux neuf vert calme ami bleu chat doux eau feu gris haut ici jeune kiwi "
    "lune mer nuit or pain quand rue sel thé un vent wagon yeux zone froid bon clair lent porte",
    "es": "el y con para por los muy viejo nuevo verde calma amigo blanco casa dulce este flor gato hoy isla joven "
    "kilo luna mar noche otro pan queso rojo sol té un viento yo zona frío bueno claro lento puerta",
}
FILLER = {language: tuple(listed.split()) for language, listed in _FILLER.items()}


@lru_cache(4096)
def example(constraints: tuple[Constraint, ...], language: str) -> str:
    """An answer that meets all of `constraints`: the shortest of the kind that this makes.

    Raises ValueError where it finds none, as for demands that contradict each other.
    """
    draft = _Draft(constraints, language)
    longest = max((int(constraint.value) for constraint in constraints if constraint.name in COUNTS), default=0)
    for num_filler in range(max(0, longest - MARGIN), longest + MARGIN):
        text = draft.text(num_filler)
        if all(holds(constraint, text) for constraint in constraints):
            return text
    raise ValueError(f"no example meets {', '.join(f'{c.name}={c.value}' for c in constraints)} in {language}")


class _Draft:
    """A text after the demands `constraints`, for one of its possible lengths."""

    def __init__(self, constraints: Sequence[Constraint], language: str) -> None:
        self.values = {constraint.name: str(constraint.value) for constraint in constraints}
        self.required = [str(c.value) for c in constraints if c.name == "mentions"]
        if "times" in self.values:
            number, _, word = self.values["times"].partition(" ")
            self.required += [word] * int(number)
        self.avoided = {str(c.value).lower() for c in constraints if c.name == "avoids"}
        self.language = self.values.get("language", language)

    def text(self, num_filler: int) -> str:
        values = self.values
        if "options" in values:
            return values["options"].split("|")[0].strip()
        if "json_schema" in values:
            return json.dumps(_fitting(json.loads(values["json_schema"])))
        words = self._words(num_filler)
        if "json_keys" in values:
            keys = [key.strip() for key in values["json_keys"].split(",")]
            return json.dumps(dict.fromkeys(keys, " ".join(words)), ensure_ascii=False)
        if "json" in values:
            return json.dumps(words, ensure_ascii=False)
        return self._decorated(self._cased(self._laid_out(words)))

    def _words(self, num_filler: int) -> list[str]:
        if "initials" in self.values:
            return [self._beginning_with(letter) for letter in self.values["initials"].lower()]
        supply = self._supply()
        words = self.required + [next(supply) for _ in range(num_filler)]
        if "capital_words" in self.values:
            longer = [word for word in words if len(word) > 1][: int(self.values["capital_words"])]
            words = [word.upper() if word in longer else word for word in words]
        if "highlights" in self.values:
            number = int(self.values["highlights"])
            words = [f"*{word}*" for word in words[:number]] + words[number:]
        return sorted(words, key=str.casefold) if "sorted_words" in self.values else words

    def _supply(self) -> Iterator[str]:
        """Filler words that no demand forbids, round and round."""
        taken = {word.lower() for word in self.required}
        letter = self.values.get("without_letter", "\n")
        longest = int(self.values.get("max_word_length", 99))
        fit = [
            word
            for word in FILLER[self.language]
            if letter.lower() not in word and len(word) <= longest and word not in self.avoided | taken
        ]
        if not fit:
            raise ValueError(f"no word of {self.language} is left to fill a text with")
        while True:
            yield from fit

    def _beginning_with(self, letter: str) -> str:
        wanted = [word for word in self.required if word.lower().startswith(letter)]
        for word in (*wanted, *FILLER[self.language]):
            if word.startswith(letter) and word not in self.avoided:
                return word
        raise ValueError(f"no word of {self.language} begins with {letter!r}")

    def _laid_out(self, words: list[str]) -> str:
        values = self.values
        if "num_bullets" in values:
            return "\n".join(f"- {item}" for item in _split(words, int(values["num_bullets"])))
        if "num_numbered" in values:
            items = _split(words, int(values["num_numbered"]))
            return "\n".join(f"{place}. {item}" for place, item in enumerate(items, start=1))
        if "num_items" in values:
            return ", ".join(_split(words, int(values["num_items"])))
        if "num_versions" in values:
            return "\n******\n".join(_split(words, int(values["num_versions"])))
        if "num_paragraphs" in values:
            return "\n\n".join(_split(words, int(values["num_paragraphs"]), end="."))
        return " ".join(_split(words, int(values.get("num_sentences", 1)), end=self._end()))

    def _end(self) -> str:
        if "num_sentences" in self.values and "is_question" not in self.values:
            return "."
        return "?" if "is_question" in self.values else ""

    def _cased(self, text: str) -> str:
        if "all_upper" in self.values:
            return text.upper()
        return text.lower() if "all_lower" in self.values else text

    def _decorated(self, text: str) -> str:
        values, filler = self.values, FILLER[self.language]
        if "placeholders" in values:
            text += "".join(f" [{word}]" for word in filler[: int(values["placeholders"])])
        if "title" in values:
            text = f"<<{self._cased(filler[7])}>>\n{text}"
        if "postscript" in values:
            text += f"\nP.S. {filler[8].upper() if 'all_upper' in values else filler[8]}"
        if "starts_with" in values:
            text = f"{values['starts_with']} {text}".rstrip()
        if "ends_with" in values and not text.endswith(values["ends_with"]):
            text = f"{text} {values['ends_with']}"
        if "repeats" in values:
            text = f"{values['repeats']}\n{text}"
        if "quoted" in values:
            text = f'"{text}"'
        return f"```\n{text}\n```" if "fenced" in values else text


def _split(words: Sequence[str], num_parts: int, end: str = "") -> list[str]:
    """The words in `num_parts` runs of nearly equal length, those that get any."""
    edges = [len(words) * part // num_parts for part in range(num_parts + 1)]
    return [" ".join(words[a:b]) + end for a, b in pairwise(edges) if a < b]


def _fitting(schema: dict[str, object]) -> object:
    """A value that fits a schema of plain types, objects with their required keys, and arrays."""
    match schema:
        case {"enum": [first, *_]}:
            return first
        case {"type": "object"}:
            properties = schema.get("properties")
            return {key: _fitting(value) for key, value in properties.items()} if isinstance(properties, dict) else {}
        case {"type": "array", "items": dict(item)}:
            return [_fitting(item)] * int(str(schema.get("minItems", 1)))
        case {"type": "integer" | "number"}:
            return schema.get("minimum", 1)
        case {"type": "boolean"}:
            return True
    return "tea"
