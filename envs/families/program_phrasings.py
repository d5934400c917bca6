"""How a program is asked about, by language. Data only.

Each language has a short wording and a longer one, with a place for the program `{p}`, and in those of `gap` and
`mistake` one for the examples `{e}`. The lowest level asks for gaps and mistakes in the short one alone.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrasings:
    output: tuple[str, str]
    gap: tuple[str, str]
    mistake: tuple[str, str]


PHRASINGS: dict[str, Phrasings] = {
    "en": Phrasings(
        output=("Output?\n{p}", "What does this Python program print?\n{p}"),
        gap=("Fill ____:\n{e}\n{p}", "What belongs in the gap ____, so that these hold?\n{e}\n{p}"),
        mistake=("Fix this:\n{e}\n{p}", "This program has a mistake. Write it so that these hold:\n{e}\n{p}"),
    ),
    "de": Phrasings(
        output=("Ausgabe?\n{p}", "Was gibt dieses Python-Programm aus?\n{p}"),
        gap=("Ergänze ____:\n{e}\n{p}", "Was gehört in die Lücke ____, damit dies gilt?\n{e}\n{p}"),
        mistake=(
            "Korrigiere dies:\n{e}\n{p}",
            "Dieses Programm hat einen Fehler. Schreibe es so, dass dies gilt:\n{e}\n{p}",
        ),
    ),
    "fr": Phrasings(
        output=("Affichage ?\n{p}", "Qu'affiche ce programme Python ?\n{p}"),
        gap=("Complète ____ :\n{e}\n{p}", "Que faut-il mettre à la place de ____ pour que ceci soit vrai ?\n{e}\n{p}"),
        mistake=(
            "Corrige ceci :\n{e}\n{p}",
            "Ce programme contient une erreur. Écris-le de sorte que ceci soit vrai :\n{e}\n{p}",
        ),
    ),
    "es": Phrasings(
        output=("¿Salida?\n{p}", "¿Qué imprime este programa de Python?\n{p}"),
        gap=("Completa ____:\n{e}\n{p}", "¿Qué va en el hueco ____ para que esto se cumpla?\n{e}\n{p}"),
        mistake=(
            "Corrige esto:\n{e}\n{p}",
            "Este programa tiene un error. Escríbelo de modo que esto se cumpla:\n{e}\n{p}",
        ),
    ),
    "it": Phrasings(
        output=("Che stampa?\n{p}", "Che cosa stampa questo programma Python?\n{p}"),
        gap=("Completa ____:\n{e}\n{p}", "Che cosa va al posto di ____ perché questo sia vero?\n{e}\n{p}"),
        mistake=(
            "Correggi questo:\n{e}\n{p}",
            "Questo programma ha un errore. Scrivilo in modo che questo sia vero:\n{e}\n{p}",
        ),
    ),
    "pt": Phrasings(
        output=("Saída?\n{p}", "O que este programa em Python imprime?\n{p}"),
        gap=("Complete ____:\n{e}\n{p}", "O que falta na lacuna ____ para que isto seja verdade?\n{e}\n{p}"),
        mistake=(
            "Corrija isto:\n{e}\n{p}",
            "Este programa tem um erro. Escreva-o de modo que isto seja verdade:\n{e}\n{p}",
        ),
    ),
    "nl": Phrasings(
        output=("Uitvoer?\n{p}", "Wat drukt dit Python-programma af?\n{p}"),
        gap=("Vul ____ in:\n{e}\n{p}", "Wat hoort er op de plaats van ____, zodat dit klopt?\n{e}\n{p}"),
        mistake=("Verbeter dit:\n{e}\n{p}", "Dit programma bevat een fout. Schrijf het zo dat dit klopt:\n{e}\n{p}"),
    ),
}
