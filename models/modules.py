"""The modules of one running engine: listed, loaded, swapped and unloaded while it serves, without a restart."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from models.module_folder import Module, ModuleManifest, check_base, read_module
from models.weights import Manifest


class ModuleEngine(Protocol):
    """What `EngineModules` needs of `models.sampler.Sampler`."""

    @property
    def base_sha256(self) -> str | None: ...

    def load_module(self, name: str, manifest: Manifest, buckets: Sequence[np.ndarray], *, alpha: float) -> float: ...

    def unload_module(self, name: str) -> None: ...


class EngineModules:
    """Example: `modules = EngineModules(sampler); modules.load(folder / "math"); modules.unload("math")`"""

    def __init__(self, engine: ModuleEngine) -> None:
        self._engine = engine
        self._loaded: dict[str, Module] = {}

    def list(self) -> list[ModuleManifest]:
        """Those that are loaded, in the order of loading."""
        return [module.manifest for module in self._loaded.values()]

    def load(self, folder: Path) -> float:
        """Serve the module in `folder` under its name, in the place of one that has it. Requests under way go on.
        Returns the largest log-prob difference between the engine and the network that wrote the module's probe.

        Raises:
            ModuleError: it is damaged, of another base, or there is no room for it.
            WeightSyncError: the engine does not compute with it what it should.
        """
        module = read_module(folder)
        check_base(module, self._engine.base_sha256 or "", "the base in the engine")
        name = module.manifest.name
        gap = self._engine.load_module(name, *module.publication(), alpha=module.manifest.alpha)
        self._loaded[name] = module
        return gap

    def unload(self, name: str) -> None:
        """Raises ModuleError where it is not loaded, or requests of it are under way."""
        self._engine.unload_module(name)
        del self._loaded[name]

    def serve(self, folders: Sequence[Path]) -> None:
        """Make these the modules that are loaded: what is there already, to the byte, stays as it is."""
        wanted = {module.manifest.name: module for module in map(read_module, folders)}
        for name in self._loaded.keys() - wanted.keys():
            self.unload(name)
        for name, module in wanted.items():
            if name not in self._loaded or self._loaded[name].manifest.files != module.manifest.files:
                self.load(module.folder)
