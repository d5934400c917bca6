"""Courtesies in 32 languages: what is said, and the usual replies to it, the commonest first. Data only."""

COURTESIES: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "Good morning!": (
            "Good morning!",
            "Good morning to you!",
        ),
        "Thank you!": (
            "You're welcome!",
            "My pleasure!",
        ),
        "Goodbye!": (
            "Goodbye!",
            "Bye!",
        ),
    },
    "de": {
        "Guten Morgen!": ("Guten Morgen!",),
        "Danke!": (
            "Bitte!",
            "Gern geschehen!",
        ),
        "Auf Wiedersehen!": (
            "Auf Wiedersehen!",
            "Tschüss!",
        ),
    },
    "fr": {
        "Bonjour !": ("Bonjour !",),
        "Merci !": (
            "De rien !",
            "Je vous en prie !",
        ),
        "Au revoir !": (
            "Au revoir !",
            "À bientôt !",
        ),
    },
    "es": {
        "¡Buenos días!": ("¡Buenos días!",),
        "¡Gracias!": ("¡De nada!",),
        "¡Adiós!": (
            "¡Adiós!",
            "¡Hasta luego!",
        ),
    },
    "it": {
        "Buongiorno!": ("Buongiorno!",),
        "Grazie!": (
            "Prego!",
            "Di niente!",
        ),
        "Arrivederci!": (
            "Arrivederci!",
            "Ciao!",
        ),
    },
    "pt": {
        "Bom dia!": ("Bom dia!",),
        "Obrigado!": ("De nada!",),
        "Tchau!": (
            "Tchau!",
            "Até logo!",
        ),
    },
    "nl": {
        "Goedemorgen!": ("Goedemorgen!",),
        "Bedankt!": ("Graag gedaan!",),
        "Tot ziens!": (
            "Tot ziens!",
            "Dag!",
        ),
    },
    "sv": {
        "God morgon!": ("God morgon!",),
        "Tack!": ("Varsågod!",),
        "Hej då!": ("Hej då!",),
    },
    "da": {
        "Godmorgen!": ("Godmorgen!",),
        "Tak!": ("Selv tak!",),
        "Farvel!": (
            "Farvel!",
            "Hej hej!",
        ),
    },
    "no": {
        "God morgen!": ("God morgen!",),
        "Takk!": ("Bare hyggelig!",),
        "Ha det!": ("Ha det!",),
    },
    "fi": {
        "Hyvää huomenta!": (
            "Hyvää huomenta!",
            "Huomenta!",
        ),
        "Kiitos!": ("Ole hyvä!",),
        "Näkemiin!": ("Näkemiin!",),
    },
    "pl": {
        "Dzień dobry!": ("Dzień dobry!",),
        "Dziękuję!": ("Proszę!",),
        "Do widzenia!": ("Do widzenia!",),
    },
    "cs": {
        "Dobrý den!": ("Dobrý den!",),
        "Děkuji!": (
            "Prosím!",
            "Není zač!",
        ),
        "Na shledanou!": ("Na shledanou!",),
    },
    "hu": {
        "Jó reggelt!": ("Jó reggelt!",),
        "Köszönöm!": ("Szívesen!",),
        "Viszontlátásra!": ("Viszontlátásra!",),
    },
    "ro": {
        "Bună dimineața!": ("Bună dimineața!",),
        "Mulțumesc!": ("Cu plăcere!",),
        "La revedere!": ("La revedere!",),
    },
    "lt": {
        "Labas rytas!": ("Labas rytas!",),
        "Ačiū!": ("Prašom!",),
        "Viso gero!": ("Viso gero!",),
    },
    "tr": {
        "Günaydın!": ("Günaydın!",),
        "Teşekkür ederim!": ("Rica ederim!",),
        "Görüşürüz!": ("Görüşürüz!",),
    },
    "vi": {
        "Xin chào!": ("Xin chào!",),
        "Cảm ơn!": ("Không có gì!",),
        "Tạm biệt!": ("Tạm biệt!",),
    },
    "id": {
        "Selamat pagi!": ("Selamat pagi!",),
        "Terima kasih!": ("Sama-sama!",),
        "Sampai jumpa!": ("Sampai jumpa!",),
    },
    "el": {
        "Καλημέρα!": ("Καλημέρα!",),
        "Ευχαριστώ!": ("Παρακαλώ!",),
        "Αντίο!": ("Αντίο!",),
    },
    "bg": {
        "Добро утро!": ("Добро утро!",),
        "Благодаря!": ("Моля!",),
        "Довиждане!": ("Довиждане!",),
    },
    "ru": {
        "Доброе утро!": ("Доброе утро!",),
        "Спасибо!": ("Пожалуйста!",),
        "До свидания!": (
            "До свидания!",
            "Пока!",
        ),
    },
    "uk": {
        "Доброго ранку!": ("Доброго ранку!",),
        "Дякую!": (
            "Будь ласка!",
            "Нема за що!",
        ),
        "До побачення!": ("До побачення!",),
    },
    "ar": {
        "صباح الخير!": ("صباح النور!",),
        "شكرًا!": ("عفوًا!",),
        "مع السلامة!": ("مع السلامة!",),
    },
    "fa": {
        "صبح بخیر!": ("صبح بخیر!",),
        "متشکرم!": ("خواهش می\u200cکنم!",),
        "خداحافظ!": ("خداحافظ!",),
    },
    "he": {
        "בוקר טוב!": (
            "בוקר טוב!",
            "בוקר אור!",
        ),
        "תודה!": ("בבקשה!",),
        "להתראות!": ("להתראות!",),
    },
    "hi": {
        "नमस्ते!": ("नमस्ते!",),
        "धन्यवाद!": ("आपका स्वागत है!",),
        "फिर मिलेंगे!": ("फिर मिलेंगे!",),
    },
    "bn": {
        "সুপ্রভাত!": ("সুপ্রভাত!",),
        "ধন্যবাদ!": ("স্বাগতম!",),
        "আবার দেখা হবে!": ("আবার দেখা হবে!",),
    },
    "th": {
        "สวัสดี": ("สวัสดี",),
        "ขอบคุณ": ("ไม่เป็นไร",),
        "ลาก่อน": ("ลาก่อน",),
    },
    "ja": {
        "おはようございます。": ("おはようございます。",),
        "ありがとうございます。": ("どういたしまして。",),
        "さようなら。": ("さようなら。",),
    },
    "ko": {
        "안녕하세요!": ("안녕하세요!",),
        "감사합니다!": ("천만에요!",),
        "안녕히 가세요!": ("안녕히 계세요!",),
    },
    "zh": {
        "早上好！": ("早上好！",),
        "谢谢！": (
            "不客气！",
            "不用谢！",
        ),
        "再见！": ("再见！",),
    },
}
