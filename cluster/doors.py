"""Doors of this machine that stand open: a token that others can read, a dashboard that asks nobody who he is."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from cluster.tokens import DEFAULT_PORT, SecurityError, answers_without_token, has_token, is_loopback


@dataclass(frozen=True, slots=True)
class Doors:
    """`token`: whether there is one, or what is wrong with it. `open_dashboards`: addresses, reachable from elsewhere,
    at which anybody may run code.
    """

    token: bool | str
    open_dashboards: tuple[str, ...]


def find_doors(environment: Mapping[str, str], home: Path) -> Doors:
    try:
        token: bool | str = has_token(environment, home)
    except SecurityError as error:
        token = str(error)
    return Doors(token, tuple(address for address in _dashboards() if _is_open(address)))


def _dashboards() -> list[str]:
    """Where this machine takes jobs from others; empty where it does not let us look."""
    try:
        sockets = psutil.net_connections("tcp")
    except (psutil.AccessDenied, OSError):
        return []
    hosts = {s.laddr.ip for s in sockets if s.status == psutil.CONN_LISTEN and s.laddr.port == DEFAULT_PORT}
    return [
        f"http://[{host}]:{DEFAULT_PORT}" if ":" in host else f"http://{host}:{DEFAULT_PORT}" for host in sorted(hosts)
    ]


def _is_open(address: str) -> bool:
    host = address.removeprefix("http://").rpartition(":")[0].strip("[]")
    try:
        return not is_loopback(host) and answers_without_token(address)
    except OSError:  # no HTTP, so no dashboard
        return False
