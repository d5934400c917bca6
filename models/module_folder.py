"""A module: a capability as a folder, an adapter over one base. Made by a stage of training or by merging others.

    reasoning/
      adapter_config.json, adapter_model.safetensors    the adapter, in peft's layout
      probe.safetensors    token sequences, and the log-probs that base and adapter give them: what an engine is asked
      module.json          what it is, with the SHA-256 of the other files and of the base's weights; written last

A module works with the base that it was trained beside and with no other, so it names the base by its weights. The
probe is stored and not made anew where it is needed, for an engine's process then needs no second copy of the base.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError
from safetensors.numpy import load_file, save_file

from models.lora import CONFIG, WEIGHTS, Adapter, ModuleError, combine_adapters, load_lora, read_adapter, write_adapter
from models.policy import load_policy
from models.publish import PROBE_TOLERANCE, probe_policy
from models.weights import Manifest, Probe, pack_weights, weights_sha256

MANIFEST, PROBE = "module.json", "probe.safetensors"
FILES = (CONFIG, WEIGHTS, PROBE)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class About(BaseModel):
    """What those who made a module say of it.

    Attributes:
        name: also that of its folder.
        domains, scenarios: what it was trained on.
        rewards: dimension -> weight of what it was trained by; none where it imitates.
        recipe: the whole configuration of its training.
        metrics: how well it did there, by the names of the run's report.
        merged_from: module -> weight, where it is a sum of others.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    domains: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()
    rewards: dict[str, float] = {}
    recipe: dict[str, JsonValue] = {}
    metrics: dict[str, float] = {}
    merged_from: dict[str, float] = {}


class ModuleManifest(About):
    """The content of `module.json`.

    Attributes:
        base: where the base lay when the module was made, seen from the module's folder.
        base_sha256: of the base's weights, as in the `Manifest` of a publication of them.
        files: name -> SHA-256.
    """

    format: Literal[1] = 1
    base: str
    base_sha256: str
    dtype: Literal["float32", "bfloat16"]
    rank: int
    alpha: float
    target_modules: tuple[str, ...]
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class Module:
    """A module whose files have just been verified."""

    folder: Path
    manifest: ModuleManifest

    @property
    def base(self) -> Path:
        """Where its base lay; whether it is still the same, `base_sha256` tells."""
        return (self.folder / self.manifest.base).resolve()

    def publication(self) -> tuple[Manifest, list[np.ndarray]]:
        """The adapter as an engine takes it, see `Sampler.load_module`."""
        arrays = load_file(self.folder / PROBE)
        tolerance = PROBE_TOLERANCE[getattr(torch, self.manifest.dtype)]
        probe = Probe(arrays["tokens"], arrays["logprobs"], tolerance)
        tensors = read_adapter(self.folder).tensors
        return pack_weights(sorted(tensors.items()), version=0, kind="adapter", probe=probe)


def write_module(folder: Path, adapter: Adapter, *, base: Path, dtype: torch.dtype, about: About) -> Module:
    """Make `folder`, in the place of any module that was there. Raises ModelError where the base does not load or has
    other layers.
    """
    unfinished = folder.with_name(f".{folder.name}.writing")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    write_adapter(unfinished, adapter)
    policy = load_policy(base, dtype=dtype)
    sha256 = weights_sha256(policy.named_parameters())
    probe = probe_policy(load_lora(policy, unfinished), policy.config.get_text_config().max_position_embeddings)
    save_file({"tokens": probe.tokens, "logprobs": probe.logprobs}, unfinished / PROBE)
    manifest = ModuleManifest(
        **about.model_dump(),
        base=os.path.relpath(base, folder),
        base_sha256=sha256,
        dtype="bfloat16" if dtype == torch.bfloat16 else "float32",
        rank=adapter.rank,
        alpha=adapter.alpha,
        target_modules=adapter.target_modules,
        files={name: _sha256(unfinished / name) for name in FILES},
    )
    (unfinished / MANIFEST).write_text(manifest.model_dump_json(indent=1) + "\n", encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)
    return Module(folder, manifest)


def read_module(folder: Path) -> Module:
    """Raises ModuleError that names the file which is missing or has changed."""
    try:
        manifest = ModuleManifest.model_validate_json((folder / MANIFEST).read_bytes())
    except OSError as error:
        raise ModuleError(f"{folder} is no module: {MANIFEST} cannot be read ({error.strerror})") from error
    except ValidationError as error:
        raise ModuleError(f"{folder / MANIFEST} is not that of a module: {error}") from error
    for name in FILES:
        if not (folder / name).is_file():
            raise ModuleError(f"module {manifest.name!r}: {folder / name} is missing")
        if _sha256(folder / name) != manifest.files.get(name):
            raise ModuleError(f"module {manifest.name!r}: {folder / name} has changed since it was written")
    return Module(folder, manifest)


def list_modules(folder: Path) -> list[Module]:
    """Those in `folder`, by name. Raises ModuleError where one is damaged, or there is none."""
    modules = [read_module(path.parent) for path in sorted(folder.glob(f"*/{MANIFEST}"))]
    if not modules:
        raise ModuleError(f"{folder} holds no modules, folders with a {MANIFEST}")
    return modules


def common_base(modules: Sequence[Module]) -> Path:
    """The folder of the base that all share. Raises ModuleError that names those which do not."""
    first = modules[0]
    for module in modules[1:]:
        if module.manifest.base_sha256 != first.manifest.base_sha256:
            raise ModuleError(
                f"modules {first.manifest.name!r} and {module.manifest.name!r} are of two bases, {first.base} "
                f"({first.manifest.base_sha256[:12]}) and {module.base} ({module.manifest.base_sha256[:12]})"
            )
    if not first.base.is_dir():
        raise ModuleError(f"module {first.manifest.name!r}: its base {first.base} is not there")
    return first.base


def check_base(module: Module, sha256: str, where: str) -> None:
    """Raises ModuleError unless the weights at hand, of this SHA-256, are those of the module's base."""
    if module.manifest.base_sha256 != sha256:
        raise ModuleError(
            f"module {module.manifest.name!r} belongs to the base {module.base} ({module.manifest.base_sha256[:12]}); "
            f"{where} is another one ({sha256[:12]})"
        )


def merge_modules(modules: Mapping[str, float], folder: Path, name: str) -> Module:
    """A module `name` in `folder` that is the weighted sum of others there: weights by name. Raises ModuleError."""
    if not NAME.fullmatch(name):
        raise ModuleError(f"a module cannot be called {name!r}: use letters, digits, '.', '_' and '-'")
    if (folder / name).exists():
        raise ModuleError(f"{folder / name} exists already; remove it, or choose another name")
    parts = [(read_module(folder / part), weight) for part, weight in modules.items()]
    base, dtype = common_base([module for module, _ in parts]), getattr(torch, parts[0][0].manifest.dtype)
    check_base(parts[0][0], weights_sha256(load_policy(base, dtype=dtype).named_parameters()), str(base))
    manifests = [module.manifest for module, _ in parts]
    about = About(
        name=name,
        domains=_union(manifest.domains for manifest in manifests),
        scenarios=_union(manifest.scenarios for manifest in manifests),
        merged_from=dict(modules),
    )
    adapter = combine_adapters([(read_adapter(module.folder), weight) for module, weight in parts])
    return write_module(folder / name, adapter, base=base, dtype=dtype, about=about)


def _union(texts: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for part in texts for text in part))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
