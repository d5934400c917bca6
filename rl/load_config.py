"""From a recipe and the command line to a `Config`: YAML <- dotted overrides <- types <- checks across fields.

Nothing is repaired in silence. What is wrong comes back in one `ConfigError` that lists every mistake with the file (or
"override"), the dotted field, its value, and what is allowed.
"""

import difflib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from rl.check_config import check
from rl.config import Config
from rl.files import write_whole

RECIPES = Path(__file__).parent / "recipes"
# dimension names hold dots: what follows is one key
FREE_KEYS = ("rewards.weights.", "rewards.transforms.", "preferences.weights.")


C = TypeVar("C", bound=BaseModel)


class ConfigError(ValueError):
    """A configuration that cannot be run; the message is for the user."""


def load_config(recipe: str, overrides: Sequence[str] = ()) -> Config:
    """The config of `recipe`, a name out of `recipes()` or the path of a YAML file, with `overrides` on top.

    Example: `load_config("r1_zero", ["ppo.clip_ratio=0.1", "tasks.mix.0.levels=[0, 1]"])`
    """
    path = find_recipe(recipe)
    data = read_recipe(path)
    if "stages" in data:
        raise ConfigError(f"{path}: is a pipeline of stages, not one run; `zero2one train {recipe}` runs it")
    keys = [apply_override(data, item) for item in overrides]
    run = data.setdefault("run", {})
    if isinstance(run, dict) and not run.get("name"):
        run["name"] = path.stem
    config, problems = parse(Config, data, check)
    if config is None:
        raise ConfigError("\n".join(f"{source_of(key, keys, path)}: {problem}" for key, problem in problems))
    return config


def parse(
    kind: type[C], data: Mapping[str, Any], check: Callable[[C], Iterable[tuple[str, str]]]
) -> tuple[C | None, list[tuple[str, str]]]:
    """`data` as a config; or None, and each wrong dotted field with what is wrong about it."""
    try:
        # as JSON, because pydantic's strict mode then takes lists for tuples, and still refuses "5" or true for 5
        config = kind.model_validate_json(json.dumps(data, default=str), strict=True)
    except ValidationError as error:
        return None, list(_explain(kind, error.errors()))
    problems = [(key, f"{key} = {_value(config, key)!r}: {cause}") for key, cause in check(config)]
    return (None if problems else config), problems


def save_config(config: BaseModel, path: Path) -> None:
    """Write every field, defaults included: `load_config(str(path))` gives an equal config."""
    text = yaml.dump(config.model_dump(mode="json"), Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    write_whole(path, text.encode())


def recipes() -> dict[str, str]:
    """Name and one-line description (the first line, a comment) of every built-in recipe."""
    return {
        path.stem: path.read_text("utf-8").partition("\n")[0].lstrip("# ") for path in sorted(RECIPES.glob("*.yaml"))
    }


def find_recipe(recipe: str) -> Path:
    if recipe.endswith((".yaml", ".yml")):
        return Path(recipe)
    if recipe not in recipes():
        hint = did_you_mean(recipe, recipes())
        raise ConfigError(f"no recipe {recipe!r}{hint or '.'} Built in: {', '.join(recipes())}; or give a .yaml file")
    return RECIPES / f"{recipe}.yaml"


def _scalars() -> dict[str, Any]:
    """How YAML 1.2 reads plain words. PyYAML's own 1.1 reads the language `no` as false, and 1e-5 as text."""
    types = (
        ("null", r"~|null|", ["~", "n", ""]),
        ("bool", r"true|false", ["t", "f"]),
        ("int", r"[-+]?(0|[1-9][0-9]*)", [*"+-0123456789"]),
        ("float", r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?", [*"+-.0123456789"]),
    )
    resolvers: dict[str, Any] = {}
    for name, pattern, first_letters in types:
        for letter in first_letters:
            resolvers.setdefault(letter, []).append((f"tag:yaml.org,2002:{name}", re.compile(f"^(?:{pattern})$")))
    return resolvers


class _Loader(yaml.SafeLoader):
    """Refuses a key that is given twice, where PyYAML takes the last."""

    yaml_implicit_resolvers = _scalars()

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [key.value for key, _ in node.value]
        for index, (key, _) in enumerate(node.value):
            if names[index] in names[:index]:
                raise yaml.MarkedYAMLError(problem=f"key {names[index]!r} is given twice", problem_mark=key.start_mark)
        return super().construct_mapping(node, deep)


class _Dumper(yaml.SafeDumper):
    """Quotes whatever `_Loader` would not read back as text."""

    yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers


def read_recipe(path: Path) -> dict[str, Any]:
    try:
        data = yaml.load(path.read_text("utf-8"), _Loader)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}{_where(error)}") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: must hold sections such as `ppo:`, not {data!r}")
    return data


def _where(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f", line {error.problem_mark.line + 1}: {error.problem}"
    return f": {error}"


def apply_override(data: dict[str, Any], override: str) -> str:
    """Put `section.field=value` into `data`; returns its dotted key."""
    key, equals, text = (part.strip() for part in override.partition("="))
    if not key or not equals:
        raise ConfigError(f"override {override!r}: must look like section.field=value, for example ppo.clip_ratio=0.1")
    try:
        value = yaml.load(text, _Loader) if text else ""
    except yaml.YAMLError as error:
        raise ConfigError(f"override {override!r}: the value is not YAML{_where(error)}") from error
    free = next((key[: key.index(free) + len(free)] for free in FREE_KEYS if free in key), "")
    *parents, last = [*free.split(".")[:-1], key.removeprefix(free)] if free else key.split(".")
    place: Any = data
    for parent in parents:
        place = place.setdefault(parent, {}) if isinstance(place, dict) else _item(place, parent, override)
    if isinstance(place, dict):
        place[last] = value
    else:
        _item(place, last, override)
        place[int(last)] = value
    return key


def _item(place: Any, index: str, override: str) -> Any:
    if not isinstance(place, list):
        raise ConfigError(f"override {override!r}: {index!r} is inside a plain value, {place!r}")
    if not index.isdecimal() or int(index) >= len(place):
        raise ConfigError(f"override {override!r}: {index!r} is no position of a list of {len(place)} (0 is the first)")
    return place[int(index)]


def source_of(key: str, overridden: Iterable[str], path: Path) -> str:
    """Where a wrong value was written: the override may name the field itself, what holds it, or a part of it."""
    is_override = any(f"{key}.".startswith(f"{other}.") or f"{other}.".startswith(f"{key}.") for other in overridden)
    return "override" if is_override else str(path)


def _value(config: BaseModel, key: str) -> object:
    value: Any = config.model_dump(mode="json")
    for name in key.split("."):
        value = value[name]
    return value


def _explain(kind: type[BaseModel], errors: Sequence[ErrorDetails]) -> Iterator[tuple[str, str]]:
    """The dotted field and the message of pydantic's errors, without those that only follow from an error inside."""
    inner = {error["loc"][:length] for error in errors for length in range(len(error["loc"]))}
    for error in errors:
        if error["loc"] in inner:
            continue
        key, value = ".".join(map(str, error["loc"])), error["input"]
        match error["type"]:
            case "missing":
                yield key, f"{key} is missing"
            case "extra_forbidden":
                yield key, f"{key}: unknown key{did_you_mean(key, _known_keys(kind))}"
            case "model_type":
                yield key, f"{key} = {value!r}: must be a section with fields of its own"
            case _:
                yield key, f"{key} = {value!r}: {error['msg'].removeprefix('Input ')}"


def _known_keys(section: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in section.model_fields.items():
        key = prefix + name
        yield key
        for kind, inside in ((field.annotation, key), *((item, f"{key}.0") for item in get_args(field.annotation))):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from _known_keys(kind, f"{inside}.")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The nearest known word, if any is near; the right field of another section comes first."""
    names = list(known)
    same_field = [name for name in names if name.rpartition(".")[2] == word.rpartition(".")[2]]
    nearest = [*same_field, *difflib.get_close_matches(word, names, n=1)]
    return f", did you mean {nearest[0]}?" if nearest else ""
