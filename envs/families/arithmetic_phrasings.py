"""The wordings of the arithmetic family, by language. Data only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrasings:
    """How one language asks for a calculation.

    Attributes:
        notation: wordings for any calculation, with a place for the expression `{e}`; the first one is the plainest.
        words: operator -> wordings with places for the operands `{a}` and `{b}`; equally many for each operator.
        follow_ups: operator -> wordings that go on from the last result, with a place for the operand `{n}`.
        complaints: wordings for asking again, with a place for `{question}`.
    """

    notation: tuple[str, ...]
    words: dict[str, tuple[str, ...]]
    follow_ups: dict[str, tuple[str, ...]]
    complaints: tuple[str, ...]

    def openings(self, operator: str) -> tuple[str, ...]:
        """All wordings for one operator; the first is in notation, the second in words ("()" has no words)."""
        words = self.words.get(operator, ())
        return self.notation[:1] + words[:1] + self.notation[1:] + words[1:]


PHRASINGS: dict[str, Phrasings] = {
    "en": Phrasings(
        notation=("{e}=?", "{e}", "What is {e}?", "How much is {e}?", "Calculate {e}.", "Please work out {e}."),
        words={
            "+": (
                "What is {a} plus {b}?",
                "How much is {a} plus {b}?",
                "Add {a} and {b}.",
                "What do you get if you add {b} to {a}?",
            ),
            "-": (
                "What is {a} minus {b}?",
                "How much is {a} minus {b}?",
                "Subtract {b} from {a}.",
                "What do you get if you take {b} away from {a}?",
            ),
            "*": (
                "What is {a} times {b}?",
                "How much is {a} times {b}?",
                "Multiply {a} by {b}.",
                "What do you get if you multiply {a} by {b}?",
            ),
            "/": (
                "What is {a} divided by {b}?",
                "How much is {a} divided by {b}?",
                "Divide {a} by {b}.",
                "What do you get if you divide {a} by {b}?",
            ),
        },
        follow_ups={
            "+": ("And plus {n}?", "Now add {n} to that.", "And if you add {n} to it?", "What is {n} more than that?"),
            "-": (
                "And minus {n}?",
                "Now take away {n} from that.",
                "And if you subtract {n}?",
                "What is that less {n}?",
            ),
            "*": ("And times {n}?", "Now multiply that by {n}.", "And if you multiply it by {n}?"),
            "/": ("And divided by {n}?", "Now divide that by {n}.", "And if you divide it by {n}?"),
        },
        complaints=("That does not look like a number. {question}", "I need a number. {question}"),
    ),
    "de": Phrasings(
        notation=("{e}=?", "{e}", "Was ergibt {e}?", "Wie viel ist {e}?", "Berechne {e}."),
        words={
            "+": ("Was ist {a} plus {b}?", "Wie viel ergibt {a} plus {b}?", "Addiere {a} und {b}."),
            "-": ("Was ist {a} minus {b}?", "Wie viel ergibt {a} minus {b}?", "Ziehe {b} von {a} ab."),
            "*": ("Was ist {a} mal {b}?", "Wie viel ergibt {a} mal {b}?", "Multipliziere {a} mit {b}."),
            "/": ("Was ist {a} geteilt durch {b}?", "Wie viel ergibt {a} geteilt durch {b}?", "Teile {a} durch {b}."),
        },
        follow_ups={
            "+": ("Und plus {n}?", "Zähle jetzt {n} dazu.", "Und wenn man {n} dazuzählt?"),
            "-": ("Und minus {n}?", "Zieh davon jetzt {n} ab.", "Und wenn man davon {n} abzieht?"),
            "*": ("Und mal {n}?", "Multipliziere das jetzt mit {n}.", "Und wenn man das mit {n} multipliziert?"),
            "/": ("Und geteilt durch {n}?", "Teile das jetzt durch {n}.", "Und wenn man das durch {n} teilt?"),
        },
        complaints=("Das sieht nicht nach einer Zahl aus. {question}", "Ich brauche eine Zahl. {question}"),
    ),
    "fr": Phrasings(
        notation=("{e}=?", "{e}", "Combien fait {e} ?", "Calcule {e}.", "Quel est le résultat de {e} ?"),
        words={
            "+": ("Combien fait {a} plus {b} ?", "Que vaut {a} plus {b} ?", "Additionne {a} et {b}."),
            "-": ("Combien fait {a} moins {b} ?", "Que vaut {a} moins {b} ?", "Soustrais {b} de {a}."),
            "*": ("Combien fait {a} fois {b} ?", "Que vaut {a} fois {b} ?", "Multiplie {a} par {b}."),
            "/": ("Combien fait {a} divisé par {b} ?", "Que vaut {a} divisé par {b} ?", "Divise {a} par {b}."),
        },
        follow_ups={
            "+": ("Et plus {n} ?", "Ajoute maintenant {n}.", "Et si on y ajoute {n} ?"),
            "-": ("Et moins {n} ?", "Enlève maintenant {n}.", "Et si on en retire {n} ?"),
            "*": ("Et fois {n} ?", "Multiplie maintenant cela par {n}.", "Et si on le multiplie par {n} ?"),
            "/": ("Et divisé par {n} ?", "Divise maintenant cela par {n}.", "Et si on le divise par {n} ?"),
        },
        complaints=("Cela ne ressemble pas à un nombre. {question}", "Il me faut un nombre. {question}"),
    ),
    "es": Phrasings(
        notation=("{e}=?", "{e}", "¿Cuánto es {e}?", "Calcula {e}.", "¿Cuál es el resultado de {e}?"),
        words={
            "+": ("¿Cuánto es {a} más {b}?", "¿Cuánto da {a} más {b}?", "Suma {a} y {b}."),
            "-": ("¿Cuánto es {a} menos {b}?", "¿Cuánto da {a} menos {b}?", "Réstale {b} a {a}."),
            "*": ("¿Cuánto es {a} por {b}?", "¿Cuánto da {a} por {b}?", "Multiplica {a} por {b}."),
            "/": ("¿Cuánto es {a} entre {b}?", "¿Cuánto da {a} dividido entre {b}?", "Divide {a} entre {b}."),
        },
        follow_ups={
            "+": ("¿Y más {n}?", "Ahora súmale {n}.", "¿Y si le sumas {n}?"),
            "-": ("¿Y menos {n}?", "Ahora réstale {n}.", "¿Y si le restas {n}?"),
            "*": ("¿Y por {n}?", "Ahora multiplícalo por {n}.", "¿Y si lo multiplicas por {n}?"),
            "/": ("¿Y entre {n}?", "Ahora divídelo entre {n}.", "¿Y si lo divides entre {n}?"),
        },
        complaints=("Eso no parece un número. {question}", "Necesito un número. {question}"),
    ),
    "it": Phrasings(
        notation=("{e}=?", "{e}", "Quanto fa {e}?", "Calcola {e}.", "Qual è il risultato di {e}?"),
        words={
            "+": ("Quanto fa {a} più {b}?", "Quanto vale {a} più {b}?", "Somma {a} e {b}."),
            "-": ("Quanto fa {a} meno {b}?", "Quanto vale {a} meno {b}?", "Sottrai {b} da {a}."),
            "*": ("Quanto fa {a} per {b}?", "Quanto vale {a} per {b}?", "Moltiplica {a} per {b}."),
            "/": ("Quanto fa {a} diviso {b}?", "Quanto vale {a} diviso {b}?", "Dividi {a} per {b}."),
        },
        follow_ups={
            "+": ("E più {n}?", "Ora aggiungi {n}.", "E se aggiungi {n}?"),
            "-": ("E meno {n}?", "Ora togli {n}.", "E se togli {n}?"),
            "*": ("E per {n}?", "Ora moltiplica per {n}.", "E se lo moltiplichi per {n}?"),
            "/": ("E diviso {n}?", "Ora dividi per {n}.", "E se lo dividi per {n}?"),
        },
        complaints=("Non sembra un numero. {question}", "Mi serve un numero. {question}"),
    ),
    "pt": Phrasings(
        notation=("{e}=?", "{e}", "Quanto é {e}?", "Calcule {e}.", "Qual é o resultado de {e}?"),
        words={
            "+": ("Quanto é {a} mais {b}?", "Quanto dá {a} mais {b}?", "Some {a} e {b}."),
            "-": ("Quanto é {a} menos {b}?", "Quanto dá {a} menos {b}?", "Subtraia {b} de {a}."),
            "*": ("Quanto é {a} vezes {b}?", "Quanto dá {a} vezes {b}?", "Multiplique {a} por {b}."),
            "/": ("Quanto é {a} dividido por {b}?", "Quanto dá {a} dividido por {b}?", "Divida {a} por {b}."),
        },
        follow_ups={
            "+": ("E mais {n}?", "Agora some {n}.", "E se somarmos {n}?"),
            "-": ("E menos {n}?", "Agora subtraia {n}.", "E se subtrairmos {n}?"),
            "*": ("E vezes {n}?", "Agora multiplique por {n}.", "E se multiplicarmos por {n}?"),
            "/": ("E dividido por {n}?", "Agora divida por {n}.", "E se dividirmos por {n}?"),
        },
        complaints=("Isso não parece um número. {question}", "Preciso de um número. {question}"),
    ),
    "nl": Phrasings(
        notation=("{e}=?", "{e}", "Hoeveel is {e}?", "Bereken {e}.", "Wat is de uitkomst van {e}?"),
        words={
            "+": ("Hoeveel is {a} plus {b}?", "Wat is {a} plus {b}?", "Tel {a} en {b} bij elkaar op."),
            "-": ("Hoeveel is {a} min {b}?", "Wat is {a} min {b}?", "Trek {b} van {a} af."),
            "*": ("Hoeveel is {a} keer {b}?", "Wat is {a} keer {b}?", "Vermenigvuldig {a} met {b}."),
            "/": ("Hoeveel is {a} gedeeld door {b}?", "Wat is {a} gedeeld door {b}?", "Deel {a} door {b}."),
        },
        follow_ups={
            "+": ("En plus {n}?", "Tel er nu {n} bij op.", "En als je er {n} bij optelt?"),
            "-": ("En min {n}?", "Trek er nu {n} van af.", "En als je er {n} van aftrekt?"),
            "*": ("En keer {n}?", "Vermenigvuldig dat nu met {n}.", "En als je dat met {n} vermenigvuldigt?"),
            "/": ("En gedeeld door {n}?", "Deel dat nu door {n}.", "En als je dat door {n} deelt?"),
        },
        complaints=("Dat lijkt niet op een getal. {question}", "Ik heb een getal nodig. {question}"),
    ),
    "zh": Phrasings(
        notation=("{e}=?", "{e}", "{e}等于多少？", "请计算{e}。", "{e}的结果是多少？"),
        words={
            "+": ("{a}加{b}等于多少？", "{a}加{b}是多少？", "请把{a}和{b}相加。"),
            "-": ("{a}减{b}等于多少？", "{a}减{b}是多少？", "请从{a}中减去{b}。"),
            "*": ("{a}乘以{b}等于多少？", "{a}乘以{b}是多少？", "请把{a}乘以{b}。"),
            "/": ("{a}除以{b}等于多少？", "{a}除以{b}是多少？", "请把{a}除以{b}。"),
        },
        follow_ups={
            "+": ("再加{n}呢？", "现在再加上{n}。", "如果再加{n}，结果是多少？"),
            "-": ("再减{n}呢？", "现在再减去{n}。", "如果再减{n}，结果是多少？"),
            "*": ("再乘以{n}呢？", "现在再乘以{n}。", "如果再乘以{n}，结果是多少？"),
            "/": ("再除以{n}呢？", "现在再除以{n}。", "如果再除以{n}，结果是多少？"),
        },
        complaints=("这看起来不是一个数。{question}", "我需要一个数字。{question}"),
    ),
}
