"""What a reward model is trained on, as pure functions of the scores of P pairs."""

import torch
from torch import Tensor


def bradley_terry(chosen: Tensor, rejected: Tensor) -> Tensor:
    """-log sigmoid(r_chosen - r_rejected), in nats per pair. [P], [P] -> [P].

    Bradley and Terry 1952; Christiano et al. 2017 (1706.03741); Ouyang et al. 2022 (2203.02155, eq. 1).
    """
    return -torch.nn.functional.logsigmoid(chosen - rejected)


def centring(chosen: Tensor, rejected: Tensor) -> Tensor:
    """(r_chosen + r_rejected)^2 per pair (Eisenstein et al. 2023, 2312.09244, eq. 2). [P], [P] -> [P].

    Pairs say nothing about the level of scores; this keeps it at 0, so that scores of different prompts compare.
    """
    return (chosen + rejected).square()
