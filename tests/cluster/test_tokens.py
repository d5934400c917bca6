"""Clusters that let anybody in are refused, and tokens that anybody can read."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster import tokens
from cluster.tokens import SecurityError, answers_without_token, has_token, is_loopback, require_closed


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / ".ray" / "auth_token"
    path.parent.mkdir()
    path.write_text("abc")
    path.chmod(0o600)
    return path


def test_where_a_token_is_looked_for(tmp_path: Path, token_file: Path) -> None:
    assert has_token({}, tmp_path)
    assert not has_token({}, tmp_path / "elsewhere")
    assert has_token({"RAY_AUTH_TOKEN": "abc"}, tmp_path / "elsewhere")
    assert has_token({"RAY_AUTH_TOKEN_PATH": str(token_file)}, tmp_path / "elsewhere")
    with pytest.raises(SecurityError, match="no such file"):
        has_token({"RAY_AUTH_TOKEN_PATH": str(tmp_path / "none")}, tmp_path)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_token_that_others_can_read_is_refused_and_not_shown(mode: int, tmp_path: Path, token_file: Path) -> None:
    token_file.chmod(mode)
    with pytest.raises(SecurityError, match="can be read by others: chmod 600") as caught:
        has_token({}, tmp_path)
    assert "abc" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("localhost", True), ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("10.0.0.1", False), ("ray", False)],
)
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


@pytest.fixture
def dashboard() -> Iterator[tuple[str, list[int]]]:
    """Answers with the status that its list holds."""
    status = [200]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert "authorization" not in {name.lower() for name in self.headers}
            self.send_response(status[0] if self.path == "/api/jobs/" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", status
    server.shutdown()
    server.server_close()


def test_an_open_dashboard_is_told_from_a_closed_one(dashboard: tuple[str, list[int]]) -> None:
    address, status = dashboard
    assert answers_without_token(address)
    status[0] = 401
    assert not answers_without_token(address)


def test_beyond_this_machine(dashboard: tuple[str, list[int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the dashboard's address passes for one of another machine."""
    address, status = dashboard
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    require_closed(address)  # of this machine: as it likes
    monkeypatch.setattr(tokens, "is_loopback", lambda host: False)
    with pytest.raises(SecurityError, match="must ask for a token, and there is none here"):
        require_closed(address)
    monkeypatch.setenv("RAY_AUTH_TOKEN", "abc")
    with pytest.raises(SecurityError, match="lets anybody run code"):
        require_closed(address)
    status[0] = 401
    require_closed(address)
