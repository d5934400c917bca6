import pytest

from envs.knowledge.amounts import LANGUAGES, RANGES
from envs.knowledge.facts import FACTS
from envs.knowledge.lexicon import concepts, fold, lookup, read_number
from envs.knowledge.matching import matched_steps, success
from envs.knowledge.procedure import AMOUNT
from envs.knowledge.procedures import PROCEDURES
from envs.knowledge.reading import clauses
from envs.knowledge.sanity import CONTENTS, DANGEROUS, PREREQUISITES

BY_NAME = {procedure.name: procedure for procedure in PROCEDURES}


def mentions(text: str, language: str = "en") -> list[tuple[str, str]]:
    return [(mention.concept.name, mention.role) for part in clauses(text, language) for mention in part.mentions]


def test_enough_is_known() -> None:
    assert len(PROCEDURES) >= 50
    assert len({procedure.domain for procedure in PROCEDURES}) >= 10
    assert len({procedure.name for procedure in PROCEDURES} | {fact.name for fact in FACTS}) == len(PROCEDURES) + len(
        FACTS
    )


def test_rules_name_only_what_is_known() -> None:
    names = set(concepts()) | {kind for concept in concepts().values() for kind in concept.kinds} | {"anything"}
    used = (
        {name for name, _ in RANGES} | set(CONTENTS) | {name for pair in (*DANGEROUS, *PREREQUISITES) for name in pair}
    )
    used |= {kind for kinds in CONTENTS.values() for kind in kinds}
    used |= {name for concept in concepts().values() for name in concept.objects | concept.tools}
    assert used <= names


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_marked_amount_is_read_and_lies_in_its_range(language: str) -> None:
    for procedure in PROCEDURES:
        for step in procedure.steps:
            found = AMOUNT.search(step.marked(language))
            assert (found is not None) == (step.high > 0), step.marked(language)
            if found is not None:
                assert step.low <= float(found[1]) <= step.high
                (part,) = clauses(step.text(language), language)
                assert [amount.high for amount in part.amounts][:1] == [float(found[1])], step.text(language)
    for fact in FACTS:
        found = AMOUNT.search(fact.answers[LANGUAGES.index(language)])
        assert found is not None
        assert fact.low <= float(found[1]) <= fact.high


def test_roles_and_forms_of_words() -> None:
    assert mentions("Peel the potatoes with a peeler.") == [
        ("peel", "action"),
        ("potato", "object"),
        ("peeler", "tool"),
    ]
    assert mentions("Put the milk into the fridge") == [("insert", "action"), ("milk", "object"), ("fridge", "place")]
    assert mentions("Die Töpfe im Backofen", "de") == [("pot", "object"), ("oven", "place")]
    assert mentions("the washing machine") == [("washing_machine", "object")]
    assert lookup("blorp", "en") == ()


@pytest.mark.parametrize(
    ("text", "language", "low", "high"),
    [
        ("for 8 to 10 minutes", "en", 8, 10),
        ("8-10 minutes", "en", 8, 10),
        ("1,200 grams", "en", 1200, 1200),
        ("2,5 Liter", "de", 2.5, 2.5),
        ("zwei Stunden", "de", 2, 2),
        ("une heure", "fr", 1, 1),
        ("-5 grados", "es", -5, -5),
    ],
)
def test_amounts(text: str, language: str, low: float, high: float) -> None:
    (part,) = clauses(text, language)
    assert [(amount.low, amount.high) for amount in part.amounts] == [(low, high)]


def test_numbers_and_folding() -> None:
    assert (fold("Öl ŒUF"), read_number("1.500", "de"), read_number("x", "en")) == ("ol oeuf", 1500, None)
    assert read_number("9" * 400, "en") is None


def test_success_by_hand() -> None:
    eggs = BY_NAME["boil-eggs"]  # five steps; the first two may change places
    steps = [step.text("en") for step in eggs.steps]
    assert success(eggs, " ".join(steps), "en") == 1
    assert success(eggs, " ".join([steps[1], steps[0], *steps[2:]]), "en") == 1
    assert success(eggs, " ".join(steps[1:4]), "en") == pytest.approx(3 / 5)
    assert success(eggs, " ".join(steps).replace("8", "80"), "en") == 0  # the only amount is wrong
    assert success(eggs, " ".join(steps[::-1]), "en") == pytest.approx(1 / 10)  # the free pair is in order
    assert success(eggs, steps[0], "en") == 0
    assert matched_steps(eggs, "You boil the eggs, say for 8 minutes. I like trains.", "en") == [2]
