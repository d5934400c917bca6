"""Families on the world: facts known by hand, in several languages and scripts."""

import re
import subprocess
import sys
from collections import Counter
from datetime import date

import pytest

from envs.families import dates, knowledge, numbers, small_talk, translation
from envs.families.cldr import city_name, locale_data, month_names, weekday_names
from envs.families.number_words import number_words
from envs.families.small_talk import is_close
from envs.families.wordings import WORDINGS
from envs.languages import CODES, LANGUAGES
from envs.library import BUILT_IN
from envs.task import Task, Transcript, Turn

LOOKUPS = (*knowledge.SCENARIOS, *dates.SCENARIOS, *numbers.SCENARIOS, *translation.SCENARIOS)


def answers(name: str, language: str, level: int) -> dict[str, str | None]:
    """Every opening of a level and the answer due."""
    scenario = next(one for one in LOOKUPS if one.name == name)
    size = scenario.size(language, level)
    assert size is not None
    questions = [scenario.dialog(Task(name, language, level, seed)).open() for seed in range(size)]
    return {question.text: question.answer for question in questions}


def test_the_32_languages_are_named_as_cldr_names_them() -> None:
    assert len(LANGUAGES) == len(set(CODES)) == 32
    for language in LANGUAGES:
        assert locale_data("en")["languages"][language.code] == language.english_name
        assert locale_data(language.code)["languages"][language.code] == language.own_name


@pytest.mark.parametrize(
    ("name", "language", "level", "question", "answer"),
    [
        ("capital-cities", "en", 0, "France: capital?", "Paris"),
        ("capital-cities", "it", 0, "Francia: capitale?", "Parigi"),
        ("capital-cities", "ja", 1, "日本の首都はどこですか？", "東京"),
        ("capital-cities", "el", 1, "Ελλάδα: πρωτεύουσα;", "Αθήνα"),
        ("countries-by-capital", "ru", 0, "Москва: страна?", "Россия"),
        ("continents", "de", 0, "Ägypten: Kontinent?", "Afrika"),
        ("currencies", "es", 0, "Japón: ¿moneda?", "yen japonés"),
        ("official-languages", "zh", 0, "阿根廷：语言？", "西班牙语"),
        ("country-codes", "sv", 2, "Grekland: ISO 3166-1 alpha-3?", "GRC"),
        ("language-codes", "en", 1, "Ukrainian: language code?", "uk"),
        ("currency-codes", "en", 0, "British Pound: currency code?", "GBP"),
        ("flags", "fr", 0, "🇩🇪 Pays ?", "Allemagne"),
        ("weekdays", "pl", 0, "poniedziałek: następny dzień?", "wtorek"),
        ("weekdays", "tr", 0, "Pazar gününden sonra hangi gün gelir?", "Pazartesi"),
        ("weekdays", "en", 1, "Today is Monday. Which day is it in 10 days?", "Thursday"),
        ("months", "fi", 0, "joulukuu: seuraava kuukausi?", "tammikuu"),
        ("months", "hi", 1, "फ़रवरी: महीने की संख्या?", "2"),
        ("days-in-month", "cs", 0, "duben: kolik dní?", "30"),
        ("days-in-month", "en", 1, "2000-02: how many days?", "29"),
        ("leap-years", "nl", 1, "2096: volgende schrikkeljaar?", "2104"),
        ("leap-years", "nl", 2, "1897: volgende schrikkeljaar?", "1904"),
        ("weekday-of-date", "th", 0, "2026-11-24: วันอะไร", "วันอังคาร"),
        ("written-dates", "es", 1, "Escribe esta fecha como AAAA-MM-DD: 24 de noviembre de 2026", "2026-11-24"),
        ("written-dates", "ja", 1, "2026年11月24日 = YYYY-MM-DD ?", "2026-11-24"),
        ("date-sums", "en", 0, "2000-01-28 plus 5 days? (YYYY-MM-DD)", "2000-02-02"),
        ("time-differences", "en", 0, "How many minutes are there from 09:45 to 10:25?", "40"),
        ("clock-dialog", "no", 0, "09:45 + 20 min = HH:MM ?", "10:05"),
        ("number-words", "fr", 2, "94 en lettres ?", "quatre-vingt-quatorze"),
        ("number-words", "tr", 2, "99 yazıyla?", "doksan dokuz"),
        ("number-words-to-digits", "hi", 2, "उनचास अंकों में?", "49"),
        ("number-words-to-digits", "bg", 2, "тридесет и пет с цифри?", "35"),
        ("roman-numerals", "da", 0, "14 med romertal?", "XIV"),
        ("roman-numerals", "da", 2, "1994 med romertal?", "MCMXCIV"),
        ("ordinals", "de", 0, "3.: in Worten?", "dritte"),
        ("comparison-dialog", "vi", 0, "Số nào lớn hơn: 7 hay 3?", "7"),
        ("sequence-dialog", "en", 0, "2, 4, 6: what comes next?", "8"),
        ("letter-counts", "el", 0, "Ρωσία: πόσα γράμματα;", "5"),
        ("number-formats", "de", 0, "15.75 in der Schreibweise der Sprache Deutsch?", "15,75"),
        ("word-sums", "zh", 0, "三加四等于几？", "7"),
        ("word-sums", "fa", 1, "نه منهای دو؟", "7"),
        ("translate-weekdays", "ko", 0, '한국어로 뭐예요? "Monday"', "월요일"),
        ("translate-numbers", "en", 1, '"seven" in French?', "sept"),
        ("translate-countries", "en", 2, '"Germany" in Hungarian?', "Németország"),
        ("translate-languages", "ar", 0, "ما معنى «French» بالعربية؟", "الفرنسية"),
        ("translate-months", "lt", 0, "Kaip lietuviškai „January“?", "sausis"),
    ],
)
def test_facts_known_by_hand(name: str, language: str, level: int, question: str, answer: str) -> None:
    assert answers(name, language, level)[question] == answer


@pytest.mark.parametrize("ask", WORDINGS)
def test_wordings_have_the_places_they_need(ask: str) -> None:
    texts = [text for language in CODES for text in WORDINGS[ask].of(language)]
    assert len({tuple(sorted(re.findall(r"\{(\w)\}", text))) for text in texts}) == 1, texts
    assert all(len(set(WORDINGS[ask].of(language))) == len(WORDINGS[ask].of(language)) for language in CODES)


def test_follow_ups_refer_back() -> None:
    scenario = next(one for one in LOOKUPS if one.name == "word-sum-dialog")
    dialog = scenario.dialog(Task("word-sum-dialog", "en", 0, 5))
    first, second, third = dialog.open(), dialog.reply(""), dialog.reply("")
    assert second is not None
    assert third is not None
    words = number_words("en")
    for before, question in ((first, second), (second, third)):
        operand = next(n for n in range(1, 10) if words[n] in re.findall(r"\w+", question.text))
        sign = -1 if re.search("minus|take away", question.text) else 1
        assert int(str(question.answer)) == int(str(before.answer)) + sign * operand


def test_a_reply_must_share_most_words() -> None:
    assert is_close("I am very well thanks", "I am very well, thanks.")
    assert not is_close("very", "I am very well, thanks.")
    assert not is_close("", "?")
    assert is_close("I am very very very well, thanks.", "I am very well, thanks.")  # 2 * 5 / (7 + 5) of the words
    assert not is_close("I am very well, thanks. " * 2, "I am very well, thanks.")  # 2 * 5 / (10 + 5)


def test_a_courtesy_has_more_than_one_good_answer() -> None:
    scenario, task = small_talk.SCENARIOS[0], Task("courtesies", "de", 0, 1)
    seeds = range(3)
    question = next(
        q for q in (scenario.dialog(Task("courtesies", "de", 0, s)).open() for s in seeds) if q.text == "Danke!"
    )
    scores = [
        scenario.verify(Transcript(task, (Turn(question, text, "stop", 1),)))
        for text in ("Bitte", "gern geschehen", "Danke!", "Auf Wiedersehen!")
    ]
    assert scores == [1, 1, 0, 0]


def test_number_words_differ_and_an_unknown_language_is_refused() -> None:
    assert all(len(set(number_words(code))) == 100 for code in CODES)
    assert number_words("zh")[10] + number_words("zh")[19] + number_words("zh")[90] == "十十九九十"
    with pytest.raises(ValueError, match="no number words for language 'xx'"):
        number_words("xx")


def test_names_do_not_depend_on_what_babel_read_before() -> None:
    code = "from babel import Locale; [len(Locale(c).months['stand-alone']['wide']) for c in ('he', 'hi', 'th')]; "
    code += "from envs.families.cldr import month_names; print(month_names('hi')[0], month_names('pl')[0])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.split() == ["जनवरी", "styczeń"] == [month_names("hi")[0], month_names("pl")[0]]


def test_cities_and_days_in_the_scripts_of_the_world() -> None:
    assert [city_name(code, "Europe/Vienna") for code in ("de", "he", "th")] == ["Wien", "וינה", "เวียนนา"]
    assert weekday_names("fi")[0] == "maanantai"
    assert dates.long_date("hu", date(2026, 11, 24)) == "2026. november 24."


def test_five_domains_speak_32_languages() -> None:
    spoken: dict[str, set[str]] = {}
    for scenario in BUILT_IN:
        spoken.setdefault(scenario.domain, set()).update(scenario.languages)
    for domain in ("arithmetic", "knowledge", "dates-numbers", "translation", "small-talk"):
        assert set(CODES) <= spoken[domain]


def test_every_lookup_describes_itself() -> None:
    counts = Counter(scenario.description for scenario in LOOKUPS)
    assert len(counts) == len(LOOKUPS) and all(text.endswith(".") for text in counts)
