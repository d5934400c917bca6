"""The numbers 0 to 99 in words, in 32 languages: from num2words, and written out here where it knows no such language.

Greek, Bulgarian, Hindi and Chinese are written out. Turkish is put together with spaces, as its orthography demands.
"""

from functools import cache

from envs.languages import CODES

LARGEST = 99

_NUM2WORDS_NAMES = {"pt": "pt_BR"}  # as everywhere here, Portuguese is that of Brazil

_GREEK = (
    "μηδέν ένα δύο τρία τέσσερα πέντε έξι επτά οκτώ εννέα δέκα έντεκα δώδεκα δεκατρία δεκατέσσερα δεκαπέντε δεκαέξι "
    "δεκαεπτά δεκαοκτώ δεκαεννέα"
)
_GREEK_TENS = "είκοσι τριάντα σαράντα πενήντα εξήντα εβδομήντα ογδόντα ενενήντα"

_BULGARIAN = (
    "нула едно две три четири пет шест седем осем девет десет единадесет дванадесет тринадесет четиринадесет "
    "петнадесет шестнадесет седемнадесет осемнадесет деветнадесет"
)
_BULGARIAN_TENS = "двадесет тридесет четиридесет петдесет шестдесет седемдесет осемдесет деветдесет"

_HINDI = (
    "शून्य एक दो तीन चार पाँच छह सात आठ नौ दस ग्यारह बारह तेरह चौदह पंद्रह सोलह सत्रह अठारह उन्नीस "
    "बीस इक्कीस बाईस तेईस चौबीस पच्चीस छब्बीस सत्ताईस अट्ठाईस उनतीस "
    "तीस इकतीस बत्तीस तैंतीस चौंतीस पैंतीस छत्तीस सैंतीस अड़तीस उनतालीस "
    "चालीस इकतालीस बयालीस तैंतालीस चवालीस पैंतालीस छियालीस सैंतालीस अड़तालीस उनचास "
    "पचास इक्यावन बावन तिरपन चौवन पचपन छप्पन सत्तावन अट्ठावन उनसठ "
    "साठ इकसठ बासठ तिरसठ चौंसठ पैंसठ छियासठ सड़सठ अड़सठ उनहत्तर "
    "सत्तर इकहत्तर बहत्तर तिहत्तर चौहत्तर पचहत्तर छिहत्तर सतहत्तर अठहत्तर उन्यासी "
    "अस्सी इक्यासी बयासी तिरासी चौरासी पचासी छियासी सत्तासी अट्ठासी नवासी "
    "नब्बे इक्यानवे बानवे तिरानवे चौरानवे पंचानवे छियानवे सत्तानवे अट्ठानवे निन्यानवे"
)

_CHINESE = "零一二三四五六七八九"


@cache
def number_words(language: str) -> tuple[str, ...]:
    """The words for 0 to 99, at the index of their number.

    Example: `number_words("de")[21]` is "einundzwanzig"
    """
    if language not in CODES:
        raise ValueError(f"no number words for language {language!r}; known are: {', '.join(CODES)}")
    match language:
        case "el":
            words = _joined(_GREEK.split(), _GREEK_TENS.split(), " ")
        case "bg":
            words = _joined(_BULGARIAN.split(), _BULGARIAN_TENS.split(), " и ")
        case "hi":
            words = _HINDI.split()
        case "zh":
            words = [_chinese(number) for number in range(LARGEST + 1)]
        case "tr":
            words = _turkish()
        case _:
            words = _num2words(language)
    return tuple(words)


def _num2words(language: str) -> list[str]:
    from num2words import num2words

    name = _NUM2WORDS_NAMES.get(language, language)
    words = [str(num2words(number, lang=name)) for number in range(LARGEST + 1)]
    if language == "ar":  # "and" is written together with the word after it
        words = [word.replace(" و ", " و") for word in words]
    return words


def _turkish() -> list[str]:
    words = _num2words("tr")
    ones, tens = words[1:10], words[10::10]
    return words[:10] + [word for ten in tens for word in (ten, *(f"{ten} {one}" for one in ones))]


def _joined(below_twenty: list[str], tens: list[str], joint: str) -> list[str]:
    ones = below_twenty[1:10]
    return below_twenty + [word for ten in tens for word in (ten, *(f"{ten}{joint}{one}" for one in ones))]


def _chinese(number: int) -> str:
    tens, ones = divmod(number, 10)
    if tens == 0:
        return _CHINESE[ones]
    return (_CHINESE[tens] if tens > 1 else "") + "十" + (_CHINESE[ones] if ones else "")
