"""The engine without a model: answers by weights, seed and prompt alone, and times by the profile."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.samples import Sample, SampleRequest
from models.scoring import ScoreRequest
from models.simulated import (
    Profile,
    SimulatedEngine,
    SimulationError,
    SimulationSettings,
    read_profile,
)
from models.weights import Manifest, Probe, WeightSyncError, pack_weights

END = 0
PROFILE = Profile(answer_lengths=(1.0, 20.0), prompt_seconds=1.0, token_seconds=0.5, spread=(1.0,))
SETTINGS = SimulationSettings(PROFILE, tokens=tuple(range(1, 64)), stop_token_ids=(END,), max_num_seqs=4)
NO_PROBE = Probe(np.zeros((0, 0), np.int32), np.zeros((0, 0), np.float32), 0.0)


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def published(version: int) -> tuple[Manifest, list[np.ndarray]]:
    return pack_weights([("w", torch.full((3,), float(version)))], version=version, kind="full", probe=NO_PROBE)


def engine(settings: SimulationSettings = SETTINGS, clock: Clock | None = None, *, version: int = 0) -> SimulatedEngine:
    clock = clock or Clock()
    made = SimulatedEngine(settings, clock=clock, sleep=clock.sleep)
    made.load(*published(version))
    return made


def ask(number: int, **changes: object) -> SampleRequest:
    return replace(SampleRequest(id=str(number), prompt=[7, 8, number], max_tokens=50, seed=number), **changes)


def finish(engine: SimulatedEngine, *requests: SampleRequest) -> dict[str, Sample]:
    for request in requests:
        engine.add(request)
    done: dict[str, Sample] = {}
    while engine.num_unfinished:
        done.update((sample.id, sample) for sample in engine.step())
    return done


def tokens(samples: dict[str, Sample]) -> dict[str, list[int]]:
    return {name: sample.tokens.tolist() for name, sample in sorted(samples.items())}


REQUESTS = [ask(number) for number in range(12)]


def test_answers_depend_on_what_is_asked_and_not_on_who_answers_when() -> None:
    together = tokens(finish(engine(), *REQUESTS))
    alone = {name: answer for request in REQUESTS for name, answer in tokens(finish(engine(), request)).items()}
    slow = tokens(finish(engine(replace(SETTINGS, time_scale=1.0)), *reversed(REQUESTS)))
    assert together == dict(sorted(alone.items())) == slow
    assert len(set(map(tuple, together.values()))) > 8


@pytest.mark.parametrize("other", [ask(3, seed=99), ask(3, prompt=[7, 8])])
def test_another_seed_or_prompt_gets_another_answer(other: SampleRequest) -> None:
    assert tokens(finish(engine(), ask(3))) != tokens(finish(engine(), other))


def test_other_weights_give_other_answers_and_the_same_weights_the_same() -> None:
    first, again, other = (tokens(finish(engine(version=version), *REQUESTS)) for version in (0, 0, 1))
    assert first == again != other


def test_greedy_answers_have_no_seed() -> None:
    assert tokens(finish(engine(), ask(3, greedy=True))) == tokens(finish(engine(), ask(3, greedy=True, seed=99)))


def test_every_answer_ends_with_its_first_stop_token_or_at_its_limit() -> None:
    for sample in finish(engine(), *(ask(number, max_tokens=10) for number in range(40))).values():
        assert sample.finish == ("stop" if sample.tokens[-1] == END else "length")
        assert END not in sample.tokens[:-1]
        assert len(sample.tokens) == 10 or sample.finish == "stop"
        assert len(sample.tokens) == len(sample.logprobs) == len(sample.versions)


def test_the_request_may_name_more_tokens_to_stop_at() -> None:
    stops = (*range(1, 32),)
    plain = finish(engine(), *REQUESTS)
    for name, sample in finish(engine(), *(replace(r, stop_token_ids=stops) for r in REQUESTS)).items():
        before = plain[name].tokens.tolist()
        first = next(index for index, token in enumerate(before) if token in (END, *stops))
        assert sample.tokens.tolist() == before[: first + 1]
        assert sample.finish == "stop"


def test_lengths_are_those_of_the_profile() -> None:
    lengths = [len(sample.tokens) for sample in finish(engine(), *map(ask, range(2000))).values()]
    assert (min(lengths), max(lengths)) == (1, 20)
    assert abs(float(np.mean(lengths)) - 10.5) < 0.5


def test_an_answer_takes_the_time_of_the_profile() -> None:
    clock = Clock()
    sample = finish(engine(replace(SETTINGS, time_scale=2.0), clock), ask(3))["3"]
    assert clock.now == pytest.approx(2.0 * (1.0 + 0.5 * len(sample.tokens)))


def test_no_more_answers_at_once_than_there_is_room_for() -> None:
    one = replace(SETTINGS, profile=replace(PROFILE, answer_lengths=(4.0,)), time_scale=1.0)  # 3 seconds an answer
    for max_num_seqs, seconds in ((12, 3.0), (4, 9.0), (1, 36.0)):
        clock = Clock()
        finish(engine(replace(one, max_num_seqs=max_num_seqs), clock), *REQUESTS)
        assert clock.now == pytest.approx(seconds, abs=0.1)


def test_what_was_written_stays_when_new_weights_come() -> None:
    clock = Clock()
    subject = engine(replace(SETTINGS, time_scale=1.0), clock)
    request = next(request for request in REQUESTS if len(finish(engine(), request)[request.id].tokens) > 10)
    before = finish(engine(), request)[request.id].tokens.tolist()
    subject.add(request)
    clock.sleep((1.0 + 0.5 * len(before)) / 2)
    subject.load(*published(1))
    sample = finish(subject)[request.id]
    kept = sample.versions.tolist().count(0)
    assert kept == len(before) // 2
    assert sample.tokens[:kept].tolist() == before[:kept]
    assert sample.versions.tolist() == [0] * kept + [1] * (len(sample.tokens) - kept)
    assert len(sample.tokens) <= request.max_tokens


def test_aborted_requests_never_come_and_make_room() -> None:
    subject = engine(replace(SETTINGS, time_scale=1.0, max_num_seqs=2))
    for request in REQUESTS[:6]:
        subject.add(request)
    subject.abort(["0", "5"])
    assert finish(subject).keys() == {"1", "2", "3", "4"}


def test_nothing_is_said_without_verified_weights() -> None:
    with pytest.raises(WeightSyncError, match="load a published version first"):
        SimulatedEngine(SETTINGS).add(ask(0))
    subject, (manifest, buckets) = engine(), published(1)
    buckets[0][3] ^= 1
    with pytest.raises(WeightSyncError, match="tensor w arrived damaged"):
        subject.load(manifest, buckets)
    with pytest.raises(WeightSyncError, match="load a published version first"):
        subject.add(ask(0))


def test_what_takes_a_model_is_refused() -> None:
    subject = engine()
    with pytest.raises(SimulationError, match="no text more probable"):
        subject.add_score(ScoreRequest("s", (1,), ((2,), (3,))))
    with pytest.raises(SimulationError, match="no modules: 'math'"):
        subject.add(ask(0, module="math"))
    with pytest.raises(SimulationError, match="takes the time of another one"):
        subject.time_tokens([ask(0)], 1)
    with pytest.raises(SimulationError, match="no GPU"):
        subject.join_transfer({})


def test_a_profile_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    path.write_text(json.dumps(asdict(PROFILE)))
    assert read_profile(path) == PROFILE
    for text in ("{", "{}", "[]", '{"answer_lengths": ["long"]}'):
        path.write_text(text)
        with pytest.raises(SimulationError, match=r"profile\.json is no profile"):
            read_profile(path)
