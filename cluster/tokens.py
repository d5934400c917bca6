"""Who may talk to a cluster: it asks for a token, we have one, and nobody else can read it.

Whoever holds the token of a Ray cluster can run anything on it, and so can everybody where it asks for none. Ray takes
the token from RAY_AUTH_TOKEN, from the file that RAY_AUTH_TOKEN_PATH names, or from ~/.ray/auth_token. It is not shown.
"""

import http.client
import ipaddress
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

DEFAULT_PORT = 8265
TIMEOUT_SECONDS = 10.0


class SecurityError(ValueError):
    """What would let others in, or let us in where nobody is asked who he is."""


def has_token(environment: Mapping[str, str], home: Path) -> bool:
    """Whether there is one. Raises SecurityError where its file is open to others, or is named and not there."""
    if environment.get("RAY_AUTH_TOKEN"):
        return True
    named = environment.get("RAY_AUTH_TOKEN_PATH")
    path = Path(named) if named else home / ".ray" / "auth_token"
    if not path.exists():
        if named:
            raise SecurityError(f"RAY_AUTH_TOKEN_PATH = {named}: there is no such file")
        return False
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SecurityError(f"the token in {path} can be read by others: chmod 600 {path}, and make a new one")
    return True


def keep_token(environment: Mapping[str, str], home: Path) -> None:
    """Make a token in ~/.ray where there is none, and let nobody else read it: Ray would write it for everybody."""
    path = home / ".ray" / "auth_token"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.parent.chmod(0o700)
    if path.exists():
        path.chmod(0o600)
    elif not (environment.get("RAY_AUTH_TOKEN") or environment.get("RAY_AUTH_TOKEN_PATH")):
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))


def require_closed(address: str) -> None:
    """Raises SecurityError where the dashboard, beyond this machine, answers anybody, or where we lack a token."""
    url = urlsplit(address)
    present = has_token(os.environ, Path.home())
    if is_loopback(url.hostname or ""):
        return
    if not present:
        raise SecurityError(
            f"{address}: a cluster beyond this machine must ask for a token, and there is none here; set "
            "RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH to the cluster's"
        )
    if answers_without_token(address):
        raise SecurityError(
            f"{address} lets anybody run code: start all of its nodes with RAY_AUTH_MODE=token and the same token"
        )


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def answers_without_token(address: str) -> bool:
    """Whether the list of jobs is given to somebody who shows no token. Raises OSError where nobody answers."""
    url = urlsplit(address)
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.hostname or "", url.port or DEFAULT_PORT, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", f"{url.path.rstrip('/')}/api/jobs/")
        return connection.getresponse().status == http.client.OK
    except http.client.HTTPException as error:
        raise OSError(f"{address} does not speak HTTP") from error
    finally:
        connection.close()
