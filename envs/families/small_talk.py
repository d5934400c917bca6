"""Small talk: a courtesy and its answer in 32 languages, and the short conversations of chatterbot-corpus in 18.

There is no single right answer. A reply succeeds if it is one of those known for what was said, or shares most of its
words with one of them.
"""

from collections import Counter
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from envs.chance import pick, scatter
from envs.families.courtesies import COURTESIES
from envs.family import Family, Level, asking
from envs.languages import CODES
from envs.task import Question, Task, Transcript
from envs.verdicts import letters, same_words

MIN_OVERLAP = 0.75  # of the words of both; below it, too few are shared to mean the same
MAX_CHARACTERS = 80  # of what is said and of a reply: longer ones are lectures, not small talk
CORPORA = {
    "en": "english", "de": "german", "fr": "french", "es": "spanish", "it": "italian", "pt": "portuguese",
    "nl": "dutch", "sv": "swedish", "tr": "turkish", "id": "indonesian", "uk": "ukrainian",
    "fa": "persian", "he": "hebrew", "ko": "korean", "ja": "japanese", "zh": "chinese", "ru": "russian", "hi": "hindi",
}  # fmt: skip
GREETINGS = ("greetings",)
TOPICS = ("greetings", "conversations", "coversations", "emotion", "food", "sports", "movies", "health")  # sic

Exchanges = dict[str, tuple[str, ...]]  # what is said -> known replies
Known = Callable[[str, int], Exchanges]


def small_talk(
    name: str, description: str, languages: tuple[str, ...], exchanges: Known, num_turns: tuple[int, ...]
) -> Family:
    """Short conversations. `exchanges`: language, level -> what can be said; `num_turns`: by level."""
    levels = tuple(
        Level(asking(partial(plan, exchanges, number)), partial(num_openings, exchanges, level))
        for level, number in enumerate(num_turns)
    )
    return Family(name, "small-talk", description, levels, languages, partial(judge, exchanges))


def num_openings(exchanges: Known, level: int, language: str) -> int:
    return len(exchanges(language, level))


def plan(exchanges: Known, num_turns: int, task: Task, number: int) -> tuple[Question, ...]:
    """Different things that the user says."""
    known = exchanges(task.language, task.level)
    said = tuple(known)
    texts = [said[scatter(number, len(said))]]
    for turn in range(1, num_turns):
        unsaid = [text for text in said if text not in texts]
        texts.append(pick(unsaid, task.seed, turn, "said"))
    return tuple(Question(text, kind="reply", oracle=known[text][0]) for text in texts)


def judge(exchanges: Known, transcript: Transcript) -> float:
    """1 if the reply is a known one or nearly so."""
    turn, task = transcript.last, transcript.task
    replies = exchanges(task.language, task.level)[turn.question.text]
    return float(any(is_close(turn.answer, reply) for reply in replies))


def is_close(answer: str, reply: str) -> bool:
    """Whether they are the same, or share at least `MIN_OVERLAP` of their words (Dice's coefficient of multisets).

    A word counts as often as it is said, so that a good reply over and over is none.
    """
    if same_words(answer, reply):
        return True
    said, known = (Counter(filter(None, map(letters, text.split()))) for text in (answer, reply))
    return bool(said and known) and 2 * (said & known).total() >= MIN_OVERLAP * (said + known).total()


def courtesies(language: str, level: int) -> Exchanges:
    return COURTESIES[language]


@cache
def corpus(language: str, topics: tuple[str, ...]) -> Exchanges:
    """What is said and what is replied in chatterbot-corpus; only replies that are words."""
    import chatterbot_corpus
    import yaml

    folder = Path(str(chatterbot_corpus.__file__)).parent / "data" / CORPORA[language]
    found: dict[str, dict[str, None]] = {}
    for topic in topics:
        file = folder / f"{topic}.yml"
        rows = yaml.safe_load(file.read_text(encoding="utf-8"))["conversations"] if file.is_file() else ()
        for row in rows:
            texts = [" ".join(text.split()) for text in row if isinstance(text, str)]
            if len(texts) < 2 or max(map(len, texts[:2])) > MAX_CHARACTERS:
                continue
            said, reply = texts[:2]
            if said and len(letters(reply)) > 1 and letters(reply) not in ("yes", "999999"):
                found.setdefault(said, {})[reply] = None
    return {said: tuple(replies) for said, replies in found.items()}


def conversations(language: str, level: int) -> Exchanges:
    """The greetings on level 0 where the corpus has enough of them, all topics above it."""
    greetings = corpus(language, GREETINGS)
    return greetings if level == 0 and len(greetings) >= 4 else corpus(language, TOPICS)


SCENARIOS: tuple[Family, ...] = (
    small_talk("courtesies", "A greeting, thanks or farewell, to be answered in kind.", CODES, courtesies, (1, 2)),
    small_talk("courtesy-dialog", "Several courtesies, one after the other.", CODES, courtesies, (2, 3)),
    small_talk("chat", "A short conversation's opening, to be answered.", tuple(CORPORA), conversations, (1, 1)),
    small_talk("chat-dialog", "Several things said in small talk.", tuple(CORPORA), conversations, (2, 3)),
)
