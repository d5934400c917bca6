"""What a job takes along: the code of this installation, and the files of the user's own that the recipe names.

Small on purpose. Data and models do not travel: they lie where all nodes see them, under absolute paths.
"""

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from cluster.memory import GIB
from rl.pipeline import files_of, models_of
from rl.places import holds_password, is_url
from rl.rows import find_files
from rl.stage_config import StageConfig

ROOT = Path(__file__).parents[1]
FLOORS = ("cluster", "rl", "models", "rewards", "envs")
EXCLUDED = ("__pycache__", "*.pyc", "*.png", ".*")
MAX_BYTES = 32 * 1024**2
MIB = GIB // 1024


class PackageError(ValueError):
    """What cannot be sent along with a job."""


@dataclass(frozen=True, slots=True)
class Package:
    """`files`: name inside the package -> where it lies here. `left_out`: files that match `EXCLUDED`, by pattern."""

    files: Mapping[str, Path]
    left_out: Mapping[str, int]

    @property
    def num_bytes(self) -> int:
        return sum(path.stat().st_size for path in self.files.values())

    def describe(self) -> str:
        left_out = ", ".join(f"{count} {pattern}" for pattern, count in self.left_out.items() if count)
        text = f"package: {len(self.files)} files, {self.num_bytes / MIB:.1f} MiB"
        return f"{text}; left out: {left_out}" if left_out else text

    def write(self, folder: Path) -> None:
        for name, path in self.files.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def pack(own: Mapping[str, Path], *, root: Path = ROOT, max_bytes: int = MAX_BYTES) -> Package:
    """The floors of the installation at `root`, and `own` files. Raises PackageError where they are too much."""
    files, left_out = {}, dict.fromkeys(EXCLUDED, 0)
    for path in sorted(path for floor in FLOORS for path in (root / floor).rglob("*") if path.is_file()):
        name = path.relative_to(root)
        pattern = next((p for part in name.parts for p in EXCLUDED if fnmatch(part, p)), None)
        if pattern is None:
            files[name.as_posix()] = path
        else:
            left_out[pattern] += 1
    package = Package({**files, **own}, left_out)
    if package.num_bytes > max_bytes:
        largest = sorted(package.files.items(), key=lambda item: -item[1].stat().st_size)[:3]
        names = ", ".join(f"{name} {path.stat().st_size / MIB:.1f} MiB" for name, path in largest)
        raise PackageError(
            f"a job may take {max_bytes / MIB:.0f} MiB along, and this would be {package.num_bytes / MIB:.1f} MiB (the "
            f"largest: {names}); put large files where all nodes see them, and name them by absolute paths"
        )
    return package


def own_files(configs: Iterable[StageConfig]) -> dict[str, Path]:
    """Files that recipes name by relative paths. Raises PackageError, or `DataFileError` where one is missing."""
    found: dict[str, Path] = {}
    for pattern in (pattern for config in configs for pattern in files_of(config)):
        if Path(pattern).is_absolute():
            continue
        if ".." in PurePosixPath(pattern).parts:
            raise PackageError(f"{pattern}: a file that travels with a job must lie below this folder; copy it here")
        found |= {path.as_posix(): path for path in find_files(pattern)}
    return found


def require_shared(config: StageConfig, place: str) -> None:
    """Raises PackageError where a folder is named that a job would look for in vain. `place` is that of the run or the
    pipeline.
    """
    folder = config.run.folder
    if holds_password(place):
        raise PackageError("run.folder: its password would be saved with the job and shown; take it out of the URL")
    if not is_url(place) and not Path(folder).is_absolute():
        raise PackageError(
            f"run.folder = {folder}: a job's own folder goes when it ends; name an absolute one that all nodes "
            "see, such as run.folder=/shared/runs, or a URL"
        )
    for field, name in models_of(config).items():
        if name and not Path(name).is_absolute() and Path(name).is_dir():
            raise PackageError(f"{field} = {name}: models do not travel; name an absolute folder that all nodes see")
