"""Harper's rules of English grammar, sorted into the kinds of mistakes that the dimensions count.

Most of its rules are left out: spelling, and seven hundred set phrases. To parse a text of 60 words that it has not met
takes 2.6 ms, the rules below 1.3 ms more, so it is given the first `MAX_CHARACTERS` only. The checker takes 130 MB and
is made at the first English text.
"""

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Protocol

from rewards.reading import MEMORY

MAX_CHARACTERS = 240  # forty words

RULES = {
    "articles": "AnA AnAnother AnotherAn TheAnother TheMy DefiniteArticle MissingDeterminer SomeWithoutArticle "
    "MassNouns HalfAnHour",
    "agreement": "PronounVerbAgreement IAmAgreement ThereIsAgreement PronounInflectionBe OneOfTheSingular "
    "QuantifierNumeralConflict AnotherThings ThesesThese HeDos PronounAre SubjunctiveWasToWere",
    "verb_forms": "RegularIrregulars SimplePastToPastParticiple DidPast WillNonLemma InflectedVerbAfterTo DoubleModal "
    "ModalOf IsBeenAuxSequence HelpedPast ModalSeem NeedToNoun Payed ProgressiveNeedsBe SingleBe WouldNeverHave "
    "HadOf WantBe WillGonna AllowTo LetToDo ModalBeAdjective",
    "confused_words": "ItsContraction ItsPossessive PronounContraction TheirToThere TheirToTheyre ThereToTheir "
    "TheyreToTheir TheyreConfusions ThereOwn ThenThan ToTwoToo TooTo PossessiveYour YourPredicateAdjective "
    "LetsConfusion "
    "ThoughThought WereWhere ToLoseTooLoose ExtendOrExtent QuiteQuiet SafeToSave NounVerbConfusion FeelFell "
    "TheWhetherWeather DoesOrDose BellowBelow SeamToSeem ThingThink MoreThatLikely",
    "prepositions": "MissingPreposition MissingTo ToTo AskNoPreposition ArriveTo ArriveOnWeekday InterestedIn GoodAt "
    "DespiteOf DespiteItIs ResponsibleFor AwareOf FondOn ComprisesOf JealousOf FascinatedBy InspiredBy "
    "PassionateAbout CuriousAbout AccuseOf CapitalizeOn OnFloor WithoutOut CommitmentTo ObsessPreposition BewareOf "
    "AwaitFor OnFirstGlance ComfortableWith",
    "comparisons": "MoreBetter MoreAdjective AdjectiveDoubleDegree RedundantSuperlatives LessWorse WorseOrWorst "
    "VeryUnique RedundantProgressiveComparative VeryLess VeryKnown HandfulOfMore",
    "split_words": "MergeWords SplitWords EverySingleOneOf Everyday Somebody Someone Nobody Everyone Anybody "
    "Somewhere Nowhere Everywhere Without Myself Itself Yourself Nowadays Whereas Therefore However AllReady AWhile "
    "Overnight Lifetime NoLonger OpenCompounds CompoundNouns",
    "marks": "CommaFixes UnclosedQuotes EllipsisLength QuoteSpacing CurrencyPlacement CorrectNumberSuffix "
    "WrongApostrophe PluralDecades PossessiveNoun",
}


class Checker(Protocol):
    def set_lint_config(self, config: dict[str, bool | None], /) -> None: ...

    def organized_lints(self, text: str, /) -> Mapping[str, Sequence[object]]: ...


@lru_cache(MEMORY)
def mistakes(text: str) -> Mapping[str, int]:
    """Kind of mistake -> how many of them the first `MAX_CHARACTERS` of an English text hold."""
    found = _checker().organized_lints(beginning(text))
    return {kind: sum(len(found.get(rule, ())) for rule in rules.split()) for kind, rules in RULES.items()}


def beginning(text: str) -> str:
    """What is checked of a text, cut between two words."""
    return text if len(text) <= MAX_CHARACTERS else text[:MAX_CHARACTERS].rpartition(" ")[0] or text[:MAX_CHARACTERS]


@cache
def _checker() -> Checker:
    from harper import Linter, get_default_lint_config

    checker: Checker = Linter()
    wanted = {rule for rules in RULES.values() for rule in rules.split()}
    checker.set_lint_config({rule: rule in wanted for rule in get_default_lint_config()})
    return checker
