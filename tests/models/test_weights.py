"""Weight transfer: tensors survive packing, every kind of damage is named, and the probe cannot be fooled by NaN."""

import dataclasses

import numpy as np
import pytest
import torch

from models.weights import (
    PROBE_SHAPE,
    Probe,
    WeightSyncError,
    check_probe,
    check_resident,
    describe_weights,
    pack_weights,
    probe_tokens,
    unpack_weights,
)

PROBE = Probe(np.zeros((2, 4), np.int32), np.full((2, 4), -1.0, np.float32), tolerance=1e-3)


def tensors():
    generator = torch.Generator().manual_seed(0)
    normal = torch.randn(6, 5, generator=generator)
    return {
        "embed": normal,
        "norm": torch.ones(7, dtype=torch.bfloat16),
        "transposed": normal.T,  # not contiguous
        "scalar": torch.tensor(2.5),
        "half": normal.half(),
        "double": normal.double()[:3],
        "ids": torch.arange(11),
        "bytes": torch.arange(3, dtype=torch.uint8),
        "special": torch.tensor([float("nan"), float("inf"), -0.0]),
    }


def as_bytes(tensor):
    return tensor.contiguous().view(-1).view(torch.uint8)  # NaN equals itself, and -0.0 is not 0.0


def pack(named, *, bucket_bytes=64):
    items = named.items() if isinstance(named, dict) else named
    return pack_weights(items, version=3, kind="full", probe=PROBE, bucket_bytes=bucket_bytes)


def sha256(named, **how):
    return pack(named, **how)[0].sha256


@pytest.mark.parametrize("bucket_bytes", [1, 50, 121, 10**6])
def test_tensors_come_back_bit_for_bit_from_buckets_of_any_size(bucket_bytes):
    manifest, buckets = pack(tensors(), bucket_bytes=bucket_bytes)
    for bucket in buckets:
        bucket.setflags(write=False)  # as shared memory is
    received = dict(unpack_weights(manifest, buckets))
    assert list(received) == list(tensors())
    for name, tensor in tensors().items():
        copy = received[name]
        assert (copy.dtype, copy.shape) == (tensor.dtype, tensor.shape)
        assert torch.equal(as_bytes(copy), as_bytes(tensor))
        copy.fill_(0)  # writable, and nobody else's memory
    assert torch.equal(dict(unpack_weights(manifest, buckets))["norm"], torch.ones(7, dtype=torch.bfloat16))
    assert manifest.num_bytes == sum(bucket.nbytes for bucket in buckets)


def test_buckets_fill_up_to_their_size_by_hand():
    named = {name: torch.zeros(size, dtype=torch.uint8) for name, size in [("a", 4), ("b", 6), ("c", 1), ("d", 30)]}
    manifest, buckets = pack(named, bucket_bytes=10)
    assert [bucket.nbytes for bucket in buckets] == [10, 1, 30]
    assert [(e.name, e.bucket, e.offset, e.nbytes) for e in manifest.entries] == [
        ("a", 0, 0, 4),
        ("b", 0, 4, 6),
        ("c", 1, 0, 1),
        ("d", 2, 0, 30),
    ]


def test_the_packed_copy_does_not_follow_the_weights():
    weight = torch.zeros(3)
    manifest, buckets = pack({"weight": weight})
    weight += 1.0
    assert torch.equal(dict(unpack_weights(manifest, buckets))["weight"], torch.zeros(3))


def test_damage_names_the_tensor():
    manifest, buckets = pack(tensors())
    for entry in manifest.entries:
        flipped = [bucket.copy() for bucket in buckets]
        flipped[entry.bucket][entry.offset + entry.nbytes - 1] ^= 1
        with pytest.raises(WeightSyncError, match=f"weights 3: tensor {entry.name} arrived damaged"):
            list(unpack_weights(manifest, flipped))


def test_what_is_missing_names_the_tensor():
    manifest, buckets = pack(tensors())
    in_last = [entry.name for entry in manifest.entries if entry.bucket == len(buckets) - 1]
    with pytest.raises(WeightSyncError, match=f"tensor {in_last[0]} did not arrive"):
        list(unpack_weights(manifest, buckets[:-1]))
    with pytest.raises(WeightSyncError, match=f"tensor {in_last[-1]} did not arrive"):
        list(unpack_weights(manifest, [*buckets[:-1], buckets[-1][:-1]]))
    with pytest.raises(WeightSyncError, match="tensor embed did not arrive"):
        list(unpack_weights(manifest, []))


@pytest.mark.parametrize(
    "change", [{"name": "lm_head"}, {"shape": (5, 6)}, {"dtype": "int32"}, {"sha256": "0" * 64}], ids=str
)
def test_an_altered_manifest_is_refused(change):
    manifest, buckets = pack(tensors())
    first, *rest = manifest.entries
    altered = dataclasses.replace(manifest, entries=(dataclasses.replace(first, **change), *rest))
    fewer = dataclasses.replace(manifest, entries=tuple(rest))
    for wrong in (altered, fewer):
        with pytest.raises(WeightSyncError, match="the manifest does not match its own checksum"):
            list(unpack_weights(wrong, buckets))


def test_the_checksum_is_of_the_weights_and_not_of_their_packing():
    expected = sha256(tensors())
    assert sha256(tensors(), bucket_bytes=10**6) == expected
    assert sha256(reversed(tensors().items())) == expected
    assert describe_weights(tensors().items(), version=3, kind="full", probe=PROBE).sha256 == expected


def test_the_checksum_covers_name_type_shape_and_bytes():
    weight = torch.tensor([[1.0, 2.0]])
    variants = [
        {"a": weight},
        {"b": weight},
        {"a": weight.view(torch.int32)},
        {"a": weight.T},
        {"a": weight.flip(1)},
        {"a": weight, "b": weight},
    ]
    assert len({sha256(variant) for variant in variants}) == len(variants)


def test_the_probe_is_answered_within_its_tolerance():
    manifest, _ = pack(tensors())
    answer = PROBE.logprobs.copy()
    answer[1, 2] += 5e-4
    answer[:, 0] = np.nan  # column 0 has no prefix and is nobody's business
    assert check_probe(manifest, answer) == pytest.approx(5e-4, rel=1e-3)


@pytest.mark.parametrize("wrong", [-0.998, -1.002, np.nan, np.inf, -np.inf])
def test_a_wrong_answer_is_refused(wrong):
    manifest, _ = pack(tensors())
    answer = PROBE.logprobs.copy()
    answer[1, 3] = wrong
    with pytest.raises(WeightSyncError, match=r"weights 3: the engine's log-probs differ .*\(allowed 0.001\)"):
        check_probe(manifest, answer)


def test_resident_tensors_are_compared_where_they_are_kept_as_published():
    manifest, _ = pack(tensors())
    check_resident(manifest, tensors())
    check_resident(manifest, {})  # an engine may keep every weight in a form of its own
    check_resident(manifest, {"embed": torch.zeros(5, 6), "norm": torch.zeros(7), "other": torch.zeros(1)})
    with pytest.raises(WeightSyncError, match="weights 3: tensor embed in the engine is not the published one"):
        check_resident(manifest, {"embed": tensors()["embed"] + 1e-3})


def test_probe_tokens_are_always_the_same_and_span_the_vocabulary():
    tokens = probe_tokens(512, 256)
    assert (tokens.shape, tokens.dtype) == (PROBE_SHAPE, np.int32)
    assert np.array_equal(tokens, probe_tokens(512, 100))
    assert tokens.min() >= 0
    assert 500 < tokens.max() < 512
    assert probe_tokens(512, 10).shape == (4, 9)  # the engine must be able to add a token
