"""Dialogs as token ids: token in, token out, append-only.

A chat template renders whole dialogs as text, and rendering a dialog again after each turn re-tokenises what the policy
wrote. So its fixed parts are taken out once, by rendering a dialog of placeholders, and a dialog grows by appending
ids: `open` + answer + `reply` + answer + ... The answers are the sampled ids, untouched, so the action mask is exact.

Nothing inside a user's text can act as a control token. A tokenizer without a template (a base model) gets plain text.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from jinja2 import TemplateError
from transformers import PreTrainedTokenizerBase

from models.tokenizer import ModelError

# What stands between two contents of a template: ids of control tokens, and the plain text around them.
Piece = tuple[int | str, ...]

# Placeholders for contents: plain words that no template looks for, trims or changes.
QUESTIONS, ANSWERS, SYSTEM = ("QuestionA", "QuestionB", "QuestionC"), ("AnswerA", "AnswerB"), "SystemText"

NUM_CACHED = 1024  # texts whose ids are kept: all samples of a prompt are asked the same, one after the other


@dataclass(frozen=True, slots=True)
class ChatFormat:
    """How dialogs look to one tokenizer. Build it with `chat_format`.

    Example: with the project's own tokenizer `open("hi")` is the ids of `<|user|>hi<|end|><|assistant|>`, and
    `reply("more", answer_ended=True)` those of `<|user|>more<|end|><|assistant|>`.

    Attributes:
        opening: before the first question of a dialog without a system text.
        system_opening: before the system text, and between it and the first question.
        header: after a question, up to where the answer starts.
        ending: closes an answer that the policy left open.
        follow: after a closed answer, up to the next question.
        stop_token_ids: any of them ends an answer; the first is the format's own.
        controls: matches where the name of a control token begins: the special tokens and all that the format uses.
    """

    tokenizer: PreTrainedTokenizerBase
    opening: Piece
    system_opening: tuple[Piece, Piece]
    header: Piece
    ending: tuple[int, ...]
    follow: Piece
    stop_token_ids: tuple[int, ...]
    controls: re.Pattern[str]
    _ids: dict[str, tuple[int, ...]] = field(default_factory=dict, repr=False, compare=False)

    def open(self, question: str, system: str | None = None) -> list[int]:
        """Ids of the first prompt, up to where the policy must write."""
        if system is None:
            return self._encode((*self.opening, *self._said(question), *self.header))
        before, after = self.system_opening
        return self._encode((*before, *self._said(system), *after, *self._said(question), *self.header))

    def reply(self, question: str, *, answer_ended: bool) -> list[int]:
        """Ids to append after the policy's answer, up to where it must write again.

        `answer_ended`: the answer's last id is a stop token, so the format need not close it.
        """
        prompt = self._encode((*self.follow, *self._said(question), *self.header))
        return prompt if answer_ended else [*self.ending, *prompt]

    def answer(self, text: str) -> list[int]:
        """Ids of an answer that somebody else wrote, ended as the policy must end its own."""
        return [*self._encode(self._said(text)), self.stop_token_ids[0]]

    def insert(self, text: str) -> list[int]:
        """Ids of a text within an answer that the policy reads and does not write: the output of a tool."""
        return self._encode(self._said(text))

    def render(
        self, turns: Sequence[tuple[str, str]], system: str | None = None, inserts: re.Pattern[str] | None = None
    ) -> tuple[list[int], list[bool]]:
        """Ids and action mask of a written dialog of (question, answer) turns, for supervised fine-tuning. What
        `inserts` matches in an answer is context, tokenised by itself as in a sampled dialog.
        """
        tokens: list[int] = []
        mask: list[bool] = []

        def append(ids: list[int], *, is_action: bool) -> None:
            tokens.extend(ids)
            mask.extend([is_action] * len(ids))

        for number, (question, answer) in enumerate(turns):
            prompt = self.reply(question, answer_ended=True) if number else self.open(question, system)
            append(prompt, is_action=False)
            start = 0
            for insert in inserts.finditer(answer) if inserts else ():
                append(self.insert(answer[start : insert.start()]), is_action=True)
                append(self.insert(insert[0]), is_action=False)
                start = insert.end()
            append(self.answer(answer[start:]), is_action=True)
        return tokens, mask

    def decode(self, answer_ids: Sequence[int]) -> str:
        """The text of an answer, without special tokens."""
        return self.tokenizer.decode(answer_ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)

    def _said(self, text: str) -> list[str | None]:
        """`text` cut (None) after the first character of every control token's name, so that it cannot act as one."""
        cuts = [match.start() + 1 for match in self.controls.finditer(text)]
        pieces = [text[start:end] for start, end in pairwise([0, *cuts, len(text)])]
        return [part for piece in pieces for part in (piece, None)][:-1]

    def _encode(self, parts: Iterable[int | str | None]) -> list[int]:
        """Ids of `parts`. Adjacent texts, a template's words and a user's, are encoded as one, as if never cut out of
        the template: control tokens split a text anyway.
        """
        ids: list[int] = []
        text = ""
        for part in (*parts, None):
            if isinstance(part, str):
                text += part
                continue
            if text:
                ids += self._token_ids(text)
                text = ""
            if part is not None:
                ids.append(part)
        return ids

    def _token_ids(self, text: str) -> tuple[int, ...]:
        """The tokenizer's answer, which costs more than all else in a turn, or what it said before."""
        if text not in self._ids:
            if len(self._ids) >= NUM_CACHED:
                self._ids.clear()
            self._ids[text] = tuple(self.tokenizer(text, add_special_tokens=False)["input_ids"])
        return self._ids[text]


def chat_format(tokenizer: PreTrainedTokenizerBase) -> ChatFormat:
    """The format of `tokenizer`: its chat template's, or plain text where it has none.

    Raises ModelError for a template that cannot be cut into pieces, and for a tokenizer without any end token.
    """
    return _template_format(tokenizer) if tokenizer.chat_template else _plain_format(tokenizer)


def _plain_format(tokenizer: PreTrainedTokenizerBase) -> ChatFormat:
    """Questions as they are, turns joined by a newline, after the start token if the tokenizer adds one."""
    bos = tokenizer.bos_token_id
    start = (bos,) if bos is not None and tokenizer("")["input_ids"][:1] == [bos] else ()
    return ChatFormat(
        tokenizer,
        opening=start,
        system_opening=(start, ("\n",)),
        header=(),
        ending=(),
        follow=("\n",),
        stop_token_ids=(_end_token(tokenizer),),
        controls=_begins(_control_tokens(tokenizer)),
    )


def _template_format(tokenizer: PreTrainedTokenizerBase) -> ChatFormat:
    """Cut the template at its contents. The cuts must not depend on how many turns there are."""
    q1, q2, q3 = QUESTIONS
    a1, a2 = ANSWERS
    opening, header = _cut(_render(tokenizer, q1), q1)
    _, shown_header, between, last_header = _cut(_render(tokenizer, q1, a1, q2), q1, a1, q2)
    *_, later_between, _ = _cut(_render(tokenizer, q1, a1, q2, a2, q3), q1, a1, q2, a2, q3)
    # The prompt may say more than the history shows of it (an opened <think>), and what was said stays said. White
    # space before an answer is the policy's to write.
    if last_header != header or later_between != between or not header.rstrip().startswith(shown_header.rstrip()):
        raise ModelError(
            f"{_name(tokenizer)}: its chat template renders turns differently as a dialog grows, so dialogs cannot be"
            " appended to; set tokenizer.chat_template to one that adds turns at the end"
        )
    before_system, after_system = _system_opening(tokenizer, opening)
    controls = _control_tokens(tokenizer, used_in=opening + before_system + after_system + between + header)
    # the first control token after an answer ends it; a template without one leaves that to the tokenizer's end token
    closing = _split(between, controls)
    position = next((i for i, part in enumerate(closing) if isinstance(part, int)), None)
    ending = () if position is None else (closing[position],)
    stops = [*ending, *([] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id])] or [_end_token(tokenizer)]
    return ChatFormat(
        tokenizer,
        opening=_split(opening, controls),
        system_opening=(_split(before_system, controls), _split(after_system, controls)),
        header=_split(header, controls),
        ending=ending,
        follow=closing if position is None else closing[position + 1 :],
        stop_token_ids=tuple(dict.fromkeys(stops)),
        controls=_begins(controls),
    )


def _system_opening(tokenizer: PreTrainedTokenizerBase, opening: str) -> tuple[str, str]:
    """What stands before and after a system text. Templates without a system role get it in front of the question."""
    try:
        text = _render(tokenizer, QUESTIONS[0], system=SYSTEM)
    except TemplateError:
        return opening, "\n\n"
    if text.count(SYSTEM) != 1:
        return opening, "\n\n"
    before, after, _ = _cut(text, SYSTEM, QUESTIONS[0])
    return before, after


def _render(tokenizer: PreTrainedTokenizerBase, *contents: str, system: str | None = None) -> str:
    """The template's text for questions and answers in turn, up to where the assistant must write."""
    messages = [{"role": ("user", "assistant")[i % 2], "content": content} for i, content in enumerate(contents)]
    if system is not None:
        messages.insert(0, {"role": "system", "content": system})
    # Llama 3 templates print today's date unless told; a prompt must not depend on the day. This is their own default.
    return tokenizer.apply_chat_template(
        messages, tokenize=False, add_generation_prompt=True, date_string="26 Jul 2024"
    )


def _cut(text: str, *contents: str) -> list[str]:
    """The pieces of `text` around `contents`, each of which must stand in it once, in this order."""
    pieces = []
    for content in contents:
        if text.count(content) != 1:
            raise ModelError(f"the chat template does not show each message once, in order: {text!r}")
        before, _, text = text.partition(content)
        pieces.append(before)
    return [*pieces, text]


def _control_tokens(tokenizer: PreTrainedTokenizerBase, used_in: str = "") -> dict[str, int]:
    """Ids by name of the special tokens and, as some tokenizers forget to call theirs special, of all that a template
    uses. White space and words such as `<table>`, which may be added tokens too, remain text.
    """
    added = {str(token): (index, token.special) for index, token in tokenizer.added_tokens_decoder.items()}
    return {name: index for name, (index, special) in added.items() if special or (name.strip() and name in used_in)}


def _split(text: str, controls: dict[str, int]) -> Piece:
    """`text` with its control tokens as ids."""
    return tuple(controls.get(part, part) for part in re.split(f"({_any_of(controls)})", text) if part)


def _begins(controls: dict[str, int]) -> re.Pattern[str]:
    return re.compile(f"(?={_any_of(controls)})")


def _any_of(names: Iterable[str]) -> str:
    """A pattern of any of `names`, longest first; of none of them, one that never matches."""
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)) or "(?!)"


def _end_token(tokenizer: PreTrainedTokenizerBase) -> int:
    if tokenizer.eos_token_id is None:
        raise ModelError(f"{_name(tokenizer)} has no end token: set tokenizer.eos_token")
    return tokenizer.eos_token_id


def _name(tokenizer: PreTrainedTokenizerBase) -> str:
    return f"tokenizer {tokenizer.name_or_path or 'in memory'!r}"
