"""Names of countries, cities, languages, currencies, months and weekdays in 32 languages, from the CLDR in Babel.

The data files are read here rather than through `babel.Locale`: Babel resolves aliases by writing into data that all
locales share, so what it answers for one language depends on which one was asked before.
"""

import pickle
from collections.abc import Mapping
from functools import cache
from typing import Any


@cache
def locale_data(language: str) -> Mapping[str, Any]:
    """What CLDR says for one language itself, nothing inherited. "root" holds what holds for all."""
    from babel import localedata

    with open(localedata.resolve_locale_filename(language), "rb") as file:
        data: Mapping[str, Any] = pickle.load(file)
    return data


def country_name(language: str, code: str) -> str:
    """Example: `country_name("de", "FR")` is "Frankreich". Codes of continents are UN M49, such as "150"."""
    return str(locale_data(language)["territories"][code])


def language_name(language: str, code: str) -> str:
    """Example: `language_name("de", "fr")` is "Französisch"."""
    return str(locale_data(language)["languages"][code])


def currency_name(language: str, code: str) -> str:
    """Example: `currency_name("es", "JPY")` is "yen japonés"."""
    return str(locale_data(language)["currency_names"][code])


def city_name(language: str, zone: str) -> str:
    """The name of the city that a time zone is called after. Where CLDR has no other name, it is that of the zone.

    Example: `city_name("it", "Europe/Paris")` is "Parigi"
    """
    for source in (language, "root"):
        city = locale_data(source)["time_zones"].get(zone, {}).get("city")
        if city:
            return str(city)
    return zone.rpartition("/")[2].replace("_", " ")


def month_names(language: str) -> tuple[str, ...]:
    """January to December, as they are named when they stand alone."""
    names = _alone(locale_data(language)["months"])
    return tuple(names[number] for number in range(1, 13))


def weekday_names(language: str) -> tuple[str, ...]:
    """Monday to Sunday, as they are named when they stand alone."""
    names = _alone(locale_data(language)["days"])
    return tuple(names[number] for number in range(7))


def _alone(contexts: Mapping[str, Any]) -> Mapping[int, str]:
    """The full names of their own ("styczeń"), or those used in dates where the language makes no difference."""
    names = contexts["format"]["wide"]
    own = contexts.get("stand-alone")
    if isinstance(own, dict) and isinstance(own.get("wide"), dict) and own["wide"].keys() >= names.keys():
        return own["wide"]
    return names


@cache
def country_currency(code: str) -> str | None:
    """ISO 4217 code of the one currency that is legal tender now; None where there are several."""
    from babel.core import get_global

    current = [row[0] for row in get_global("territory_currencies").get(code, ()) if row[2] is None and row[3]]
    return current[0] if len(current) == 1 else None


@cache
def country_language(code: str) -> str | None:
    """The one official language of the whole country; None where there are several."""
    from babel.core import get_global

    spoken = get_global("territory_languages").get(code, {})
    official = [language for language, facts in spoken.items() if facts["official_status"] == "official"]
    return official[0] if len(official) == 1 else None
