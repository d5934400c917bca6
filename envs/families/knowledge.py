"""What people ask about countries, languages and currencies. Names come from CLDR, codes from ISO through CLDR.

CLDR knows no capitals. They are a table here, by the time zone that is called after the city, so that their names
still come from CLDR in every language.
"""

from collections.abc import Callable
from functools import cache

from envs.chance import pick
from envs.families.cldr import (
    city_name,
    country_currency,
    country_language,
    country_name,
    currency_name,
    language_name,
)
from envs.families.lookup import Fact, lookup
from envs.family import Family
from envs.languages import CODES

# continent (UN M49) -> country (ISO 3166-1) -> time zone called after its capital
CAPITALS: dict[str, dict[str, str]] = {
    "150": {
        code: f"Europe/{city}"
        for code, city in (
            ("FR", "Paris"), ("DE", "Berlin"), ("IT", "Rome"), ("ES", "Madrid"), ("PT", "Lisbon"), ("GB", "London"),
            ("IE", "Dublin"), ("AT", "Vienna"), ("BE", "Brussels"), ("DK", "Copenhagen"), ("SE", "Stockholm"),
            ("NO", "Oslo"), ("FI", "Helsinki"), ("PL", "Warsaw"), ("CZ", "Prague"), ("SK", "Bratislava"),
            ("HU", "Budapest"), ("RO", "Bucharest"), ("BG", "Sofia"), ("GR", "Athens"), ("UA", "Kiev"),
            ("RU", "Moscow"), ("EE", "Tallinn"), ("LV", "Riga"), ("LT", "Vilnius"), ("HR", "Zagreb"),
            ("SI", "Ljubljana"), ("RS", "Belgrade"), ("MD", "Chisinau"), ("BY", "Minsk"),
        )
    },
    "142": {
        code: f"Asia/{city}"
        for code, city in (
            ("JP", "Tokyo"), ("KR", "Seoul"), ("TH", "Bangkok"), ("PH", "Manila"), ("IR", "Tehran"), ("IQ", "Baghdad"),
            ("SA", "Riyadh"), ("JO", "Amman"), ("LB", "Beirut"), ("SY", "Damascus"), ("AF", "Kabul"),
            ("NP", "Katmandu"), ("BD", "Dhaka"), ("UZ", "Tashkent"), ("MN", "Ulaanbaatar"), ("KP", "Pyongyang"),
        )
    },
    "002": {
        code: f"Africa/{city}"
        for code, city in (
            ("EG", "Cairo"), ("KE", "Nairobi"), ("SN", "Dakar"), ("GH", "Accra"), ("SD", "Khartoum"), ("DZ", "Algiers"),
        )
    },
    "005": {
        code: f"America/{city}"
        for code, city in (
            ("AR", "Buenos_Aires"), ("CL", "Santiago"), ("CO", "Bogota"), ("PE", "Lima"), ("VE", "Caracas"),
            ("UY", "Montevideo"), ("PY", "Asuncion"),
        )
    },
    "003": {"CU": "America/Havana", "HT": "America/Port-au-Prince"},
}  # fmt: skip
CONTINENT = {country: continent for continent, countries in CAPITALS.items() for country in countries}
ZONE = {country: zone for countries in CAPITALS.values() for country, zone in countries.items()}
WELL_KNOWN = ("FR", "DE", "IT", "ES", "GB", "GR", "RU", "PL", "SE", "JP", "EG", "AR", "CL", "CU", "KR", "TH")
CHANGING = ("BG",)  # took the euro in 2026, after this CLDR was made


def countries(number: int | None = None) -> tuple[str, ...]:
    """The best known countries first; `number` of them, or all."""
    return (*WELL_KNOWN, *(code for code in ZONE if code not in WELL_KNOWN))[:number]


def flag(country: str) -> str:
    """Example: `flag("FR")` is the French flag, two regional indicator letters."""
    return "".join(chr(ord(letter) - ord("A") + 0x1F1E6) for letter in country)


def capital(language: str, country: str) -> Fact:
    return Fact("capital", country_name(language, country), city_name(language, ZONE[country]))


def capital_of(language: str, country: str) -> Fact:
    return Fact("capital_of", city_name(language, ZONE[country]), country_name(language, country))


def continent(language: str, country: str) -> Fact:
    return Fact("continent", country_name(language, country), country_name(language, CONTINENT[country]))


def currency(language: str, country: str) -> Fact | None:
    code = country_currency(country)
    if code is None or country in CHANGING:
        return None
    return Fact("currency", country_name(language, country), currency_name(language, code))


def spoken(language: str, country: str) -> Fact | None:
    code = country_language(country)
    return Fact("spoken", country_name(language, country), language_name(language, code)) if code else None


def country_code(language: str, country: str) -> Fact:
    return Fact("country_code", country_name(language, country), country)


def code_country(language: str, country: str) -> Fact:
    return Fact("code_country", country, country_name(language, country))


def flag_country(language: str, country: str) -> Fact:
    return Fact("flag", flag(country), country_name(language, country))


def country_code_3(language: str, country: str) -> Fact:
    import pycountry

    found = pycountry.countries.get(alpha_2=country)
    assert found is not None, country
    return Fact("country_code_3", country_name(language, country), found.alpha_3)


def of_countries(
    fact: Callable[[str, str], Fact | None], number: int | None = None
) -> Callable[[str], tuple[Fact, ...]]:
    """The facts of the best known countries, by language; countries without such a fact are left out."""

    @cache
    def facts(language: str) -> tuple[Fact, ...]:
        found = (fact(language, country) for country in countries(number))
        return tuple(one for one in found if one is not None)

    return facts


@cache
def of_languages(language: str, *, reverse: bool = False, number: int | None = None) -> tuple[Fact, ...]:
    names = [(language_name(language, code), code) for code in CODES[:number]]
    return tuple(
        Fact("code_language", code, name) if reverse else Fact("language_code", name, code) for name, code in names
    )


@cache
def currencies() -> tuple[str, ...]:
    """ISO 4217 codes of the countries' currencies, each once."""
    codes = (country_currency(country) for country in countries() if country not in CHANGING)
    return tuple(dict.fromkeys(code for code in codes if code is not None))


@cache
def of_currencies(language: str, *, reverse: bool = False, number: int | None = None) -> tuple[Fact, ...]:
    names = [(currency_name(language, code), code) for code in currencies()[:number]]
    return tuple(
        Fact("code_currency", code, name) if reverse else Fact("currency_code", name, code) for name, code in names
    )


def about_the_country(num_follow_ups: int) -> Callable[[str, Fact, int], tuple[Fact, ...]]:
    """Follow-ups to "flag" or "continent": other things about the same country, in an order that the seed picks."""

    def follow_ups(language: str, opening: Fact, seed: int) -> tuple[Fact, ...]:
        names = (opening.x, opening.answer)
        country = next(code for code in countries() if country_name(language, code) in names)
        asked = [("and_capital", capital), ("and_currency", currency), ("and_code", country_code)]
        if opening.ask != "continent":
            asked.append(("and_continent", continent))
        found = [(ask, fact(language, country)) for ask, fact in asked]
        known = [Fact(ask, "", fact.answer) for ask, fact in found if fact is not None]
        start = pick(range(len(known)), seed, "first follow-up")
        return tuple((known[start:] + known[:start])[:num_follow_ups])

    return follow_ups


SCENARIOS: tuple[Family, ...] = (
    Family(
        "capital-cities",
        "knowledge",
        "The capital of a country.",
        (lookup(of_countries(capital, 16), num_wordings=1), lookup(of_countries(capital))),
        CODES,
    ),
    Family(
        "countries-by-capital",
        "knowledge",
        "The country of a capital.",
        (lookup(of_countries(capital_of, 16), num_wordings=1), lookup(of_countries(capital_of))),
        CODES,
    ),
    Family(
        "continents",
        "knowledge",
        "The continent of a country.",
        (lookup(of_countries(continent, 16), num_wordings=1), lookup(of_countries(continent))),
        CODES,
    ),
    Family(
        "currencies",
        "knowledge",
        "The currency of a country.",
        (lookup(of_countries(currency, 16), num_wordings=1), lookup(of_countries(currency))),
        CODES,
    ),
    Family(
        "official-languages",
        "knowledge",
        "The official language of a country that has one.",
        (lookup(of_countries(spoken, 16), num_wordings=1), lookup(of_countries(spoken))),
        CODES,
    ),
    Family(
        "country-codes",
        "knowledge",
        "ISO codes of countries, of two letters, then back, then of three.",
        (
            lookup(of_countries(country_code, 16), num_wordings=1),
            lookup(of_countries(code_country)),
            lookup(of_countries(country_code_3)),
        ),
        CODES,
    ),
    Family(
        "language-codes",
        "knowledge",
        "ISO codes of languages, and back.",
        (
            lookup(lambda language: of_languages(language, number=12), num_wordings=1),
            lookup(of_languages),
            lookup(lambda language: of_languages(language, reverse=True)),
        ),
        CODES,
    ),
    Family(
        "currency-codes",
        "knowledge",
        "ISO codes of currencies, and back.",
        (
            lookup(lambda language: of_currencies(language, number=12), num_wordings=1),
            lookup(of_currencies),
            lookup(lambda language: of_currencies(language, reverse=True)),
        ),
        CODES,
    ),
    Family(
        "flags",
        "knowledge",
        "The country of a flag.",
        (lookup(of_countries(flag_country, 16), num_wordings=1), lookup(of_countries(flag_country))),
        CODES,
    ),
    Family(
        "country-dialog",
        "knowledge",
        "A country, then one to three more things about it that the user refers back to.",
        (
            lookup(of_countries(flag_country, 16), about_the_country(1), num_wordings=1),
            lookup(of_countries(continent, 16), about_the_country(2)),
            lookup(of_countries(flag_country), about_the_country(3)),
        ),
        CODES,
    ),
)
