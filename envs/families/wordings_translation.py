"""How the translation families ask, by language. `{y}` is the name of another language in this one. Data only.

Where a language would inflect that name, it stands alone after a colon.
"""

from envs.families.wording import Wordings

TRANSLATION: dict[str, Wordings] = {
    "meaning": Wordings(
        by_language={
            "en": (
                'What does "{x}" mean in English?',
                '"{x}" in English?',
            ),
            "de": (
                "Was heißt „{x}“ auf Deutsch?",
                "„{x}“ auf Deutsch?",
            ),
            "fr": (
                "Que veut dire « {x} » en français ?",
                "« {x} » en français ?",
            ),
            "es": (
                "¿Qué significa «{x}» en español?",
                "¿«{x}» en español?",
            ),
            "it": (
                'Che cosa significa "{x}" in italiano?',
                '"{x}" in italiano?',
            ),
            "pt": (
                'O que significa "{x}" em português?',
                '"{x}" em português?',
            ),
            "nl": (
                'Wat betekent "{x}" in het Nederlands?',
                '"{x}" in het Nederlands?',
            ),
            "sv": (
                'Vad betyder "{x}" på svenska?',
                '"{x}" på svenska?',
            ),
            "da": ('Hvad betyder "{x}" på dansk?',),
            "no": ('Hva betyr "{x}" på norsk?',),
            "fi": ('Mitä "{x}" on suomeksi?',),
            "pl": ("Jak jest „{x}” po polsku?",),
            "cs": ("Jak se česky řekne „{x}“?",),
            "hu": ("Hogy mondják magyarul: „{x}”?",),
            "ro": ("Ce înseamnă „{x}” în română?",),
            "lt": ("Kaip lietuviškai „{x}“?",),
            "tr": ('"{x}" Türkçede ne demek?',),
            "vi": ('"{x}" trong tiếng Việt là gì?',),
            "id": ('Apa arti "{x}" dalam bahasa Indonesia?',),
            "el": ("Πώς λέγεται «{x}» στα ελληνικά;",),
            "bg": ("Как е „{x}“ на български?",),
            "ru": (
                "Как по-русски «{x}»?",
                "Переведи на русский: «{x}»",
            ),
            "uk": ("Як українською «{x}»?",),
            "ar": ("ما معنى «{x}» بالعربية؟",),
            "fa": ("«{x}» به فارسی چه می\u200cشود؟",),
            "he": ('איך אומרים "{x}" בעברית?',),
            "hi": ('"{x}" को हिन्दी में क्या कहते हैं?',),
            "bn": ('"{x}" বাংলায় কী?',),
            "th": ('"{x}" ภาษาไทยคืออะไร',),
            "ja": (
                "「{x}」は日本語で何ですか？",
                "「{x}」を日本語に訳してください。",
            ),
            "ko": ('한국어로 뭐예요? "{x}"',),
            "zh": (
                "“{x}”用中文怎么说？",
                "请把“{x}”译成中文。",
            ),
        },
    ),
    "translate": Wordings(
        by_language={
            "en": (
                '"{x}" in {y}?',
                'What is "{x}" in {y}?',
                'How do you say "{x}" in {y}?',
            ),
            "de": (
                "„{x}“ auf {y}?",
                "Was heißt „{x}“ auf {y}?",
                "Wie sagt man „{x}“ auf {y}?",
            ),
            "fr": (
                "« {x} » en {y} ?",
                "Comment dit-on « {x} » en {y} ?",
            ),
            "es": (
                "¿«{x}» en {y}?",
                "¿Cómo se dice «{x}» en {y}?",
            ),
            "it": (
                '"{x}" in {y}?',
                'Come si dice "{x}" in {y}?',
            ),
            "pt": (
                '"{x}" em {y}?',
                'Como se diz "{x}" em {y}?',
            ),
            "nl": (
                '"{x}" in het {y}?',
                'Hoe zeg je "{x}" in het {y}?',
            ),
            "sv": (
                '"{x}" på {y}?',
                'Vad heter "{x}" på {y}?',
            ),
            "da": (
                '"{x}" på {y}?',
                'Hvad hedder "{x}" på {y}?',
            ),
            "no": (
                '"{x}" på {y}?',
                'Hva heter "{x}" på {y}?',
            ),
            "fi": ('Käännä: "{x}". Kieli: {y}.',),
            "pl": ("Przetłumacz „{x}” na język {y}.",),
            "cs": ("Přelož: „{x}“. Jazyk: {y}.",),
            "hu": ("Hogy van „{x}” {y} nyelven?",),
            "ro": ("Cum se spune „{x}” în {y}?",),
            "lt": ("Išversk: „{x}“. Kalba: {y}.",),
            "tr": ('"{x}" {y} nasıl denir?',),
            "vi": ('"{x}" trong {y} là gì?',),
            "id": ('Apa bahasa {y} dari "{x}"?',),
            "el": ("Πώς λέγεται «{x}» στα {y};",),
            "bg": ("Как е „{x}“ на {y}?",),
            "ru": ("Переведи: «{x}». Язык: {y}.",),
            "uk": ("Переклади: «{x}». Мова: {y}.",),
            "ar": ("ما معنى «{x}» باللغة {y}؟",),
            "fa": ("«{x}» به {y} چه می\u200cشود؟",),
            "he": ('איך אומרים "{x}" ב{y}?',),
            "hi": ('"{x}" को {y} में क्या कहते हैं?',),
            "bn": ('"{x}" {y} ভাষায় কী?',),
            "th": ('"{x}" ภาษา{y}คืออะไร',),
            "ja": ("「{x}」は{y}で何ですか？",),
            "ko": ('"{x}": {y}로 뭐예요?',),
            "zh": ("“{x}”用{y}怎么说？",),
        },
    ),
    "and_translate": Wordings(
        by_language={
            "en": ("And in {y}?",),
            "de": ("Und auf {y}?",),
            "fr": ("Et en {y} ?",),
            "es": ("¿Y en {y}?",),
            "it": ("E in {y}?",),
            "pt": ("E em {y}?",),
            "nl": ("En in het {y}?",),
            "sv": ("Och på {y}?",),
            "da": ("Og på {y}?",),
            "no": ("Og på {y}?",),
            "fi": ("Entä kieli: {y}?",),
            "pl": ("A na język {y}?",),
            "cs": ("A jazyk: {y}?",),
            "hu": ("És {y} nyelven?",),
            "ro": ("Dar în {y}?",),
            "lt": ("O kalba: {y}?",),
            "tr": ("Peki {y}?",),
            "vi": ("Còn trong {y}?",),
            "id": ("Dan bahasa {y}?",),
            "el": ("Και στα {y};",),
            "bg": ("А на {y}?",),
            "ru": ("А язык: {y}?",),
            "uk": ("А мова: {y}?",),
            "ar": ("وباللغة {y}؟",),
            "fa": ("و به {y}؟",),
            "he": ("וב{y}?",),
            "hi": ("और {y} में?",),
            "bn": ("আর {y} ভাষায়?",),
            "th": ("แล้วภาษา{y}ล่ะ",),
            "ja": ("では{y}では？",),
            "ko": ("그럼 {y}로는요?",),
            "zh": ("那用{y}呢？",),
        },
    ),
}
