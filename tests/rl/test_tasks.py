"""What a recipe says about tasks, as what a run asks."""

from pathlib import Path

import pytest

from envs.library import ScenarioError, build_library
from envs.load import Load
from envs.query_fit import fit
from envs.query_log import Query
from envs.query_report import recipe
from rl.load_config import RECIPES, ConfigError, load_config
from rl.tasks import build_arrival, build_load, build_tasks, rehearse
from tests.rl.fakes import small_config


def test_without_arrivals_the_mixture_is_the_recipes() -> None:
    config = small_config()
    assert build_arrival(config) is None
    (line,) = build_tasks(config)[1]
    assert (line.scenario, line.weight, line.languages, line.levels) == ("arithmetic-dialog", 1.0, ("en",), (0,))


def test_arrivals_of_the_recipe_weigh_all_that_a_line_stands_for() -> None:
    config = small_config(
        "tasks.mix=[{scenario: 'domain:arithmetic', languages: [de, en]}]",
        "tasks.arrival={enabled: true, zipf_exponent: 1.0, mean_session_length: 2.5, languages: {en: 3.0}}",
    )
    library, mix = build_tasks(config)
    assert [line.scenario for line in mix] == [s.name for s in library.scenarios if s.domain == "arithmetic"]
    assert [line.weight / mix[0].weight for line in mix] == pytest.approx([1 / rank for rank in range(1, len(mix) + 1)])
    assert sum(line.weight for line in mix) == pytest.approx(1.0)
    assert {line.languages for line in mix} == {("en",)}
    arrival = build_arrival(config)
    assert arrival is not None
    assert (arrival.zipf_exponent, arrival.mean_session_length, arrival.num_users) == (1.0, 2.5, 1000)
    with pytest.raises(ScenarioError, match="unknown domain 'arithmetics'"):
        build_tasks(small_config("tasks.mix=[{scenario: 'domain:arithmetics'}]"))


def test_the_load_is_the_recipes() -> None:
    load = "{requests_per_second: 3.0, amplitude: 0.5, bursts_per_period: 2, burst_factor: 4.0}"
    assert build_load(small_config(f"tasks.arrival.load={load}")) == Load(
        3.0, amplitude=0.5, bursts_per_period=2, burst_factor=4.0
    )
    with pytest.raises(ConfigError, match=r"tasks\.arrival\.load\.amplitude = 1\.5"):
        small_config("tasks.arrival.load.amplitude=1.5")
    with pytest.raises(ConfigError, match=r"burst_seconds = 60\.0: must be at most period_seconds = 5"):
        small_config("tasks.arrival.load={period_seconds: 5.0, bursts_per_period: 1}")


def test_a_fitted_recipe_loads(tmp_path: Path) -> None:
    """With all of a log's own words: a language that YAML might take for false, a topic that is nobody's."""
    topics = ("arithmetic-dialog", "arithmetic-dialog", "translation", 'word problems: "x"')
    queries = [Query(9e4 * i, str(i // 6), topics[i % 4], ("en", "no")[i % 2]) for i in range(24)]
    library = build_library()
    smoke = (RECIPES / "r1_zero_smoke.yaml").read_text()
    head, _, rest = smoke.partition("tasks:")
    section = recipe(fit(queries, library), library)
    (tmp_path / "mine.yaml").write_text(f"{head}{section}\n{rest[rest.index('rollout:') :]}")
    config = load_config(str(tmp_path / "mine.yaml"))
    _, mix = build_tasks(config)
    assert mix[0].scenario == "arithmetic-dialog"
    assert {library.find(line.scenario).domain for line in mix} == {"arithmetic", "translation"}
    assert config.tasks.arrival.domains == {"arithmetic": 0.5, "translation": 0.25}
    assert {code for line in mix for code in line.languages} <= {"en", "no"}


def test_model_users_need_a_scenario_that_can_be_played() -> None:
    played = small_config("rollout.model_users=true", "tasks.mix=[{scenario: shared-goal}, {scenario: arithmetic}]")
    assert len(build_tasks(played)[1]) == 2
    with pytest.raises(ScenarioError, match=r"rollout\.model_users: no scenario of tasks\.mix .* shared-goal"):
        build_tasks(small_config("rollout.model_users=true"))


TEA = """
from envs.task import Question
from envs.users import SimulatedUser

class Thirsty:
    def brief(self):
        return Question("Ask for tea.", "Tea?")

    def ask(self, words):
        return Question(words, "Yes.")

    def tell(self, answer):
        return None

class Tea:
    name, domain, languages, num_levels = "tea", "my", ("en",), 1

    def size(self, language, level):
        return None

    def dialog(self, task):
        return SimulatedUser([Question("Tea?", "Yes.")])

    def verify(self, transcript):
        return 1.0

    def played(self, task):
        return Thirsty()

    def verify_user(self, transcript):
        return 1.0

SCENARIOS = [Tea()]
"""


@pytest.mark.parametrize(
    ("method", "cause"),
    [
        ("played(self, task)", "played"),
        ("brief(self)", "played"),
        ("ask(self, words)", "played"),
        ("tell(self, answer)", "played"),
        ("verify_user(self, transcript)", "judged"),
    ],
)
def test_a_users_part_that_raises_is_named_before_the_start(method: str, cause: str, tmp_path: Path) -> None:
    text = TEA.replace(f"def {method}:", f"def {method}:\n        raise LookupError('no tea')")
    assert text != TEA
    path = tmp_path / "tea.py"
    path.write_text(text)
    played = ("tasks.mix=[{scenario: tea}]", f"tasks.files=[{path}]")
    line = text[: text.index("raise")].count("\n") + 1
    with pytest.raises(
        ScenarioError, match=rf"^tea/en/0/0 cannot be {cause}: LookupError: no tea \(tea\.py, line {line}\)$"
    ):
        rehearse(small_config(*played, "rollout.model_users=true"))
    rehearse(small_config(*played))  # nobody plays the user


def test_a_users_part_that_is_sound_can_be_rehearsed(tmp_path: Path) -> None:
    path = tmp_path / "tea.py"
    path.write_text(TEA)
    rehearse(small_config("tasks.mix=[{scenario: tea}]", f"tasks.files=[{path}]", "rollout.model_users=true"))
