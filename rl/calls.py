"""Calls of tools within an answer, as a rollout worker meets them: where sampling stops, what runs, what is read back.

A sample ends at any token that may close a call, and goes on where it did not: no token is taken back, so what was
sampled is what is trained on, with any tokenizer. Lengths: `rollout.max_response_length` counts what the policy wrote
in the turn, its calls too; outputs count in `model.max_length` alone.
"""

from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass

from envs.calls import Call, CallRunner, ToolName, announcement, closing, find_call
from envs.task import ERROR
from models.chat import ChatFormat
from models.tokenizer import tokens_that_end
from rl.episode import Episode, Side


@dataclass(frozen=True, slots=True)
class CallRules:
    """Which tools there are, and how much a turn may use of them.

    Attributes:
        max_calls: in a turn. The next call reads an error, and those after it are not seen as calls.
        max_output_tokens: of an output without its marks. A longer result becomes an error: its first digits would be
            another number.
        timeout_seconds: of processor time, for a call.
    """

    tools: tuple[ToolName, ...] = ()
    max_calls: int = 4
    max_output_tokens: int = 64
    timeout_seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class _Pending:
    episode: Episode
    call: Call
    output: Future[str]


class Calls:
    """The calls of all dialogs of a worker. Only the assistant has tools.

    Example: `Calls(chat, CallRules(("calculator",)))`
    """

    def __init__(self, chat: ChatFormat, rules: CallRules) -> None:
        self._chat, self._rules = chat, rules
        self._runner = CallRunner(rules.tools, rules.timeout_seconds)
        self._stops = tokens_that_end(chat.tokenizer, [closing(tool) for tool in rules.tools]) if rules.tools else ()
        self._pending: dict[str, _Pending] = {}

    def __contains__(self, key: str) -> bool:
        """Whether the side with this id waits for an output."""
        return key in self._pending

    def system(self, side: Side) -> str | None:
        """What a side is told before its first question."""
        return announcement(self._rules.tools) if self._has_tools(side) else None

    def stop_token_ids(self, side: Side) -> tuple[int, ...]:
        """At which tokens the next sample of a side stops, besides those that end the answer."""
        seen = self._has_tools(side) and len(side.draft.tool_uses) <= self._rules.max_calls
        return self._stops if seen else ()

    def start(self, episode: Episode) -> bool:
        """Carry out the call that the speaker's draft ends in, if it ends in one."""
        side = episode.speaker
        call = find_call(self._chat.decode(side.draft.tail), self._rules.tools)
        if call is None:
            return False
        if len(side.draft.tool_uses) < self._rules.max_calls:
            output = self._runner.run(call.tool, call.expression)
        else:
            output = Future()
            output.set_result(f"{ERROR}no calls are left")
        self._pending[side.request.id] = _Pending(episode, call, output)
        return True

    def finished(self, max_seconds: float) -> list[tuple[Episode, Call, Future[str]]]:
        """The calls that have ended, after waiting for one at most so long. An output may be an exception."""
        if not self._pending:
            return []
        wait([pending.output for pending in self._pending.values()], max_seconds, FIRST_COMPLETED)
        ended = [key for key, pending in self._pending.items() if pending.output.done()]
        return [(p.episode, p.call, p.output) for p in map(self._pending.pop, ended)]

    def drop(self, key: str) -> None:
        """Forget the call of a side whose dialog has ended; nobody reads its output."""
        del self._pending[key]

    def tokens_of(self, output: str) -> tuple[str, list[int]]:
        """An output as the policy reads it, and the ids of that with its marks."""
        limit = self._rules.max_output_tokens
        if self._length(output) > limit and not output.startswith(ERROR):
            output = f"{ERROR}the result is too long"
        while self._length(output) > limit:  # an error says enough by its beginning
            output = output[:-1]
        return output, self._chat.insert(f"<out>{output}</out>")

    def _length(self, output: str) -> int:
        return len(self._chat.insert(output))

    def _has_tools(self, side: Side) -> bool:
        return bool(self._rules.tools) and side.request.role == "assistant"
