"""What minimal pairs exchange for the right thing: objects, tools and places of another part of life. Data only.

Phrases in English, German (objects accusative, tools dative), French and Spanish.
"""

from dataclasses import dataclass

from envs.knowledge.procedure import Lines


@dataclass(frozen=True, slots=True)
class Exchange:
    world: str
    phrases: Lines


OBJECTS = (
    Exchange("workshop", ("the screws", "die Schrauben", "les clous", "los tornillos")),
    Exchange("kitchen", ("the cheese", "den Käse", "le fromage", "el queso")),
    Exchange("office", ("the keyboard", "die Tastatur", "le clavier", "el teclado")),
    Exchange("traffic", ("the bus", "den Bus", "le bus", "el autobús")),
    Exchange("money", ("the invoice", "die Rechnung", "la facture", "la factura")),
    Exchange("sport", ("the ball", "den Ball", "le ballon", "la pelota")),
    Exchange("kitchen", ("the soup", "die Suppe", "la soupe", "la sopa")),
    Exchange("home", ("the sofa", "das Sofa", "le canapé", "el sofá")),
)
TOOLS = (
    Exchange("workshop", ("a hammer", "einem Hammer", "un marteau", "un martillo")),
    Exchange("kitchen", ("a fork", "einer Gabel", "une fourchette", "un tenedor")),
    Exchange("office", ("a keyboard", "einer Tastatur", "un clavier", "un teclado")),
    Exchange("bath", ("a toothbrush", "einer Zahnbürste", "une brosse-à-dents", "un cepillo-de-dientes")),
    Exchange("travel", ("a passport", "einem Pass", "un passeport", "un pasaporte")),
    Exchange("sport", ("a ball", "einem Ball", "un ballon", "una pelota")),
    Exchange("money", ("a credit-card", "einer Kreditkarte", "une carte-bancaire", "una tarjeta")),
    Exchange("office", ("a printer", "einem Drucker", "une imprimante", "una impresora")),
)
PLACES: tuple[Lines, ...] = (
    ("on the moon", "auf dem Mond", "sur la lune", "en la luna"),
    ("in a volcano", "in einem Vulkan", "dans un volcan", "en un volcán"),
    ("on a cloud", "auf einer Wolke", "sur un nuage", "en una nube"),
)
PLACES_TOWARDS: tuple[Lines, ...] = (
    ("onto the moon", "auf den Mond", "sur la lune", "en la luna"),
    ("into a volcano", "in einen Vulkan", "dans un volcan", "en un volcán"),
    ("onto a cloud", "auf eine Wolke", "sur un nuage", "en una nube"),
)
# The parts of life that a domain of procedures touches, from which nothing is taken for an exchange.
WORLDS: dict[str, tuple[str, ...]] = {
    "cooking": ("kitchen",),
    "cleaning": ("home", "bath", "kitchen"),
    "repair": ("workshop", "home"),
    "gardening": ("garden", "workshop", "kitchen"),
    "first-aid": ("health", "bath"),
    "travel": ("travel", "sport", "traffic", "money", "workshop"),
    "office": ("office", "workshop"),
    "care": ("bath", "health"),
    "pets": ("pets", "bath", "kitchen", "home"),
    "money": ("money", "office", "travel"),
    "sport": ("sport", "bath", "health"),
    "driving": ("traffic", "workshop", "money"),
}
