"""Everyday words by language, in the same order in each: what users like, say and buy. Data only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """Lists that are equally long in every language, each without a word twice."""

    colours: tuple[str, ...]
    animals: tuple[str, ...]
    foods: tuple[str, ...]
    weekdays: tuple[str, ...]  # Monday first


NAMES = ("Anna", "Ben", "Clara", "David", "Emma", "Felix", "Nora", "Paul")

WORDS: dict[str, Words] = {
    "en": Words(
        colours=("red", "blue", "green", "yellow", "black", "brown", "grey", "pink"),
        animals=("cat", "dog", "horse", "cow", "fish", "bird", "mouse", "bear"),
        foods=("bread", "milk", "rice", "cheese", "soup", "tea", "salt", "honey"),
        weekdays=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    ),
    "de": Words(
        colours=("rot", "blau", "grün", "gelb", "schwarz", "braun", "grau", "rosa"),
        animals=("Katze", "Hund", "Pferd", "Kuh", "Fisch", "Vogel", "Maus", "Bär"),
        foods=("Brot", "Milch", "Reis", "Käse", "Suppe", "Tee", "Salz", "Honig"),
        weekdays=("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
    ),
    "fr": Words(
        colours=("rouge", "bleu", "vert", "jaune", "noir", "brun", "gris", "rose"),
        animals=("chat", "chien", "cheval", "vache", "poisson", "oiseau", "souris", "ours"),
        foods=("pain", "lait", "riz", "fromage", "soupe", "thé", "sel", "miel"),
        weekdays=("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    ),
    "es": Words(
        colours=("rojo", "azul", "verde", "amarillo", "negro", "marrón", "gris", "rosa"),
        animals=("gato", "perro", "caballo", "vaca", "pez", "pájaro", "ratón", "oso"),
        foods=("pan", "leche", "arroz", "queso", "sopa", "té", "sal", "miel"),
        weekdays=("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
    ),
    "it": Words(
        colours=("rosso", "blu", "verde", "giallo", "nero", "marrone", "grigio", "rosa"),
        animals=("gatto", "cane", "cavallo", "mucca", "pesce", "uccello", "topo", "orso"),
        foods=("pane", "latte", "riso", "formaggio", "zuppa", "tè", "sale", "miele"),
        weekdays=("lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica"),
    ),
    "pt": Words(
        colours=("vermelho", "azul", "verde", "amarelo", "preto", "marrom", "cinza", "rosa"),
        animals=("gato", "cachorro", "cavalo", "vaca", "peixe", "pássaro", "rato", "urso"),
        foods=("pão", "leite", "arroz", "queijo", "sopa", "chá", "sal", "mel"),
        weekdays=(
            "segunda-feira",
            "terça-feira",
            "quarta-feira",
            "quinta-feira",
            "sexta-feira",
            "sábado",
            "domingo",
        ),
    ),
    "nl": Words(
        colours=("rood", "blauw", "groen", "geel", "zwart", "bruin", "grijs", "roze"),
        animals=("kat", "hond", "paard", "koe", "vis", "vogel", "muis", "beer"),
        foods=("brood", "melk", "rijst", "kaas", "soep", "thee", "zout", "honing"),
        weekdays=("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag"),
    ),
}
