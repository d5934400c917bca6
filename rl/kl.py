"""How strongly the policy is held to its reference: the KL coefficient, fixed or steered towards a target.

The unit is one everywhere: k1, the mean over action tokens of log pi - log pi_ref. A controller that saw nats per
sequence would react to the length of the answers.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

MAX_ERROR = 0.2  # of the proportional error, Ziegler et al.


@dataclass(frozen=True, slots=True)
class KLController:
    """The coefficient of the KL term; without a `target` it stays what it is.

    Ziegler et al. 2019 (https://arxiv.org/abs/1909.08593) and their code:

        error = clip(kl / target - 1, -0.2, 0.2);    coef <- coef * (1 + error * num_steps / horizon)

    Example: `controller = controller.update(kl=0.03, num_steps=512)`

    Attributes:
        target: wanted KL, nats per action token; None: fixed coefficient.
        horizon: trajectories over which an error that stays changes the coefficient by its own proportion.
    """

    coef: float
    target: float | None = None
    horizon: int = 10_000

    def __post_init__(self) -> None:
        if self.target is not None and self.coef <= 0:
            raise ValueError(f"kl_coef is {self.coef}, and scaling it never reaches kl_target: start from kl_coef > 0")

    def update(self, kl: float, num_steps: int) -> "KLController":
        """The controller after `num_steps` trajectories at a KL of `kl`. One update moves it by 20 % at most."""
        if self.target is None:
            return self
        if not math.isfinite(kl):
            raise ValueError(f"the KL controller cannot steer by kl={kl}: look at the log-probs of this batch")
        error = min(max(kl / self.target - 1.0, -MAX_ERROR), MAX_ERROR)
        return replace(self, coef=self.coef * (1.0 + error * min(num_steps / self.horizon, 1.0)))

    @property
    def state(self) -> dict[str, float]:
        """What a checkpoint keeps; target and horizon are the configuration's."""
        return {"coef": self.coef}

    def restore(self, state: Mapping[str, float]) -> "KLController":
        """The controller as it was at `state`. A fixed one keeps the coefficient of the configuration."""
        return self if self.target is None else replace(self, coef=state["coef"])
