"""How a program is asked about, by language. Data only.

Attributes of a language: wordings, equally many in each, with a place for the program `{p}`, and in those of `gap` and
`mistake` one for the examples `{e}`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrasings:
    output: tuple[str, str]
    gap: tuple[str, str]
    mistake: tuple[str, str]


PHRASINGS: dict[str, Phrasings] = {
    "en": Phrasings(
        output=("{p}", "What does this Python program print?\n{p}"),
        gap=("{e}\n{p}", "What belongs in the gap ____, so that these hold?\n{e}\n{p}"),
        mistake=("{e}\n{p}", "This program has a mistake. Write it so that these hold:\n{e}\n{p}"),
    ),
    "de": Phrasings(
        output=("{p}", "Was gibt dieses Python-Programm aus?\n{p}"),
        gap=("{e}\n{p}", "Was gehört in die Lücke ____, damit dies gilt?\n{e}\n{p}"),
        mistake=("{e}\n{p}", "Dieses Programm hat einen Fehler. Schreibe es so, dass dies gilt:\n{e}\n{p}"),
    ),
    "fr": Phrasings(
        output=("{p}", "Qu'affiche ce programme Python ?\n{p}"),
        gap=("{e}\n{p}", "Que faut-il mettre à la place de ____ pour que ceci soit vrai ?\n{e}\n{p}"),
        mistake=("{e}\n{p}", "Ce programme contient une erreur. Écris-le de sorte que ceci soit vrai :\n{e}\n{p}"),
    ),
    "es": Phrasings(
        output=("{p}", "¿Qué imprime este programa de Python?\n{p}"),
        gap=("{e}\n{p}", "¿Qué va en el hueco ____ para que esto se cumpla?\n{e}\n{p}"),
        mistake=("{e}\n{p}", "Este programa tiene un error. Escríbelo de modo que esto se cumpla:\n{e}\n{p}"),
    ),
    "it": Phrasings(
        output=("{p}", "Che cosa stampa questo programma Python?\n{p}"),
        gap=("{e}\n{p}", "Che cosa va al posto di ____ perché questo sia vero?\n{e}\n{p}"),
        mistake=("{e}\n{p}", "Questo programma ha un errore. Scrivilo in modo che questo sia vero:\n{e}\n{p}"),
    ),
    "pt": Phrasings(
        output=("{p}", "O que este programa em Python imprime?\n{p}"),
        gap=("{e}\n{p}", "O que falta na lacuna ____ para que isto seja verdade?\n{e}\n{p}"),
        mistake=("{e}\n{p}", "Este programa tem um erro. Escreva-o de modo que isto seja verdade:\n{e}\n{p}"),
    ),
    "nl": Phrasings(
        output=("{p}", "Wat drukt dit Python-programma af?\n{p}"),
        gap=("{e}\n{p}", "Wat hoort er op de plaats van ____, zodat dit klopt?\n{e}\n{p}"),
        mistake=("{e}\n{p}", "Dit programma bevat een fout. Schrijf het zo dat dit klopt:\n{e}\n{p}"),
    ),
}
