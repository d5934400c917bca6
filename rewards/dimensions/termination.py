"""Does the answer come to an end of its own accord?"""

from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example, sum_of_3_and_4
from rewards.prose import NOT_PROSE, read_prose, spaced
from rewards.reading import words

SENTENCE_ENDS = tuple(".!?…。！？؟।։።")
CLOSERS = "\"'”’»)]}*_ \n\t"
MIN_WORDS = 4  # a shorter answer need not be a sentence

# Words that lead on to another one, so that no sentence ends in them.
DANGLING = {
    "en": frozenset(
        [
            "a",
            "an",
            "the",
            "and",
            "or",
            "but",
            "because",
            "if",
            "of",
            "to",
            "into",
            "from",
            "with",
            "at",
            "by",
            "my",
            "your",
            "their",
            "our",
            "its",
            "is",
            "are",
            "was",
        ]
    ),
    "de": frozenset(
        [
            "der",
            "die",
            "das",
            "den",
            "dem",
            "ein",
            "eine",
            "einen",
            "einem",
            "und",
            "oder",
            "aber",
            "weil",
            "wenn",
            "dass",
            "für",
            "mit",
            "mein",
            "dein",
        ]
    ),
    "fr": frozenset(
        [
            "le",
            "la",
            "les",
            "un",
            "une",
            "des",
            "du",
            "de",
            "et",
            "ou",
            "mais",
            "parce",
            "que",
            "si",
            "à",
            "dans",
            "avec",
            "mon",
            "ton",
            "leur",
            "est",
        ]
    ),
    "es": frozenset(
        [
            "el",
            "la",
            "los",
            "las",
            "un",
            "una",
            "y",
            "o",
            "pero",
            "porque",
            "si",
            "de",
            "del",
            "a",
            "al",
            "en",
            "con",
            "mi",
            "tu",
            "su",
            "es",
        ]
    ),
    "it": frozenset(
        [
            "il",
            "lo",
            "la",
            "gli",
            "le",
            "un",
            "uno",
            "una",
            "e",
            "o",
            "ma",
            "perché",
            "se",
            "di",
            "del",
            "da",
            "in",
            "con",
            "il",
            "mio",
            "è",
        ]
    ),
    "pt": frozenset(
        [
            "o",
            "a",
            "os",
            "as",
            "um",
            "uma",
            "e",
            "ou",
            "mas",
            "porque",
            "se",
            "de",
            "do",
            "da",
            "em",
            "no",
            "na",
            "com",
            "meu",
            "seu",
            "é",
        ]
    ),
    "nl": frozenset(
        [
            "de",
            "het",
            "een",
            "en",
            "of",
            "maar",
            "omdat",
            "als",
            "van",
            "naar",
            "met",
            "door",
            "mijn",
            "jouw",
            "is",
            "zijn",
        ]
    ),
}
SIGN_OFFS = (
    *("best regards", "kind regards", "yours sincerely", "goodbye", "i hope this helps", "hope that helps"),
    *("mit freundlichen grüßen", "auf wiedersehen", "cordialement", "au revoir", "saludos cordiales", "hasta luego"),
)


def ended(transcript: Transcript) -> float:
    return float(transcript.last.finish == "stop")


def complete_sentence(transcript: Transcript) -> float | None:
    turn = transcript.last
    if turn.question.kind != "text" or len(words(turn.answer)) < MIN_WORDS or transcript.task.language == "th":
        return None  # Thai sentences end in a space
    return float(turn.answer.rstrip(CLOSERS).endswith(SENTENCE_ENDS))


def no_dangling_word(transcript: Transcript) -> float | None:
    text = read_prose(transcript, DANGLING)
    if text is None:
        return None
    return float(words(text)[-1] not in DANGLING[transcript.task.language])


def stops_after_sign_off(transcript: Transcript) -> float | None:
    """1 - the share of the words that follow the first closing phrase, a name of three words not counted."""
    if transcript.last.question.kind in NOT_PROSE:
        return None
    said = spaced(transcript.last.answer)
    ends = [said.index(phrase) + len(phrase) for phrase in map(spaced, SIGN_OFFS) if phrase in said]
    if not ends:
        return None
    num_after = len(said[min(ends) :].split())
    return 1.0 - max(0, num_after - 3) / len(said.split())


def ends_tight(transcript: Transcript) -> float | None:
    """1 - the share of white space at the end, one line feed not counted."""
    text = transcript.last.answer
    if not text.strip():
        return None
    return 1.0 - max(0, len(text) - len(text.rstrip()) - 1) / len(text)


DIMENSIONS = (
    Dimension(
        "termination.ended",
        "termination",
        "The policy ended the answer itself; no limit cut it off.",
        ended,
        passes=sum_of_3_and_4("7"),
        fails=sum_of_3_and_4("7", finish="length"),
    ),
    Dimension(
        "termination.complete_sentence",
        "termination",
        "A text of several words ends like a sentence.",
        complete_sentence,
        passes=example("Where is Rome?", "Rome is in Italy."),
        fails=example("Where is Rome?", "Rome is in Italy and the"),
    ),
    Dimension(
        "termination.no_dangling_word",
        "termination",
        "The last word does not lead on to another one, as an article or a conjunction would.",
        no_dangling_word,
        passes=example("Where is Rome?", "Rome is in Italy."),
        fails=example("Where is Rome?", "Rome is in Italy and the."),
        languages=tuple(DANGLING),
    ),
    Dimension(
        "termination.stops_after_sign_off",
        "termination",
        "After a closing phrase, nothing but a name follows.",
        stops_after_sign_off,
        passes=example("Write a note.", "I will be late today. Best regards, Anna"),
        fails=example(
            "Write a note.", "I will be late. Best regards, Anna. Today there is also a meeting that I miss."
        ),
        languages=("en", "de", "fr", "es"),
    ),
    Dimension(
        "termination.ends_tight",
        "termination",
        "No white space trails at the end.",
        ends_tight,
        passes=sum_of_3_and_4("7"),
        fails=sum_of_3_and_4("7 \n\n\n"),
    ),
)
