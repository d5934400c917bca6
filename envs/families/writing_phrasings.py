"""The wordings and words of the writing families, by language. Data only.

All lists of one kind are equally long, so that a level has as many openings in every language.
"""

# What to ask -> wordings. The first one is the plainest.
WORDINGS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "upper": ("In capitals: {text}", "Write this in capital letters: {text}"),
        "lower": ("In small letters: {text}", "Write this in small letters: {text}"),
        "now_upper": ("Now in capitals.", "And in capital letters?"),
        "now_lower": ("Now in small letters.", "And in small letters?"),
        "sort": ("A to Z: {text}", "Put these in alphabetical order: {text}"),
        "now_reverse": ("Now Z to A.", "And in reverse order?"),
        "now_first": ("Only the first of them.", "Which one is first now?"),
        "initials": ("Initials: {text}", "Write the first letters of these words in capitals: {text}"),
        "acronym": ("Words with the initials {text}?", "What could {text} stand for?"),
        "rhyme": ("Rhyme of {word}: {text}?", "Which of these rhymes with {word}: {text}?"),
        "now_rhyme": ("And of {word}?", "And which of them rhymes with {word}?"),
        "remove": ("Without {word}: {text}", "Leave out {word} in this list: {text}"),
        "now_remove": ("Now without {word} too.", "Leave out {word} as well."),
        "replace": ("{word} becomes {other}: {text}", "Replace {word} by {other} in this list: {text}"),
        "now_replace": ("Now {word} becomes {other}.", "Replace {word} by {other} too."),
        "spelling": ("Correct: {text}", "There is one mistake in this; write it right: {text}"),
        "words": ("Write.", "Write something.", "Write down some words."),
        "now_words": ("Now again.", "And once more."),
        "sentence": ("Write one sentence.", "Please form a sentence."),
        "now_sentence": ("Now another one.", "Put it differently."),
        "summary": ("Shorten: {text}", "Summarise this: {text}"),
        "now_summary": ("Shorter.", "Make it shorter still."),
        "json": ("As JSON: {text}", "Write this as a JSON object: {text}"),
        "now_list": ("Now as a list.", "The same as a list, please."),
        "demands": ("Write about this: {text}.", "Write a short text on this subject: {text}."),
        "now_demands": ("Now do it again.", "Rewrite it."),
    },
    "de": {
        "upper": ("In Großbuchstaben: {text}", "Schreibe das in Großbuchstaben: {text}"),
        "lower": ("In Kleinbuchstaben: {text}", "Schreibe das in Kleinbuchstaben: {text}"),
        "now_upper": ("Jetzt in Großbuchstaben.", "Und in Großbuchstaben?"),
        "now_lower": ("Jetzt in Kleinbuchstaben.", "Und in Kleinbuchstaben?"),
        "sort": ("A bis Z: {text}", "Ordne diese Wörter nach dem Alphabet: {text}"),
        "now_reverse": ("Jetzt Z bis A.", "Und umgekehrt?"),
        "now_first": ("Nur das erste davon.", "Welches steht jetzt vorn?"),
        "initials": ("Anfangsbuchstaben: {text}", "Schreibe die Anfangsbuchstaben dieser Wörter groß: {text}"),
        "acronym": ("Wörter mit den Anfangsbuchstaben {text}?", "Wofür könnte {text} stehen?"),
        "rhyme": ("Reim auf {word}: {text}?", "Was davon reimt sich auf {word}: {text}?"),
        "now_rhyme": ("Und auf {word}?", "Und was davon reimt sich auf {word}?"),
        "remove": ("Ohne {word}: {text}", "Lass {word} in dieser Liste weg: {text}"),
        "now_remove": ("Jetzt auch ohne {word}.", "Lass auch {word} weg."),
        "replace": ("{word} wird {other}: {text}", "Ersetze {word} durch {other} in dieser Liste: {text}"),
        "now_replace": ("Jetzt wird {word} zu {other}.", "Ersetze auch {word} durch {other}."),
        "spelling": ("Verbessere: {text}", "Hier ist ein Fehler; schreibe es richtig: {text}"),
        "words": ("Schreibe.", "Schreibe etwas.", "Schreibe ein paar Wörter auf."),
        "now_words": ("Jetzt noch einmal.", "Und noch einmal."),
        "sentence": ("Schreibe einen Satz.", "Bilde bitte einen Satz."),
        "now_sentence": ("Jetzt einen anderen.", "Drücke es anders aus."),
        "summary": ("Kürze: {text}", "Fasse das zusammen: {text}"),
        "now_summary": ("Kürzer.", "Mach es noch kürzer."),
        "json": ("Als JSON: {text}", "Schreibe das als JSON-Objekt: {text}"),
        "now_list": ("Jetzt als Liste.", "Dasselbe bitte als Liste."),
        "demands": ("Schreibe darüber: {text}.", "Schreibe einen kurzen Text zu diesem Thema: {text}."),
        "now_demands": ("Jetzt noch einmal.", "Schreibe es um."),
    },
    "fr": {
        "upper": ("En majuscules : {text}", "Écris ceci en majuscules : {text}"),
        "lower": ("En minuscules : {text}", "Écris ceci en minuscules : {text}"),
        "now_upper": ("Maintenant en majuscules.", "Et en majuscules ?"),
        "now_lower": ("Maintenant en minuscules.", "Et en minuscules ?"),
        "sort": ("De A à Z : {text}", "Range ces mots par ordre alphabétique : {text}"),
        "now_reverse": ("Maintenant de Z à A.", "Et dans l'ordre inverse ?"),
        "now_first": ("Seulement le premier.", "Lequel est maintenant le premier ?"),
        "initials": ("Initiales : {text}", "Écris en majuscules les premières lettres de ces mots : {text}"),
        "acronym": ("Des mots aux initiales {text} ?", "Que pourrait signifier {text} ?"),
        "rhyme": ("Rime avec {word} : {text} ?", "Lequel de ces mots rime avec {word} : {text} ?"),
        "now_rhyme": ("Et avec {word} ?", "Et lequel rime avec {word} ?"),
        "remove": ("Sans {word} : {text}", "Enlève {word} de cette liste : {text}"),
        "now_remove": ("Maintenant aussi sans {word}.", "Enlève aussi {word}."),
        "replace": ("{word} devient {other} : {text}", "Remplace {word} par {other} dans cette liste : {text}"),
        "now_replace": ("Maintenant {word} devient {other}.", "Remplace aussi {word} par {other}."),
        "spelling": ("Corrige : {text}", "Il y a une faute ici ; écris-le correctement : {text}"),
        "words": ("Écris.", "Écris quelque chose.", "Écris quelques mots."),
        "now_words": ("Maintenant encore une fois.", "Et encore une fois."),
        "sentence": ("Écris une phrase.", "Forme une phrase, s'il te plaît."),
        "now_sentence": ("Maintenant une autre.", "Dis-le autrement."),
        "summary": ("Abrège : {text}", "Résume ceci : {text}"),
        "now_summary": ("Plus court.", "Fais encore plus court."),
        "json": ("En JSON : {text}", "Écris ceci sous forme d'objet JSON : {text}"),
        "now_list": ("Maintenant en liste.", "La même chose en liste, s'il te plaît."),
        "demands": ("Écris sur ce sujet : {text}.", "Écris un petit texte sur ce sujet : {text}."),
        "now_demands": ("Maintenant encore une fois.", "Réécris-le."),
    },
    "es": {
        "upper": ("En mayúsculas: {text}", "Escribe esto en mayúsculas: {text}"),
        "lower": ("En minúsculas: {text}", "Escribe esto en minúsculas: {text}"),
        "now_upper": ("Ahora en mayúsculas.", "¿Y en mayúsculas?"),
        "now_lower": ("Ahora en minúsculas.", "¿Y en minúsculas?"),
        "sort": ("De la A a la Z: {text}", "Pon estas palabras en orden alfabético: {text}"),
        "now_reverse": ("Ahora de la Z a la A.", "¿Y en orden inverso?"),
        "now_first": ("Solo la primera.", "¿Cuál es ahora la primera?"),
        "initials": ("Iniciales: {text}", "Escribe en mayúsculas las primeras letras de estas palabras: {text}"),
        "acronym": ("¿Palabras con las iniciales {text}?", "¿Qué podría significar {text}?"),
        "rhyme": ("Rima de {word}: ¿{text}?", "¿Cuál de estas palabras rima con {word}: {text}?"),
        "now_rhyme": ("¿Y de {word}?", "¿Y cuál rima con {word}?"),
        "remove": ("Sin {word}: {text}", "Quita {word} de esta lista: {text}"),
        "now_remove": ("Ahora también sin {word}.", "Quita también {word}."),
        "replace": ("{word} pasa a ser {other}: {text}", "Cambia {word} por {other} en esta lista: {text}"),
        "now_replace": ("Ahora {word} pasa a ser {other}.", "Cambia también {word} por {other}."),
        "spelling": ("Corrige: {text}", "Hay un error en esto; escríbelo bien: {text}"),
        "words": ("Escribe.", "Escribe algo.", "Escribe algunas palabras."),
        "now_words": ("Ahora otra vez.", "Y una vez más."),
        "sentence": ("Escribe una frase.", "Forma una frase, por favor."),
        "now_sentence": ("Ahora otra.", "Dilo de otra manera."),
        "summary": ("Acorta: {text}", "Resume esto: {text}"),
        "now_summary": ("Más corto.", "Hazlo aún más corto."),
        "json": ("Como JSON: {text}", "Escribe esto como objeto JSON: {text}"),
        "now_list": ("Ahora como lista.", "Lo mismo como lista, por favor."),
        "demands": ("Escribe sobre esto: {text}.", "Escribe un texto breve sobre este tema: {text}."),
        "now_demands": ("Ahora otra vez.", "Reescríbelo."),
    },
}

_WORDS = {
    "en": "tea bee sun oak map egg jam key cup fox hat ink pen van zoo dog lid net rug wax arm yak ice owl",
    "de": "Tee Bus Sand Ofen Maus Ei Jahr Kuh Glas Fuchs Hut Igel Pilz Vase Zug Dach Licht Nuss "
    "Rose Wal Arm Yak Uhr Lamm",
    "fr": "sac ami bus thym main nid jeu kiwi clou fleur herbe idole pain vase zone dent lit roi pont "
    "rue arc yeux or mer",
    "es": "taza bus sol oso mapa nube ajo kilo copa flor hoja isla pan vaso zorro dedo luz red rosa "
    "gato arco yate uva fe",
}
WORDS = {language: tuple(listed.split()) for language, listed in _WORDS.items()}

_LONG_WORDS = {
    "en": "kitchen morning teacher weather brother picture village holiday station library hospital umbrella "
    "mountain children language birthday sandwich question building computer elephant newspaper chocolate butterfly",
    "de": "Fenster Garten Schule Wasser Bruder Winter Sommer Kirche Straße Bahnhof Frühling Zeitung "
    "Sprache Kinder Geburtstag Wetter Elefant Rechner Gebäude Schokolade Freundin Krankenhaus Bleistift Wohnung",
    "fr": "maison jardin cuisine matin fenêtre voiture village vacances musique hôpital parapluie montagne "
    "enfants langage sandwich question chapeau lumière éléphant journal chocolat papillon rivière serviette",
    "es": "cocina ventana jardín hermano maestra escuela montaña pueblo pregunta lenguaje hospital paraguas "
    "mañana invierno naranja mariposa chocolate elefante periódico cumpleaños servilleta semana estación camisa",
}
LONG_WORDS = {language: tuple(listed.split()) for language, listed in _LONG_WORDS.items()}

# Six sounds, four words each.
_RHYMES = {
    "en": (
        "cat hat bat mat",
        "tree sea key bee",
        "light night kite white",
        "day grey way play",
        "moon spoon June tune",
        "boat coat note goat",
    ),
    "de": (
        "Haus Maus Laus Strauß",
        "Hand Sand Wand Rand",
        "Tee See Schnee Fee",
        "Bein Stein Wein Schein",
        "Tisch Fisch frisch Gemisch",
        "Hose Rose Dose lose",
    ),
    "fr": (
        "chat rat plat drap",
        "pain main bain train",
        "lune dune brune prune",
        "mer fer ver hiver",
        "maison raison saison prison",
        "fleur peur sœur cœur",
    ),
    "es": (
        "gato pato plato rato",
        "casa masa taza pasa",
        "camión avión balón limón",
        "flor color calor amor",
        "luna cuna una fortuna",
        "viento lento cuento asiento",
    ),
}
RHYMES = {language: tuple(tuple(sound.split()) for sound in sounds) for language, sounds in _RHYMES.items()}

_NAMES = {
    "en": "Anna Ben Clara David Emma Frank Grace Henry",
    "de": "Anna Bernd Clara Dieter Emma Frank Greta Hans",
    "fr": "Anne Bruno Claire Denis Emma Fabien Julie Hugo",
    "es": "Ana Bruno Clara Diego Elena Felipe Julia Hugo",
}
NAMES = {language: tuple(listed.split()) for language, listed in _NAMES.items()}

_CITIES = {
    "en": "Rome Paris Oslo Cairo Lima Delhi Tokyo Berlin",
    "de": "Rom Paris Oslo Kairo Lima Delhi Tokio Berlin",
    "fr": "Rome Paris Oslo Lima Madrid Delhi Tokyo Berlin",
    "es": "Roma París Oslo Lima Madrid Delhi Tokio Berlín",
}
CITIES = {language: tuple(listed.split()) for language, listed in _CITIES.items()}

# What is told about somebody: places for name, city, age and another name.
FACTS: dict[str, tuple[str, ...]] = {
    "en": (
        "{name} lives in {city}.",
        "{name} is {age} years old and likes to go for long walks.",
        "Every summer {other} comes to visit, and then they go swimming together.",
    ),
    "de": (
        "{name} wohnt in {city}.",
        "{name} ist {age} Jahre alt und geht gern lange spazieren.",
        "Jeden Sommer kommt {other} zu Besuch, und dann gehen beide zusammen schwimmen.",
    ),
    "fr": (
        "{name} habite à {city}.",
        "{name} a {age} ans et aime faire de longues promenades.",
        "Chaque été, {other} vient en visite, et ils vont nager ensemble.",
    ),
    "es": (
        "{name} vive en {city}.",
        "{name} tiene {age} años y le gusta dar largos paseos.",
        "Cada verano {other} viene de visita, y entonces van juntos a nadar.",
    ),
}

# The keys of a record: of a name, a city and an age.
KEYS: dict[str, tuple[str, str, str]] = {
    "en": ("name", "city", "age"),
    "de": ("Name", "Stadt", "Alter"),
    "fr": ("nom", "ville", "âge"),
    "es": ("nombre", "ciudad", "edad"),
}
