"""Both ends of a weight transfer, without the wire: pack tensors into buckets, and prove what arrived.

A publication is a `Manifest` and a few flat byte buffers. The manifest holds a SHA-256 of every tensor and one over all
of them, and a probe: token sequences with the log-probs that the publisher's own network gives them. A receiver first
checks the bytes, then loads them, then answers the probe. Bytes that arrived but were put in the wrong place (a stale
tied head, a fused projection that missed a part) pass the first check and fail the last.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

BUCKET_BYTES = 64 * 1024 * 1024
PROBE_SHAPE = (4, 32)

Kind = Literal["full", "adapter"]


class WeightSyncError(RuntimeError):
    """The weights in an engine are not the published ones. No token may be sampled with them."""


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """Where one tensor lies: `nbytes` bytes from `offset` of bucket `bucket`."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    bucket: int
    offset: int
    nbytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Probe:
    """P sequences of L tokens, and what the publisher's network thinks of them.

    Attributes:
        tokens: [P, L] int32.
        logprobs: [P, L] float32 at temperature 1; column 0 has no prefix and is 0.
        tolerance: largest difference that rounding explains at the engine's precision.
    """

    tokens: np.ndarray
    logprobs: np.ndarray
    tolerance: float


@dataclass(frozen=True, slots=True)
class Manifest:
    """One version of the weights. `sha256` covers names, types, shapes and bytes of every tensor."""

    version: int
    kind: Kind
    entries: tuple[TensorEntry, ...]
    sha256: str
    probe: Probe

    @property
    def num_bytes(self) -> int:
        return sum(entry.nbytes for entry in self.entries)


def probe_tokens(vocab_size: int, max_length: int) -> np.ndarray:
    """[P, L] token ids, always the same: drawn over the whole vocabulary so that no part of the network is idle."""
    rows, length = PROBE_SHAPE
    generator = np.random.Generator(np.random.PCG64(20))
    return generator.integers(0, vocab_size, (rows, min(length, max_length - 1)), dtype=np.int32)


def pack_weights(
    tensors: Iterable[tuple[str, torch.Tensor]],
    *,
    version: int,
    kind: Kind,
    probe: Probe,
    bucket_bytes: int = BUCKET_BYTES,
) -> tuple[Manifest, list[np.ndarray]]:
    """Copy named tensors into flat uint8 buckets of about `bucket_bytes`, and describe them."""
    entries: list[TensorEntry] = []
    buckets: list[np.ndarray] = []
    parts: list[np.ndarray] = []
    filled = 0
    for name, tensor in tensors:
        raw = _raw_bytes(tensor)
        if parts and filled + raw.nbytes > bucket_bytes:
            buckets.append(np.concatenate(parts))
            parts, filled = [], 0
        entries.append(_describe(name, tensor, raw, bucket=len(buckets), offset=filled))
        parts.append(raw)
        filled += raw.nbytes
    if parts:
        buckets.append(np.concatenate(parts))
    return Manifest(version, kind, tuple(entries), _digest_entries(entries), probe), buckets


def describe_weights(
    tensors: Iterable[tuple[str, torch.Tensor]], *, version: int, kind: Kind, probe: Probe
) -> Manifest:
    """The manifest alone, for bytes that travel by themselves: checksums as from `pack_weights`, and no buckets."""
    entries = tuple(_describe(name, tensor, _raw_bytes(tensor), bucket=0, offset=0) for name, tensor in tensors)
    return Manifest(version, kind, entries, _digest_entries(entries), probe)


def weights_sha256(tensors: Iterable[tuple[str, torch.Tensor]]) -> str:
    """What the `Manifest` of a publication of these tensors would say."""
    return _digest_entries(_describe(name, tensor, _raw_bytes(tensor), bucket=0, offset=0) for name, tensor in tensors)


def unpack_weights(manifest: Manifest, buckets: Sequence[np.ndarray]) -> Iterator[tuple[str, torch.Tensor]]:
    """The tensors of a publication, each one checked against its SHA-256 before it is handed out.

    Buffers from shared memory are read-only, so every tensor is copied out.

    Raises:
        WeightSyncError: a bucket is missing or short, or a tensor's bytes are not those that were published.
    """
    if manifest.sha256 != _digest_entries(manifest.entries):
        raise WeightSyncError(f"weights {manifest.version}: the manifest does not match its own checksum")
    for entry in manifest.entries:
        if entry.bucket >= len(buckets) or buckets[entry.bucket].nbytes < entry.offset + entry.nbytes:
            raise WeightSyncError(f"weights {manifest.version}: tensor {entry.name} did not arrive")
        raw = buckets[entry.bucket][entry.offset : entry.offset + entry.nbytes].copy()
        if hashlib.sha256(raw).hexdigest() != entry.sha256:
            raise WeightSyncError(f"weights {manifest.version}: tensor {entry.name} arrived damaged")
        yield entry.name, torch.from_numpy(raw).view(getattr(torch, entry.dtype)).view(entry.shape)


def check_probe(manifest: Manifest, logprobs: np.ndarray) -> float:
    """Compare an engine's answer [P, L] to the publisher's; returns the largest difference.

    Raises:
        WeightSyncError: it exceeds the tolerance, or is not a number.
    """
    gap = float(np.abs(logprobs[:, 1:] - manifest.probe.logprobs[:, 1:]).max())
    if not gap <= manifest.probe.tolerance:
        raise WeightSyncError(
            f"weights {manifest.version}: the engine's log-probs differ from the learner's by {gap:.2g} "
            f"(allowed {manifest.probe.tolerance:.2g}) after loading: a tensor was dropped, is stale or sits elsewhere"
        )
    return gap


def check_resident(manifest: Manifest, resident: Mapping[str, torch.Tensor]) -> None:
    """Compare tensors that the engine keeps in their published form, byte for byte.

    Raises:
        WeightSyncError: one of them differs.
    """
    for entry in manifest.entries:
        tensor = resident.get(entry.name)
        if tensor is None or tuple(tensor.shape) != entry.shape or str(tensor.dtype) != f"torch.{entry.dtype}":
            continue
        if hashlib.sha256(_raw_bytes(tensor)).hexdigest() != entry.sha256:
            raise WeightSyncError(
                f"weights {manifest.version}: tensor {entry.name} in the engine is not the published one"
            )


def _describe(name: str, tensor: torch.Tensor, raw: np.ndarray, *, bucket: int, offset: int) -> TensorEntry:
    dtype, digest = str(tensor.dtype).removeprefix("torch."), hashlib.sha256(raw).hexdigest()
    return TensorEntry(name, dtype, tuple(tensor.shape), bucket, offset, raw.nbytes, digest)


def _raw_bytes(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy()


def _digest_entries(entries: Iterable[TensorEntry]) -> str:
    digest = hashlib.sha256()
    for entry in sorted(entries, key=lambda e: e.name):
        digest.update(f"{entry.name}\0{entry.dtype}\0{entry.shape}\0{entry.sha256}\n".encode())
    return digest.hexdigest()
