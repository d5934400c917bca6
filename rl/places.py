"""Where runs live: in a folder, or at a URL of any filesystem that pyarrow or fsspec reaches.

A run whose folder is a URL works in a local one, and `rl/mirror.py` copies what is complete from there to the URL.
"""

import hashlib
import re
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_ODD = re.compile(r"[^A-Za-z0-9]+")


class PlaceError(ValueError):
    """A URL that cannot be reached or used, or that holds something else than what is asked for."""


def is_url(folder: str) -> bool:
    return _SCHEME.match(folder) is not None


def holds_password(folder: str) -> bool:
    """Whether a URL has one in it: it would be saved with the run, and printed."""
    return is_url(folder) and urlsplit(folder).password is not None


def working_folder(folder: str, cache: str) -> Path:
    """Where runs in `folder` work: there, or for a URL in a folder of its own inside `cache`."""
    if not is_url(folder):
        return Path(folder)
    readable = _ODD.sub("-", folder.partition("?")[0]).strip("-")[:60]
    return Path(cache) / f"{readable}-{hashlib.sha256(folder.encode()).hexdigest()[:8]}"


def join(url: str, name: str) -> str:
    """The URL of `name` inside the folder `url`, whose options stay at the end."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{name}"))


def split(url: str) -> tuple[str, str]:
    """The folder and the name of a run. Raises PlaceError where there is no name.

    Example: `split("s3://bucket/runs/r1?region=eu")` is `("s3://bucket/runs?region=eu", "r1")`
    """
    parts = urlsplit(url)
    folder, _, name = parts.path.rstrip("/").rpartition("/")
    if not name or name == "..":
        raise PlaceError(f"{url} names no run: write its folder and its name, such as s3://bucket/runs/r1_zero")
    return urlunsplit(parts._replace(path=folder)), name
