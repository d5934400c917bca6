"""One dialog in the making: who speaks next, and what each role has read and written so far.

A role sees a dialog as a chat of its own, in which all that the others say is its prompt. Where a program plays the
user there is one such chat; where a model does, there are two, and each becomes a trajectory.
"""

from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from envs.calls import Call
from envs.task import Dialog, FinishReason, PlayedDialog, Question, ToolUse, Turn
from models.samples import Sample
from rl.trajectory import EpisodeRequest, Role, Trajectory


@dataclass(frozen=True, slots=True)
class Cue:
    """Who is to speak next, and what they read before they do."""

    role: Role
    question: Question


class Conversation(Protocol):
    """A dialog as a series of cues; single-use."""

    def open(self) -> Cue: ...

    def reply(self, role: Role, words: str) -> Cue | None:
        """What follows these words of the role that had the cue; None ends the dialog."""
        ...


class OneSided:
    """A dialog with a program, in which the policy has one role."""

    def __init__(self, dialog: Dialog, role: Role) -> None:
        self._dialog, self._role = dialog, role

    def open(self) -> Cue:
        return Cue(self._role, self._dialog.open())

    def reply(self, role: Role, words: str) -> Cue | None:
        question = self._dialog.reply(words)
        return None if question is None else Cue(role, question)


class TwoSided:
    """A dialog of a user and an assistant who are both models. The user speaks first."""

    def __init__(self, dialog: PlayedDialog) -> None:
        self._dialog = dialog

    def open(self) -> Cue:
        return Cue("user", self._dialog.brief())

    def reply(self, role: Role, words: str) -> Cue | None:
        if role == "user":
            listener: Role = "assistant"
            question = self._dialog.ask(words)
        else:
            listener = "user"
            question = self._dialog.tell(words)
        return None if question is None else Cue(listener, question)


@dataclass
class Draft:
    """An answer in the making, in as many samples as its calls of tools ask for.

    Attributes:
        text: up to the last output of a tool, calls left out.
        tail: the tokens since then.
        num_samples, num_tokens: sampled so far; outputs are not.
    """

    text: str = ""
    tail: list[int] = field(default_factory=list)
    tool_uses: list[ToolUse] = field(default_factory=list)
    num_samples: int = 0
    num_tokens: int = 0


@dataclass
class Side:
    """What one role read and wrote."""

    request: EpisodeRequest
    question: Question | None = None
    draft: Draft = field(default_factory=Draft)
    tokens: list[int] = field(default_factory=list)
    action_mask: list[bool] = field(default_factory=list)
    logprobs: list[np.ndarray] = field(default_factory=list)
    versions: list[np.ndarray] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    turn_ends: list[int] = field(default_factory=list)
    module: str = ""  # that says what comes next
    modules: list[str] = field(default_factory=list)

    @property
    def is_cut_off(self) -> bool:
        """Whether its last answer was, so that it has a future that nobody saw."""
        return bool(self.turns) and self.turns[-1].finish == "length"

    @property
    def sample_seed(self) -> int:
        return self.request.turn_seed(len(self.turns), self.draft.num_samples)

    def read(self, question: Question, prompt: list[int]) -> None:
        """Append what the other side said."""
        self.question = question
        self._append_context(prompt)

    def write(self, sample: Sample) -> None:
        """Append what this role wrote: its answer, or the next part of it."""
        self.tokens += sample.tokens.tolist()
        self.action_mask += [True] * len(sample.tokens)
        self.logprobs.append(sample.logprobs)
        self.versions.append(sample.versions)
        self.draft.tail += sample.tokens.tolist()
        self.draft.num_samples += 1
        self.draft.num_tokens += len(sample.tokens)

    def read_output(self, call: Call, output: str, tokens: list[int]) -> None:
        """Append what a tool gave for the call that the draft's tail ends in: context, as if somebody had said it."""
        draft = self.draft
        draft.text += call.before
        draft.tool_uses.append(ToolUse(call.tool, call.expression, output, len(draft.text)))
        draft.text += call.after
        draft.tail = []
        self._append_context(tokens)

    def end_turn(self, tail: str, finish: FinishReason) -> Turn:
        """Make a turn of the draft; `tail` is the text of the draft's tail."""
        assert self.question is not None
        draft, self.draft = self.draft, Draft()
        self.turns.append(Turn(self.question, draft.text + tail, finish, draft.num_tokens, tuple(draft.tool_uses)))
        self.turn_ends.append(len(self.tokens) - 1 if draft.num_tokens else -1)
        self.modules.append(self.module)
        return self.turns[-1]

    def _append_context(self, tokens: list[int]) -> None:
        self.tokens += tokens
        self.action_mask += [False] * len(tokens)
        self.logprobs.append(np.zeros(len(tokens), np.float32))
        self.versions.append(np.full(len(tokens), -1, np.int32))

    def finish(self, *, cut: bool, worker: str, seconds: float) -> Trajectory:
        """The side up to its last answer; what it never answered is left out. Empty if it never spoke.

        `cut`: a budget ended the dialog, which has a future that nobody saw.
        """
        end = max(self.turn_ends, default=-1) + 1
        return Trajectory(
            request=self.request,
            tokens=np.asarray(self.tokens[:end], np.int32),
            action_mask=np.asarray(self.action_mask[:end], bool),
            logprobs=np.concatenate([np.zeros(0, np.float32), *self.logprobs])[:end],
            versions=np.concatenate([np.zeros(0, np.int32), *self.versions])[:end],
            turns=tuple(self.turns),
            turn_ends=np.asarray(self.turn_ends, np.int32),
            status="truncated" if cut or self.is_cut_off else "ok",
            worker=worker,
            seconds=seconds,
            modules=tuple(self.modules) if any(self.modules) else (),
        )


class Episode:
    """A conversation with its sides; one of them is the `speaker`, whose words come next."""

    def __init__(self, request: EpisodeRequest, conversation: Conversation, started: float) -> None:
        self.request, self.conversation, self.started = request, conversation, started
        self._sides = {request.role: Side(request)}
        self.speaker = self._sides[request.role]

    @property
    def main(self) -> Side:
        """The side that was asked for."""
        return self._sides[self.request.role]

    def side(self, role: Role) -> Side:
        if role not in self._sides:
            self._sides[role] = Side(replace(self.request, role=role))
        return self._sides[role]

    def finish(self, *, cut: bool, worker: str, now: float) -> Trajectory:
        """All that was said, the user's side within the assistant's. `cut`: a budget ended the dialog, for both."""
        seconds = now - self.started
        trajectory = self.main.finish(cut=cut, worker=worker, seconds=seconds)
        for side in self._sides.values():
            if side is not self.main:
                trajectory = replace(trajectory, user=side.finish(cut=cut, worker=worker, seconds=seconds))
        return trajectory
