"""The shape of a policy, read from its folder without loading it."""

import json
import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path

from models.tokenizer import ModelError


@dataclass(frozen=True, slots=True)
class Architecture:
    """A decoder.

    Attributes:
        kv_heads: key/value heads, each of which serves heads / kv_heads query heads.
        parameters: stored weights.
    """

    kind: str
    layers: int
    width: int
    heads: int
    kv_heads: int
    head_dim: int
    activation: str
    vocabulary: int
    max_positions: int
    parameters: int

    def kv_bytes_per_token(self, bytes_per_value: int) -> int:
        """What one token takes in a KV-cache: a key and a value of every layer and KV head."""
        return 2 * self.layers * self.kv_heads * self.head_dim * bytes_per_value


def read_architecture(folder: Path) -> Architecture:
    """Raises ModelError where the folder's config.json does not say, or its weights cannot be read."""
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        config = config.get("text_config", config)
        heads, width = int(config["num_attention_heads"]), int(config["hidden_size"])
        return Architecture(
            kind=str(config.get("model_type", "")),
            layers=int(config["num_hidden_layers"]),
            width=width,
            heads=heads,
            kv_heads=int(config.get("num_key_value_heads") or heads),
            head_dim=int(config.get("head_dim") or width // heads),
            activation=str(config.get("hidden_act") or config.get("activation_function") or ""),
            vocabulary=int(config["vocab_size"]),
            max_positions=int(config.get("max_position_embeddings") or 2048),
            parameters=sum(_num_parameters(file) for file in sorted(folder.rglob("*.safetensors"))),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path}: does not describe a decoder: {type(error).__name__}: {error}") from error


def _num_parameters(file: Path) -> int:
    """From the header of a safetensors file: its length in 8 bytes, then JSON with the shape of every tensor."""
    with file.open("rb") as opened:
        (length,) = struct.unpack("<Q", opened.read(8))
        header = json.loads(opened.read(length))
    return sum(prod(entry["shape"]) for name, entry in header.items() if name != "__metadata__")
