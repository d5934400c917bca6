"""Which module a question is for: softmax regression on hashed character n-grams of its text.

Trained in seconds on what the scenarios of the modules ask, deterministic, and a few hundred kilobytes. It sees
text alone: scenarios and rewards know nothing of it. Where it is in doubt, nobody is chosen, and the base answers.
"""

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from rl.files import write_whole

FILE = "router.safetensors"
NUM_FEATURES = 4096
NGRAMS = (2, 3, 4, 5)
NUM_STEPS, STEP_SIZE, MOMENTUM, PENALTY = 300, 2.0, 0.9, 1e-5


class RouterError(ValueError):
    """A file that holds no router, or text that none can be trained on."""


@dataclass(frozen=True, slots=True)
class Router:
    """Example: `Router.load(path).choose("What is 3 + 4?")`

    Attributes:
        names: C modules. weights: [F, C] float32.
        min_confidence: probability that a module must have to be chosen.
        held_out: name -> share of its held-out openings for which it was chosen, when the router was trained.
    """

    names: tuple[str, ...]
    weights: np.ndarray
    min_confidence: float
    held_out: Mapping[str, float]

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """[N, C] of N texts."""
        return _softmax(features(texts) @ self.weights)

    def choose(self, text: str, otherwise: str = "") -> str:
        """The name of a module, or `otherwise` where none is likely enough."""
        [chances] = self.probabilities([text])
        best = int(chances.argmax())
        return self.names[best] if chances[best] >= self.min_confidence else otherwise

    def save(self, path: Path) -> None:
        about = {"names": self.names, "min_confidence": self.min_confidence, "held_out": dict(self.held_out)}
        write_whole(path, save({"weights": self.weights}, {"router": json.dumps(about)}))

    @classmethod
    def load(cls, path: Path) -> "Router":
        """Raises RouterError."""
        try:
            with safe_open(path, "numpy") as file:
                about = json.loads(file.metadata()["router"])
                weights = file.get_tensor("weights")
            return cls(tuple(about["names"]), weights, about["min_confidence"], about["held_out"])
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise RouterError(f"{path} holds no router: {error}") from error


def train_router(texts: Mapping[str, Sequence[str]], *, min_confidence: float) -> Router:
    """A router from what is asked of each module, by name; every module counts the same, however much that is.

        minimise  -sum_i w_i log softmax(W' x_i)[module of i] + PENALTY |W|^2 / 2,  sum_i w_i = 1

    by gradient descent with momentum from zero. The features have unit length, so the curvature is 1/2 at most, far
    from what the step size bears. There is no bias: text of unknown n-grams makes all modules equally likely. Raises
    RouterError where there is nothing to tell apart.
    """
    if len(texts) < 2 or not all(texts.values()):
        raise RouterError(f"a router needs questions of two modules at least, not of {list(texts)}")
    x = features([text for of_one in texts.values() for text in of_one])
    label = np.repeat(np.arange(len(texts)), [len(of_one) for of_one in texts.values()])
    row_weight = (1.0 / (len(texts) * np.bincount(label)))[label].astype(np.float32)[:, None]
    wanted = np.eye(len(texts), dtype=np.float32)[label]
    weights: np.ndarray = np.zeros((NUM_FEATURES, len(texts)), np.float32)
    pace = np.zeros_like(weights)
    for _ in range(NUM_STEPS):
        error = row_weight * (_softmax(x @ weights) - wanted)
        pace = MOMENTUM * pace - STEP_SIZE * (x.T @ error + PENALTY * weights)
        weights = weights + pace
    return Router(tuple(texts), weights, min_confidence, {})


def features(texts: Sequence[str]) -> np.ndarray:
    """[N, F] float32 of unit length: how often each n-gram occurs, all digits alike, without regard to case."""
    rows = np.zeros((len(texts), NUM_FEATURES), np.float32)
    for row, text in zip(rows, texts, strict=True):
        plain = re.sub(r"\d", "0", f" {text.lower()} ").encode()
        places = [zlib.crc32(plain[i : i + n]) % NUM_FEATURES for n in NGRAMS for i in range(len(plain) - n + 1)]
        np.add.at(row, places, 1.0)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def _softmax(logits: np.ndarray) -> np.ndarray:
    """Over the last axis."""
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)
