"""What the built-in recipes promise beyond loading, see `test_load_config.py` for that."""

from envs.library import Library
from envs.mix import MixLine
from envs.task import Question, Task
from models.chat import chat_format
from models.tokenizer import train_tokenizer
from rl import build
from rl.load_config import load_config
from rl.tasks import build_scorer, build_tasks

WORLD = "r1_zero_world"


def dialogs(library: Library, line: MixLine, language: str) -> list[list[Question]]:
    """All that a line asks in a language, its openings in order."""
    size = library.find(line.scenario).size(language, 0)
    assert size is not None
    return [library.questions(Task(line.scenario, language, 0, seed), max_turns=2) for seed in range(size)]


def test_the_world_is_of_many_families_domains_and_languages() -> None:
    library, mix = build_tasks(load_config(WORLD))
    assert len({line.scenario for line in mix}) >= 5
    assert len({library.find(line.scenario).domain for line in mix}) >= 3
    assert len(set.intersection(*(set(line.languages) for line in mix if len(line.languages) > 1))) >= 3
    assert {level for line in mix for level in line.levels} == {0}


def test_the_world_pays_for_success_and_leads_there() -> None:
    config = load_config(WORLD)
    assert config.rewards.weights["task.success"] > 0
    assert len(build_scorer(config).dimensions) == len(config.rewards.weights) > 1


def test_in_the_world_an_answer_is_one_token_and_every_dialog_fits() -> None:
    config = load_config(WORLD)
    tokenizer = train_tokenizer(
        build._dialog_texts(config), vocab_size=config.model.vocab_size, all_bytes=False, word_tokens=True
    )
    chat, rollout = chat_format(tokenizer), config.rollout
    library, mix = build_tasks(config)
    for line in mix:
        for language in line.languages:
            for questions in dialogs(library, line, language):
                answers = [tokenizer(question.demonstration)["input_ids"] for question in questions]
                assert all(len(answer) == 1 and answer != [tokenizer.unk_token_id] for answer in answers)
                opening, *others = [question.text for question in questions]
                first = chat.open(opening)
                later = [token for text in others for token in chat.reply(text, answer_ended=False)]
                assert tokenizer.unk_token_id not in first + later
                assert len(first) <= rollout.max_prompt_length
                assert len(first) + len(later) + len(questions) * rollout.max_response_length <= config.model.max_length
