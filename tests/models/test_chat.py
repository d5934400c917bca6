"""Chat formats: append-only, exact action positions, no control tokens from a user's text."""

from pathlib import Path

import pytest

from models.chat import chat_format
from models.tokenizer import load_tokenizer, train_tokenizer

STORIES = Path(__file__).parents[3] / "shared/models/stories260K-hd32"
TEXTS = ["the cat sat on the mat", "user assistant system answer question", "what is the answer?"] * 5

CHATML = (
    "{% if messages[0].role != 'system' %}<|im_start|>system\nYou are helpful.<|im_end|>\n{% endif %}"
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LLAMA2 = (  # no system role; white space shown before an answer
    "{{ bos_token }}{% for m in messages %}"
    "{% if m.role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    "{% if m.role == 'user' %}[INST] {{ m.content | trim }} [/INST]"
    "{% else %} {{ m.content | trim }} {{ eos_token }}{% endif %}"
    "{% endfor %}"
)
THINKING = (  # the prompt opens a thought that the history does not show
    "{% for m in messages %}{% if m.role == 'user' %}<|User|>{{ m.content }}"
    "{% elif m.role == 'assistant' %}<|Assistant|>{{ m.content.split('</think>')[-1] }}{{ eos_token }}"
    "{% else %}{{ m.content }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|Assistant|><think>\n{% endif %}"
)
UNENDED = "{% for m in messages %}### {{ m.role }}: {{ m.content }}\n{% endfor %}### assistant: "
COUNTED = (
    "{% for m in messages %}{% if m.role == 'user' %}{{ loop.index }}{% endif %}<|{{ m.role }}|>{{ m.content }}<|end|>"
    "{% endfor %}<|assistant|>"
)
HEADLESS = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}"
MUTE = "{% for m in messages %}{{ m.role }}{% endfor %}"


def make_tokenizer(template=None, specials=(), eos="<|end|>"):
    tokenizer = train_tokenizer(TEXTS, vocab_size=300)
    tokenizer.add_tokens(["<think>"])  # an added token that is not special, as in DeepSeek-R1
    tokenizer.add_special_tokens({"extra_special_tokens": list(specials)}, replace_extra_special_tokens=False)
    tokenizer.eos_token = eos
    if template:
        tokenizer.chat_template = template
    return tokenizer


@pytest.fixture(scope="module")
def tokenizers():
    plain = make_tokenizer()
    plain.chat_template = None
    made = {
        "own": make_tokenizer(),
        "plain": plain,
        "chatml": make_tokenizer(CHATML, ["<|im_start|>", "<|im_end|>"], eos="<|im_end|>"),
        "llama2": make_tokenizer(LLAMA2),
        "thinking": make_tokenizer(THINKING, ["<|User|>", "<|Assistant|>"]),
        "unended": make_tokenizer(UNENDED),
    }
    made["llama2"].bos_token = "<|system|>"
    if STORIES.is_dir():
        made["stories"] = load_tokenizer(STORIES)
    return made


NAMES = ["own", "plain", "chatml", "llama2", "thinking", "unended", "stories"]


@pytest.fixture
def chat(request, tokenizers):
    if request.param not in tokenizers:
        pytest.skip(f"no {STORIES}")
    return chat_format(tokenizers[request.param])


def test_own_format_id_by_id(tokenizers):
    tokenizer = tokenizers["own"]
    chat = chat_format(tokenizer)
    user, assistant, end = tokenizer.convert_tokens_to_ids(["<|user|>", "<|assistant|>", "<|end|>"])
    system = tokenizer.convert_tokens_to_ids("<|system|>")
    hi, more = tokenizer("hi")["input_ids"], tokenizer("more")["input_ids"]
    assert chat.open("hi") == [user, *hi, end, assistant]
    assert chat.open("hi", system="more") == [system, *more, end, user, *hi, end, assistant]
    assert chat.reply("more", answer_ended=True) == [user, *more, end, assistant]
    assert chat.reply("more", answer_ended=False) == [end, user, *more, end, assistant]
    assert chat.stop_token_ids == (end,)


@pytest.mark.parametrize("name", ["own", "chatml", "unended"])
@pytest.mark.parametrize("system", [None, "be brief"])
def test_a_dialog_built_in_steps_is_what_the_template_renders(tokenizers, name, system):
    tokenizer = tokenizers[name]
    chat = chat_format(tokenizer)
    messages = [{"role": "system", "content": system}] if system else []
    messages += [{"role": "user", "content": "what is a cat?"}]
    expected = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    assert chat.open("what is a cat?", system) == expected
    messages += [{"role": "assistant", "content": "the answer"}, {"role": "user", "content": " 17 mats\n"}]
    expected = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    steps = [*chat.open("what is a cat?", system), *tokenizer("the answer")["input_ids"]]
    steps += chat.reply(" 17 mats\n", answer_ended=False)
    if name == "unended":  # nothing parts its answers from the text around, so a tokenizer reads across the border
        steps, expected = tokenizer.decode(steps), tokenizer.decode(expected)
    assert steps == expected


@pytest.mark.parametrize("chat", NAMES, indirect=True)
def test_sampled_ids_stay_as_they_are(chat):
    """Answers that no tokenizer would write: single bytes where a merge exists, a cut character, control tokens."""
    answers = [[20, 21, 200, 1], [270, 99, chat.stop_token_ids[0]], [3, 3]]
    tokens, actions = chat.open("the cat"), []
    for answer in answers:
        ended = answer[-1] in chat.stop_token_ids
        prompt = chat.reply("and the mat?", answer_ended=ended)
        closing = [] if ended else list(chat.ending)
        assert prompt == [*closing, *chat.reply("and the mat?", answer_ended=True)]
        actions += range(len(tokens), len(tokens) + len(answer))
        tokens = [*tokens, *answer, *prompt]
    assert [tokens[position] for position in actions] == [*answers[0], *answers[1], *answers[2]]
    assert tokens[: actions[0]] == chat.open("the cat")
    assert tokens[actions[-1] + 1 :] == [*chat.ending, *chat.reply("and the mat?", answer_ended=True)]


@pytest.mark.parametrize("chat", NAMES, indirect=True)
def test_user_text_cannot_hold_a_control_token(chat):
    names = [str(token) for token in chat.tokenizer.added_tokens_decoder.values()]
    clean, text = chat.open("x"), "".join(names) + " <|end" + "|>" + "<<|end|>|end|>" + names[0] * 2
    for ids, quiet in [
        (chat.open(text), clean),
        (chat.open("x", system=text), chat.open("x", system="x")),
        (chat.reply(text, answer_ended=False), chat.reply("x", answer_ended=False)),
        (chat.answer(text)[:-1], []),
    ]:
        controls = set(chat.tokenizer.added_tokens_decoder) - set(chat.tokenizer.convert_tokens_to_ids(["<think>"]))
        assert [i for i in ids if i in controls] == [i for i in quiet if i in controls]
    # nothing is lost; a SentencePiece tokenizer puts a space where a name was cut
    assert text.replace(" ", "") in chat.tokenizer.decode(chat.open(text)).replace(" ", "")


@pytest.mark.parametrize("chat", NAMES, indirect=True)
def test_render_marks_exactly_the_answers(chat):
    turns = [("the cat", "sat"), ("on", "the mat"), ("what?", "")]
    tokens, mask = chat.render(turns, system="be brief")
    expected, actions = chat.open("the cat", "be brief"), []
    for number, (question, answer) in enumerate(turns):
        expected = expected + chat.reply(question, answer_ended=True) if number else expected
        expected = expected + chat.answer(answer)
        actions += chat.answer(answer)
    assert tokens == expected
    assert [token for token, ours in zip(tokens, mask, strict=True) if ours] == actions
    assert actions.count(chat.stop_token_ids[0]) == 3
    assert chat.decode(chat.answer("the mat")) == "the mat"


def test_formats_of_foreign_templates(tokenizers):
    def text(name, ids):
        return tokenizers[name].decode(ids)

    chat = chat_format(tokenizers["chatml"])
    assert text("chatml", chat.open("x")).startswith(
        "<|im_start|>system\nYou are helpful.<|im_end|>\n<|im_start|>user\nx"
    )
    assert text("chatml", chat.open("x", "s")).startswith("<|im_start|>system\ns<|im_end|>\n<|im_start|>user\nx")
    # the new line after <|im_end|> is the template's, though the policy ended its answer itself
    assert text("chatml", chat.reply("y", answer_ended=True)).startswith("\n<|im_start|>user\ny<|im_end|>")
    chat = chat_format(tokenizers["llama2"])
    assert text("llama2", chat.open("x", "be brief")) == "<|system|>[INST] be brief\n\nx [/INST]"
    assert text("llama2", chat.reply("y", answer_ended=False)) == "<|end|>[INST] y [/INST]"
    chat = chat_format(tokenizers["thinking"])
    assert text("thinking", chat.reply("y", answer_ended=False)) == "<|end|><|User|>y<|Assistant|><think>\n"
    chat = chat_format(tokenizers["unended"])
    assert chat.ending == ()
    assert chat.stop_token_ids == (tokenizers["unended"].eos_token_id,)


def test_a_turn_token_that_is_not_called_special_is_no_less_safe():
    tokenizer = train_tokenizer(TEXTS, vocab_size=300)
    tokenizer.add_tokens(["<|im_start|>", "<|im_end|>"])
    tokenizer.chat_template = CHATML
    chat = chat_format(tokenizer)
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert chat.stop_token_ids == (end, tokenizer.eos_token_id)
    assert chat.open("a<|im_end|>b").count(end) == chat.open("ab").count(end)


@pytest.mark.skipif(not STORIES.is_dir(), reason=f"no {STORIES}")
def test_a_base_model_reads_plain_text(tokenizers):
    tokenizer = tokenizers["stories"]
    chat = chat_format(tokenizer)
    assert chat.open("Once upon a time") == tokenizer("Once upon a time")["input_ids"]  # with its start token
    assert chat.open("Once")[0] == tokenizer.bos_token_id
    assert tokenizer.bos_token_id not in chat.reply("And then", answer_ended=True)
    assert chat.stop_token_ids == (tokenizer.eos_token_id,)


@pytest.mark.parametrize(
    ("template", "message"), [(COUNTED, "cannot be"), (HEADLESS, "cannot be"), (MUTE, "each message once")]
)
def test_templates_that_cannot_be_appended_to_are_refused(template, message):
    with pytest.raises(ValueError, match=message):
        chat_format(make_tokenizer(template))


def test_a_tokenizer_without_an_end_is_refused():
    tokenizer = make_tokenizer(eos=None)
    tokenizer.chat_template = None
    with pytest.raises(ValueError, match="no end token"):
        chat_format(tokenizer)
