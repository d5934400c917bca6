"""URLs of runs: told from folders, put together and taken apart, and never with a password."""

from pathlib import Path

import pytest

from rl.config import RunConfig
from rl.places import PlaceError, holds_password, is_url, join, split, working_folder

URLS = ["s3://bucket/runs?region=eu", "s3://bucket", "file:///mnt/runs", "memory://runs", "gs://bucket/a/b"]


@pytest.mark.parametrize("url", URLS)
def test_a_run_is_found_inside_its_folder(url: str) -> None:
    assert is_url(url)
    assert split(join(url, "r1")) == (url, "r1")


def test_options_stay_at_the_end() -> None:
    assert join("s3://bucket/runs/?region=eu", "r1") == "s3://bucket/runs/r1?region=eu"


@pytest.mark.parametrize("url", ["s3://bucket", "s3://bucket/", "s3://bucket/runs/.."])
def test_a_url_without_a_run_is_refused(url: str) -> None:
    with pytest.raises(PlaceError, match="names no run"):
        split(url)


@pytest.mark.parametrize("folder", ["runs", "/shared/runs", "./a:b", "~/runs"])
def test_folders_are_no_urls_and_stay_what_they_are(folder: str) -> None:
    assert not is_url(folder)
    assert working_folder(folder, "cache") == Path(folder)
    assert RunConfig(name="r1", folder=folder).place == str(Path(folder) / "r1")


def test_every_url_has_a_folder_of_its_own_to_work_in() -> None:
    folders = {working_folder(url, "cache") for url in [*URLS, "s3://bucket/runs?region=us"]}
    assert len(folders) == len(URLS) + 1
    assert {folder.parent for folder in folders} == {Path("cache")}
    run = RunConfig(name="r1", folder="s3://bucket/../../etc", cache="/local")
    assert run.directory.parent.parent == Path("/local")
    assert ".." not in run.directory.parts
    assert run.place == "s3://bucket/../../etc/r1"


def test_passwords_are_seen() -> None:
    assert holds_password("s3://me:secret@bucket/runs")
    assert not holds_password("abfs://container@account.dfs.core.windows.net/runs")
    assert not holds_password("a:b@c")
