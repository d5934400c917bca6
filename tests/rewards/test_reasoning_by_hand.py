"""Dimensions of mathematics, logic, context and nearness to a right text, worked out by hand. None: it abstains."""

import pytest

from envs.task import Constraint, Question, Transcript
from rewards.claims import Claim, claims, closure, comparisons
from rewards.dimensions.example import example
from rewards.options import offered
from rewards.table import by_name

DIMENSIONS = by_name()


def integer(answer: str, expected: str, question: str = "?") -> Transcript:
    return example(question, answer, expected=expected, kind="integer")


def number(answer: str, expected: str, question: str = "?") -> Transcript:
    return example(question, answer, expected=expected, kind="number")


def text(
    answer: str, expected: str | None = None, question: str = "?", earlier: Transcript | None = None
) -> Transcript:
    return example(question, answer, expected=expected, earlier=earlier)


def expression(answer: str, expected: str = "2x + 2") -> Transcript:
    return example("?", answer, expected=expected, kind="expression")


def german(answer: str, question: str) -> Transcript:
    return example(question, answer, language="de")


TALLER = "Anna is taller than Ben. Carl is shorter than Ben."

CASES = (
    ("math.parity", integer("3", "7"), 1.0),
    ("math.parity", integer("-3", "7"), 1.0),
    ("math.parity", integer("x", "7"), 0.0),
    ("math.last_digit", integer("19", "20"), 4 / 5),
    ("math.last_digit", integer("25", "20"), 0.0),
    ("math.digit_sum", integer("16", "7"), 1.0),
    ("math.relative_error", integer("15", "20"), 3 / 4),
    ("math.relative_error", integer("1", "0"), 0.0),
    ("math.ratio", integer("80", "20"), 1 / 3),
    ("math.ratio", integer("-20", "20"), 0.0),
    ("math.digits_from_right", integer("985", "85"), 2 / 3),
    ("math.digits_in_order", integer("805", "85"), 4 / 5),
    ("math.leading_digits", integer("8500", "85"), 1.0),
    ("math.leading_digits", integer("84", "85"), 1 / 2),
    ("math.leading_digits", integer("0", "85"), 0.0),
    ("math.wholeness", number("2.5", "3"), 0.0),
    ("math.copied_operand", integer("47", "85", "47 + 38 = ?"), 0.0),
    ("math.copied_operand", integer("85", "85", "47 + 38 = ?"), 1.0),
    ("math.copied_operand", number("40 + 7 = 47", "85", "47 + 38 = ?"), None),
    ("math.made_of_operands", integer("-9", "85", "47 + 38 = ?"), 1.0),
    ("math.made_of_operands", integer("10", "14", "2 + 3 * 4 = ?"), 1.0),
    ("math.made_of_operands", integer("21", "14", "2 + 3 * 4 = ?"), 0.0),
    ("math.bounded", integer("200", "10", "4 and 6 and 1?"), 24 / 200),
    ("math.usual_notation", number("07 and 3.50 and 1,000", "7"), 1 / 3),
    ("math.precision", number("2.51", "2.5"), 2 / 3),
    ("math.precision", number("2", "2.5"), 1 / 2),
    ("math.equivalent", expression("2*(x+1)"), 1.0),
    ("math.equivalent", expression("2x + 3"), 0.0),
    ("math.equivalent", expression("(x+1)^{99}"), 0.0),
    ("math.equivalent", integer("2", "2"), None),
    ("math.simplified", number("4/6", "2/3"), 1 / 2),
    ("math.simplified", number("\\frac{2}{3}", "2/3"), 1.0),
    ("math.defined", text("1/0 and 1/2"), 1 / 2),
    ("math.exact", number("0.33", "1/3"), 1 / 2),
    ("math.exact", number("0.5", "1/2"), None),
    ("math.latex_well_formed", text("\\left( \\frac{1}{2}"), 3 / 4),
    ("math.solution_holds", number("x = 2", "2", "Solve 2x + 3 = 7."), 1.0),
    ("math.solution_holds", number("x = 3", "2", "Solve 2x + 3 = 7."), 0.0),
    ("math.solution_holds", number("x = 3 and y = 1", "1", "Solve x + y = 4 and x - y = 2."), 1.0),
    ("math.probability_bounded", number("50%", "1/2", "What is the probability?"), 1.0),
    ("math.average_between", number("7", "4", "What is the average of 2 and 6?"), 0.0),
    ("logic.steps_chain", number("1 + 1 = 2. 2 + 1 = 3. 5 + 5 = 10.", "10"), 1 / 2),
    ("logic.steps_chain", number("1 + 1 = 2", "2"), None),
    ("logic.steps_grounded", number("3 + 4 = 7. 7 + 5 = 12.", "12", "3 and 4?"), 3 / 4),
    ("logic.results_used", number("1 + 1 = 2. 5 + 5 = 10. 10 + 2 = 12.", "12"), 1.0),
    ("logic.last_step_is_answer", number("1 + 1 = 2. 2 + 1 = 3. So 2.", "3"), 0.0),
    ("logic.conclusion_stated", number("Es sind 18. Also bleiben somit 14.", "14"), 1.0),
    ("logic.conclusion_last", number("So 3. Then 4. Then 5.", "5"), 0.0),
    ("logic.ordinals_in_order", text("First a. Third b. Second c."), 1 / 2),
    ("logic.settles", text("It is 5. Wait, hmm, it is 6."), 1 / 3),
    ("logic.settles", text("<think>wait, wait</think>It is surely six."), 1.0),
    ("logic.reason_given", text("Weil es dunkel ist.", question="Warum?"), 1.0),
    ("logic.no_contradiction", text("Rom ist alt. Rom ist nicht alt."), 0.0),
    ("logic.no_contradiction", text("Rome is old. Is Rome not old?"), None),
    ("logic.one_value_each", text("The sum is 5. The sum is 6. The difference is 1."), 1 / 2),
    ("logic.premises_kept", text("Ana no es alta.", question="Ana es alta. ¿Y?"), 0.0),
    ("logic.earlier_claims_kept", text("Rome is old.", earlier=text("Paris is not old.")), 1.0),
    ("logic.earlier_values_kept", text("The sum is 6.", earlier=text("The sum is 5.")), 0.0),
    ("logic.ordering_consistent", text("Anna is taller than Ben. Anna is shorter than Ben."), 0.0),
    ("logic.ordering_follows", text("Anna is taller than Carl.", question=TALLER), 1.0),
    ("logic.ordering_follows", text("Anna is taller than Dora.", question=TALLER), None),
    ("logic.inequalities_hold", text("3 < 5 and 5 >= 6 and 2 <= 2"), 2 / 3),
    ("logic.properties_hold", text("9 is prime, 12 is divisible by 5, 8 ist gerade, 7 is not even."), 1 / 2),
    ("logic.polarity_agrees", text("No, it is."), 0.0),
    ("logic.polarity_agrees", text("No, it is in the north of Italy."), 1.0),
    ("logic.negation_flips", text("No.", question="Is it not odd?", earlier=text("Yes.", question="Is it odd?")), 1.0),
    ("logic.negation_flips", text("No.", question="Is it not odd?", earlier=text("Yes.", question="Is it red?")), None),
    ("context.names_mentioned", text("He met Ben on the hill.", question="Who met Ben and Anna?"), 1 / 2),
    ("context.names_spelled", text("We like Ana and Ben.", question="About Anna and Ben?"), 1 / 2),
    ("context.numbers_known", text("12 + 3 = 15, not 16", question="12 and 3?"), 3 / 4),
    ("context.units_kept", text("5 km in 3 kg", question="How far in 3 hours at 2 km an hour?"), 1 / 2),
    ("context.quotes_exact", text('"so it is" and "so it was"', question="So it is."), 1 / 2),
    ("context.language_kept", text("Das ist nicht der.", earlier=text("It is in the house.")), 0.0),
    ("context.form_kept", text("- a\n- b", earlier=text("word")), 0.0),
    ("context.answers_newest", text("Rome", "Paris", earlier=text("x", "Rome")), 0.0),
    ("context.answers_newest", text("Oslo", "Paris", earlier=text("x", "Rome")), 1.0),
    ("context.mends", text("b", "c", "What? Really?", earlier=text("b", "c", "Really?")), 0.0),
    ("context.topic_kept", text("The river.", question="More?", earlier=text("A river bank")), 1.0),
    (
        "context.shorter_when_asked",
        text("a b c d e f g h i", question="Shorter.", earlier=text("a b c d e f g h i j")),
        0.5,
    ),
    ("context.address_kept", german("Hier, wenn Sie und du wollen.", "Kannst du helfen?"), 1 / 2),
    ("context.result_carried", number("7 + 2 = 9", "9", "And plus 2?"), None),
    ("task.edit_similarity", text("Rom", "Rome"), 6 / 7),
    ("task.prefix", text("rot", "Rome"), 2 / 4),
    ("task.ending", text("dome", "Rome"), 3 / 4),
    ("task.first_character", text("red", "Rome"), 1.0),
    ("task.characters", text("reef", "Rome"), 2 / 4),
    ("task.length_ratio", text("Romans", "Rom"), 1 / 2),
    ("task.case_kept", text("rOme", "Rome"), 2 / 4),
    ("task.case_kept", text("Paris", "Rome"), None),
    ("task.first_word", text("rome is it", "Rome"), 1.0),
    ("task.last_word", text("a c b", "a b c"), 0.0),
    ("task.word_precision", text("a b x y", "a b c"), 1 / 2),
    ("task.word_order", text("a c b", "a b c"), 2 / 3),
    ("task.chrf", text("a long sentence", "a long sentence"), 1.0),
    ("task.item_overlap", text("tea, milk", "milk, bread"), 1 / 3),
    ("task.item_order", text("c, b, a", "a, b, c"), 0.0),
    ("task.item_places", text("a, c, b", "a, b, c"), 1 / 3),
    ("task.num_items", text("a", "a, b, c"), 1 / 3),
    ("task.choice_offered", example("Which: a, b?", "c", expected="a", kind="choice"), 0.0),
    ("task.one_choice", example("Which: tea, milk?", "tea or milk", expected="tea", kind="choice"), 1 / 2),
    ("task.says_yes_or_no", text("Nein, nie.", "ja"), 1.0),
)


@pytest.mark.parametrize(("name", "transcript", "expected"), CASES, ids=[case[0] for case in CASES])
def test_by_hand(name: str, transcript: Transcript, expected: float | None) -> None:
    value = DIMENSIONS[name].score(transcript)
    assert value == (None if expected is None else pytest.approx(expected))


def test_a_lasting_demand_is_remembered_until_it_is_replaced() -> None:
    small = example("Small.", "rome", constraints=(Constraint("all_lower"),))
    score = DIMENSIONS["context.demands_kept"].score
    assert score(example("And?", "Rome", earlier=small)) == pytest.approx(3 / 4)
    assert score(example("And?", "ROME", earlier=small, constraints=(Constraint("all_upper"),))) is None


def test_claims_are_read_in_four_languages() -> None:
    assert claims("The house isn't old.") == (Claim(("house",), ("old",), affirmed=False),)
    assert claims("Das Haus ist kein Turm, aber Anna ist groß.") == (
        Claim(("haus",), ("turm",), affirmed=False),
        Claim(("anna",), ("groß",), affirmed=True),
    )
    assert claims("La maison n'est pas grande.") == (Claim(("maison",), ("grande",), affirmed=False),)
    assert claims("Ana no es alta.") == (Claim(("ana",), ("alta",), affirmed=False),)
    assert claims("It is old. Is it old?") == ()


def test_a_chain_of_a_hundred_comparisons_is_read_up_to_a_bound() -> None:
    chain = " ".join(f"n{i} is taller than n{i + 1}." for i in range(100))
    assert len(comparisons(chain)) == 20
    assert ("taller", "n0", "n20") in closure(comparisons(chain))


def test_comparisons_point_one_way() -> None:
    assert comparisons("Anna is taller than Ben.") == comparisons("Ben is shorter than Anna.")
    assert comparisons("Anna est plus grande que Ben.") == {("grande", "anna", "ben")}
    assert ("taller", "a", "c") in closure({("taller", "a", "b"), ("taller", "b", "c")})


def test_options_of_a_choice() -> None:
    assert offered(Question("Which is a city: Rome, bread or tea?", "Rome", "choice")) == ("rome", "bread", "tea")
    assert offered(Question("Which? a) Rome b) bread", "b", "choice")) == ("a", "b")
    assert offered(Question("Well?", "x", "choice", constraints=(Constraint("options", "x|y z"),))) == ("x", "y z")
    assert offered(Question("Say: yes, no?", "yes", "text")) == ()
