"""Is the answer polite? By the phrases of courtesy, and by those that hurt."""

from rewards.dimensions.phrases import answers, few, manner, phrase_list

LANGUAGES = ("de", "en", "es", "fr", "it", "nl", "pt")  # of the phrases; not all have all
GREETED_LANGUAGES = (*LANGUAGES, "ja", "ru", "zh")

GREETINGS = phrase_list(
    "hello, hi, hey, good morning, good evening, hallo, guten tag, guten morgen, bonjour, salut, hola, buenos días, "
    "ciao, buongiorno, olá, bom dia, привет, 你好, こんにちは"
)
THANKS = phrase_list("thanks, thank you, danke, vielen dank, merci, gracias, grazie, obrigado, obrigada, bedankt")
WELCOME = phrase_list(
    "welcome, my pleasure, no problem, glad, gern, gerne, bitte, de rien, avec plaisir, de nada, prego, graag gedaan, "
    "happy to"
)
FAREWELLS = phrase_list("goodbye, bye, see you, auf wiedersehen, tschüss, au revoir, adiós, hasta luego, arrivederci")
INSULTS = phrase_list("idiot, stupid, moron, dumb, shut up, dummkopf, blödmann, imbécile, crétin, estúpido")
APOLOGIES = phrase_list("sorry, apologise, apologize, entschuldigung, tut mir leid, désolé, lo siento, perdón")

DIMENSIONS = (
    manner(
        "politeness.greets_back",
        "A greeting is returned.",
        answers(GREETINGS, GREETINGS),
        "Hello!",
        passes="Hello, Anna.",
        fails="Rome is in Italy.",
        languages=GREETED_LANGUAGES,
    ),
    manner(
        "politeness.takes_thanks",
        "Thanks are acknowledged.",
        answers(THANKS, WELCOME),
        "Thank you!",
        passes="You're welcome.",
        fails="Rome is in Italy.",
        languages=LANGUAGES,
    ),
    manner(
        "politeness.says_goodbye",
        "A farewell is returned.",
        answers(FAREWELLS, FAREWELLS),
        "Goodbye!",
        passes="Goodbye, Anna.",
        fails="Rome is in Italy.",
        languages=LANGUAGES,
    ),
    manner(
        "politeness.no_insult",
        "Nobody is insulted.",
        few(INSULTS, languages=LANGUAGES),
        "Where is Rome?",
        passes="It is in Italy.",
        fails="It is in Italy, you idiot.",
        languages=LANGUAGES,
    ),
    manner(
        "politeness.apologises_once",
        "One apology is enough.",
        few(APOLOGIES, free=1, languages=LANGUAGES),
        "You are late.",
        passes="I am sorry, it won't happen again.",
        fails="Sorry, I am so sorry, really sorry!",
        languages=LANGUAGES,
    ),
)
