"""The 32 languages of the project, named once. Scenarios, rewards and data speak of a language by its ISO 639-1 code.

Names agree with the Common Locale Data Repository (CLDR) as Babel bundles it. Portuguese is that of Brazil, Norwegian
is Bokmål, Chinese is Mandarin in simplified characters: CLDR's own defaults.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """One language.

    Attributes:
        code: ISO 639-1.
        own_name: what its speakers call it.
        script: ISO 15924, the script it is written in.
        spaced: whether words are set apart by spaces.
    """

    code: str
    english_name: str
    own_name: str
    script: str
    spaced: bool = True


LANGUAGES: tuple[Language, ...] = (
    Language("en", "English", "English", "Latn"),
    Language("de", "German", "Deutsch", "Latn"),
    Language("fr", "French", "français", "Latn"),
    Language("es", "Spanish", "español", "Latn"),
    Language("it", "Italian", "italiano", "Latn"),
    Language("pt", "Portuguese", "português", "Latn"),
    Language("nl", "Dutch", "Nederlands", "Latn"),
    Language("sv", "Swedish", "svenska", "Latn"),
    Language("da", "Danish", "dansk", "Latn"),
    Language("no", "Norwegian", "norsk", "Latn"),
    Language("fi", "Finnish", "suomi", "Latn"),
    Language("pl", "Polish", "polski", "Latn"),
    Language("cs", "Czech", "čeština", "Latn"),
    Language("hu", "Hungarian", "magyar", "Latn"),
    Language("ro", "Romanian", "română", "Latn"),
    Language("lt", "Lithuanian", "lietuvių", "Latn"),
    Language("tr", "Turkish", "Türkçe", "Latn"),
    Language("vi", "Vietnamese", "Tiếng Việt", "Latn"),
    Language("id", "Indonesian", "Indonesia", "Latn"),
    Language("el", "Greek", "Ελληνικά", "Grek"),
    Language("bg", "Bulgarian", "български", "Cyrl"),
    Language("ru", "Russian", "русский", "Cyrl"),
    Language("uk", "Ukrainian", "українська", "Cyrl"),
    Language("ar", "Arabic", "العربية", "Arab"),
    Language("fa", "Persian", "فارسی", "Arab"),
    Language("he", "Hebrew", "עברית", "Hebr"),
    Language("hi", "Hindi", "हिन्दी", "Deva"),
    Language("bn", "Bangla", "বাংলা", "Beng"),
    Language("th", "Thai", "ไทย", "Thai", spaced=False),
    Language("ja", "Japanese", "日本語", "Jpan", spaced=False),
    Language("ko", "Korean", "한국어", "Kore"),
    Language("zh", "Chinese", "中文", "Hans", spaced=False),
)

CODES: tuple[str, ...] = tuple(language.code for language in LANGUAGES)
