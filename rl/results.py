"""What an evaluation found: the numbers that go into checkpoints and reports."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class EvalResult:
    """Held-out dialogs, answered greedily by the weights of `step`. Accuracies are mean success, from 0 to 1.

    Attributes:
        accuracy: over all turns of all dialogs.
        first_turn, follow_up: over opening turns, and over later ones (None: no dialog had any).
        unseen: over the turns of dialogs whose opening question no training dialog has asked (None: all were asked).
        seen_share: share of the opening questions that some training dialog has asked.
        by_scenario: accuracy within each scenario.
        num_dialogs: dialogs that were judged; failed ones are not among them.
        by_domain, by_language: accuracy within each of them; empty in checkpoints from before they were counted.
    """

    step: int
    accuracy: float
    first_turn: float
    follow_up: float | None
    unseen: float | None
    seen_share: float
    by_scenario: dict[str, float] = field(default_factory=dict)
    num_dialogs: int = 0
    by_domain: dict[str, float] = field(default_factory=dict)
    by_language: dict[str, float] = field(default_factory=dict)
