"""The wordings of the memory family, by language. Data only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrasings:
    """
    Attributes:
        say: asks to say `{v}` and nothing else.
        facts: for colour, animal, food, lucky number and sister: how the user names it, and asks for it.
        changed: before a fact that is now another one.
        who, what: who said `{v}`, and what `{name}` said; `last` for who spoke more than once.
        count: opens a running total with `{v}`; plus, minus: go on; total: asks for it.
        shopping: opens a list with `{v}`; add, remove: change it; left: asks for it.
        nth: asks for the first, second and third question of the dialog.
        how_many: asks how many sums there were.
        rules: capitals, exclamation mark, twice, in quotation marks; stop: ends the rule.
    """

    say: str
    facts: tuple[tuple[str, str], ...]
    changed: str
    who: str
    what: str
    last: str
    count: str
    plus: str
    minus: str
    total: str
    shopping: str
    add: str
    remove: str
    left: str
    nth: tuple[str, str, str]
    how_many: str
    rules: tuple[str, str, str, str]
    stop: str


PHRASINGS: dict[str, Phrasings] = {
    "en": Phrasings(
        say="Say {v}.",
        facts=(
            ("My favourite colour", "What is my favourite colour?"),
            ("My favourite animal", "What is my favourite animal?"),
            ("My favourite food", "What is my favourite food?"),
            ("My lucky number", "What is my lucky number?"),
            ("My sister's name", "What is my sister's name?"),
        ),
        changed="That has changed.",
        who="Who said “{v}”?",
        what="What did {name} say?",
        last="What did {name} say last?",
        count="Count with me: {v}.",
        plus="Plus {v}.",
        minus="Minus {v}.",
        total="How much is that in all?",
        shopping="On my list: {v}.",
        add="Add {v}.",
        remove="Cross off {v}.",
        left="What is on the list now?",
        nth=("What was my first question?", "What was my second question?", "What was my third question?"),
        how_many="How many sums did I give you?",
        rules=(
            "Answer in capital letters.",
            "End each answer with an exclamation mark.",
            "Say each answer twice.",
            'Put each answer in "quotation marks".',
        ),
        stop="Now forget that rule.",
    ),
    "de": Phrasings(
        say="Sag {v}.",
        facts=(
            ("Meine Lieblingsfarbe", "Was ist meine Lieblingsfarbe?"),
            ("Mein Lieblingstier", "Was ist mein Lieblingstier?"),
            ("Mein Lieblingsessen", "Was ist mein Lieblingsessen?"),
            ("Meine Glückszahl", "Was ist meine Glückszahl?"),
            ("Name meiner Schwester", "Wie heißt meine Schwester?"),
        ),
        changed="Das ist jetzt anders.",
        who="Wer hat „{v}“ gesagt?",
        what="Was hat {name} gesagt?",
        last="Was hat {name} zuletzt gesagt?",
        count="Zähl mit: {v}.",
        plus="Plus {v}.",
        minus="Minus {v}.",
        total="Wie viel ist das insgesamt?",
        shopping="Auf meiner Liste: {v}.",
        add="Dazu: {v}.",
        remove="Streiche: {v}.",
        left="Was steht jetzt auf der Liste?",
        nth=("Was war meine erste Frage?", "Was war meine zweite Frage?", "Was war meine dritte Frage?"),
        how_many="Wie viele Rechenaufgaben habe ich gestellt?",
        rules=(
            "Antworte in Großbuchstaben.",
            "Beende jede Antwort mit einem Ausrufezeichen.",
            "Sag jede Antwort zweimal.",
            'Setz jede Antwort in "Anführungszeichen".',
        ),
        stop="Vergiss jetzt diese Regel.",
    ),
    "fr": Phrasings(
        say="Dis {v}.",
        facts=(
            ("Ma couleur préférée", "Quelle est ma couleur préférée ?"),
            ("Mon animal préféré", "Quel est mon animal préféré ?"),
            ("Mon plat préféré", "Quel est mon plat préféré ?"),
            ("Mon chiffre porte-bonheur", "Quel est mon chiffre porte-bonheur ?"),
            ("Le nom de ma sœur", "Quel est le nom de ma sœur ?"),
        ),
        changed="Cela a changé.",
        who="Qui a dit « {v} » ?",
        what="Qu'a dit {name} ?",
        last="Qu'a dit {name} en dernier ?",
        count="Compte avec moi : {v}.",
        plus="Plus {v}.",
        minus="Moins {v}.",
        total="Combien cela fait-il en tout ?",
        shopping="Sur ma liste : {v}.",
        add="Ajoute : {v}.",
        remove="Raye : {v}.",
        left="Qu'y a-t-il maintenant sur la liste ?",
        nth=(
            "Quelle était ma première question ?",
            "Quelle était ma deuxième question ?",
            "Quelle était ma troisième question ?",
        ),
        how_many="Combien de calculs t'ai-je donnés ?",
        rules=(
            "Réponds en lettres majuscules.",
            "Termine chaque réponse par un point d'exclamation.",
            "Dis chaque réponse deux fois.",
            'Mets chaque réponse entre "guillemets".',
        ),
        stop="Oublie maintenant cette règle.",
    ),
    "es": Phrasings(
        say="Di {v}.",
        facts=(
            ("Mi color favorito", "¿Cuál es mi color favorito?"),
            ("Mi animal favorito", "¿Cuál es mi animal favorito?"),
            ("Mi comida favorita", "¿Cuál es mi comida favorita?"),
            ("Mi número de la suerte", "¿Cuál es mi número de la suerte?"),
            ("El nombre de mi hermana", "¿Cómo se llama mi hermana?"),
        ),
        changed="Eso ha cambiado.",
        who="¿Quién dijo «{v}»?",
        what="¿Qué dijo {name}?",
        last="¿Qué dijo {name} al final?",
        count="Cuenta conmigo: {v}.",
        plus="Más {v}.",
        minus="Menos {v}.",
        total="¿Cuánto es en total?",
        shopping="En mi lista: {v}.",
        add="Añade: {v}.",
        remove="Tacha: {v}.",
        left="¿Qué hay ahora en la lista?",
        nth=("¿Cuál fue mi primera pregunta?", "¿Cuál fue mi segunda pregunta?", "¿Cuál fue mi tercera pregunta?"),
        how_many="¿Cuántas cuentas te he puesto?",
        rules=(
            "Responde en letras mayúsculas.",
            "Termina cada respuesta con un signo de exclamación.",
            "Di cada respuesta dos veces.",
            'Pon cada respuesta entre "comillas".',
        ),
        stop="Ahora olvida esa regla.",
    ),
    "it": Phrasings(
        say="Di' {v}.",
        facts=(
            ("Il mio colore preferito", "Qual è il mio colore preferito?"),
            ("Il mio animale preferito", "Qual è il mio animale preferito?"),
            ("Il mio cibo preferito", "Qual è il mio cibo preferito?"),
            ("Il mio numero fortunato", "Qual è il mio numero fortunato?"),
            ("Il nome di mia sorella", "Come si chiama mia sorella?"),
        ),
        changed="Ora è cambiato.",
        who="Chi ha detto «{v}»?",
        what="Che cosa ha detto {name}?",
        last="Che cosa ha detto {name} per ultimo?",
        count="Conta con me: {v}.",
        plus="Più {v}.",
        minus="Meno {v}.",
        total="Quanto fa in tutto?",
        shopping="Sulla mia lista: {v}.",
        add="Aggiungi: {v}.",
        remove="Togli: {v}.",
        left="Che cosa c'è ora sulla lista?",
        nth=(
            "Qual è stata la mia prima domanda?",
            "Qual è stata la mia seconda domanda?",
            "Qual è stata la mia terza domanda?",
        ),
        how_many="Quanti calcoli ti ho dato?",
        rules=(
            "Rispondi in lettere maiuscole.",
            "Termina ogni risposta con un punto esclamativo.",
            "Di' ogni risposta due volte.",
            'Metti ogni risposta tra "virgolette".',
        ),
        stop="Ora dimentica questa regola.",
    ),
    "pt": Phrasings(
        say="Diga {v}.",
        facts=(
            ("Minha cor favorita", "Qual é a minha cor favorita?"),
            ("Meu animal favorito", "Qual é o meu animal favorito?"),
            ("Minha comida favorita", "Qual é a minha comida favorita?"),
            ("Meu número da sorte", "Qual é o meu número da sorte?"),
            ("O nome da minha irmã", "Como se chama a minha irmã?"),
        ),
        changed="Isso mudou.",
        who="Quem disse “{v}”?",
        what="O que {name} disse?",
        last="O que {name} disse por último?",
        count="Conte comigo: {v}.",
        plus="Mais {v}.",
        minus="Menos {v}.",
        total="Quanto é ao todo?",
        shopping="Na minha lista: {v}.",
        add="Acrescente: {v}.",
        remove="Risque: {v}.",
        left="O que há agora na lista?",
        nth=(
            "Qual foi a minha primeira pergunta?",
            "Qual foi a minha segunda pergunta?",
            "Qual foi a minha terceira pergunta?",
        ),
        how_many="Quantas contas eu passei?",
        rules=(
            "Responda em letras maiúsculas.",
            "Termine cada resposta com um ponto de exclamação.",
            "Diga cada resposta duas vezes.",
            'Ponha cada resposta entre "aspas".',
        ),
        stop="Agora esqueça essa regra.",
    ),
    "nl": Phrasings(
        say="Zeg {v}.",
        facts=(
            ("Mijn lievelingskleur", "Wat is mijn lievelingskleur?"),
            ("Mijn lievelingsdier", "Wat is mijn lievelingsdier?"),
            ("Mijn lievelingseten", "Wat is mijn lievelingseten?"),
            ("Mijn geluksgetal", "Wat is mijn geluksgetal?"),
            ("De naam van mijn zus", "Hoe heet mijn zus?"),
        ),
        changed="Dat is veranderd.",
        who="Wie zei “{v}”?",
        what="Wat zei {name}?",
        last="Wat zei {name} het laatst?",
        count="Tel met me mee: {v}.",
        plus="Plus {v}.",
        minus="Min {v}.",
        total="Hoeveel is dat in totaal?",
        shopping="Op mijn lijst: {v}.",
        add="Erbij: {v}.",
        remove="Streep door: {v}.",
        left="Wat staat er nu op de lijst?",
        nth=("Wat was mijn eerste vraag?", "Wat was mijn tweede vraag?", "Wat was mijn derde vraag?"),
        how_many="Hoeveel sommen heb ik gegeven?",
        rules=(
            "Antwoord in hoofdletters.",
            "Eindig elk antwoord met een uitroepteken.",
            "Zeg elk antwoord twee keer.",
            'Zet elk antwoord tussen "aanhalingstekens".',
        ),
        stop="Vergeet die regel nu.",
    ),
}
