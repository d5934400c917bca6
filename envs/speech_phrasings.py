"""What users say in any scenario, by language: remarks, complaints, corrections. Data only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Speech:
    """
    Attributes:
        small_talk: remarks that have nothing to do with anything.
        complaints: asking again after an answer that made no sense, with a place for `{question}`.
        aside: a change of topic, with a place for the `{question}` that is asked first.
        back: coming back from it, with a place for the `{text}` that was put off.
        recall: asks what value was given for a `{slot}`.
        already: the user was asked for what they had said, with a place for the `{value}`.
        slip: the user corrects themselves, with places for what was `{wrong}` and what is `{right}`.
        correction: the user corrects the policy, with the same places.
    """

    small_talk: tuple[str, ...]
    complaints: tuple[str, ...]
    aside: str
    back: str
    recall: str
    already: str
    slip: str
    correction: str


SPEECH: dict[str, Speech] = {
    "en": Speech(
        small_talk=("Lovely weather today.", "What a long day.", "My bus was late again.", "I hope you are well."),
        complaints=("Sorry? {question}", "I do not understand that. {question}"),
        aside="First something else. {question}",
        back="Thanks. Back to it. {text}",
        recall="What did I say for “{slot}”?",
        already="I said that already: {value}.",
        slip="Sorry, not {wrong}, I meant {right}.",
        correction="No, not {wrong}: {right}.",
    ),
    "de": Speech(
        small_talk=(
            "Schönes Wetter heute.",
            "Was für ein langer Tag.",
            "Mein Bus kam wieder zu spät.",
            "Ich hoffe, es geht dir gut.",
        ),
        complaints=("Wie bitte? {question}", "Das verstehe ich nicht. {question}"),
        aside="Zuerst etwas anderes. {question}",
        back="Danke. Zurück zur Sache. {text}",
        recall="Was hatte ich bei „{slot}“ gesagt?",
        already="Das habe ich schon gesagt: {value}.",
        slip="Entschuldigung, nicht {wrong}, ich meinte {right}.",
        correction="Nein, nicht {wrong}: {right}.",
    ),
    "fr": Speech(
        small_talk=(
            "Il fait beau aujourd'hui.",
            "Quelle longue journée.",
            "Mon bus était encore en retard.",
            "J'espère que tu vas bien.",
        ),
        complaints=("Pardon ? {question}", "Je ne comprends pas. {question}"),
        aside="D'abord autre chose. {question}",
        back="Merci. Revenons-y. {text}",
        recall="Qu'ai-je dit pour « {slot} » ?",
        already="Je l'ai déjà dit : {value}.",
        slip="Pardon, pas {wrong}, je voulais dire {right}.",
        correction="Non, pas {wrong} : {right}.",
    ),
    "es": Speech(
        small_talk=(
            "Hoy hace buen tiempo.",
            "Qué día tan largo.",
            "Mi autobús llegó tarde otra vez.",
            "Espero que estés bien.",
        ),
        complaints=("¿Perdón? {question}", "No lo entiendo. {question}"),
        aside="Primero otra cosa. {question}",
        back="Gracias. Volvamos al tema. {text}",
        recall="¿Qué dije para «{slot}»?",
        already="Ya lo dije: {value}.",
        slip="Perdón, no {wrong}, quería decir {right}.",
        correction="No, {wrong} no: {right}.",
    ),
    "it": Speech(
        small_talk=(
            "Oggi è una bella giornata.",
            "Che giornata lunga.",
            "Il mio autobus era di nuovo in ritardo.",
            "Spero che tu stia bene.",
        ),
        complaints=("Scusa? {question}", "Non capisco. {question}"),
        aside="Prima un'altra cosa. {question}",
        back="Grazie. Torniamo a noi. {text}",
        recall="Che cosa ho detto per «{slot}»?",
        already="L'ho già detto: {value}.",
        slip="Scusa, non {wrong}, volevo dire {right}.",
        correction="No, non {wrong}: {right}.",
    ),
    "pt": Speech(
        small_talk=(
            "Hoje o tempo está bonito.",
            "Que dia longo.",
            "Meu ônibus atrasou de novo.",
            "Espero que você esteja bem.",
        ),
        complaints=("Como? {question}", "Não entendi. {question}"),
        aside="Primeiro outra coisa. {question}",
        back="Obrigado. Voltando ao assunto. {text}",
        recall="O que eu disse para “{slot}”?",
        already="Eu já disse: {value}.",
        slip="Desculpe, não {wrong}, eu quis dizer {right}.",
        correction="Não, {wrong} não: {right}.",
    ),
    "nl": Speech(
        small_talk=(
            "Mooi weer vandaag.",
            "Wat een lange dag.",
            "Mijn bus was weer te laat.",
            "Ik hoop dat het goed met je gaat.",
        ),
        complaints=("Pardon? {question}", "Dat begrijp ik niet. {question}"),
        aside="Eerst iets anders. {question}",
        back="Bedankt. Terug naar het onderwerp. {text}",
        recall="Wat zei ik bij „{slot}”?",
        already="Dat heb ik al gezegd: {value}.",
        slip="Sorry, niet {wrong}, ik bedoelde {right}.",
        correction="Nee, niet {wrong}: {right}.",
    ),
}

LANGUAGES = tuple(SPEECH)
