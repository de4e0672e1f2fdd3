"""deploy/kubernetes: valid by Kubernetes' and KEDA's schemas, and by our commands, settings and topics."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from copy import deepcopy
from ipaddress import IPv4Address, ip_address, ip_network
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from config.errors import ConfigurationError
from config.problem import SettingsError
from config.settings import Settings, load_settings
from config.topics import INBOUND
from tests.cli.command_line import parse, workers
from tests.deploy.manifests import (
    EXAMPLE,
    FOLDER,
    OBJECTS,
    Object,
    kustomization,
    mistakes,
    of_kind,
    resources,
    variables,
)
from tests.security.certificates import issue
from workers.access.rights import WORKERS as RIGHTS
from workers.channels.delivery.vault import open_vault
from workers.channels.ingress import PATH
from workers.channels.server import GRACE_S
from workers.channels.website import script
from workers.channels.website.routes import PREFIX
from workers.files.files import PUBLIC_PATH
from workers.gateway.answers import API
from workers.gateway.signing_key import signing_key
from workers.outside.guard import is_public
from workers.webhooks.signing import signing_keys
from workers.workspace.loader import load_workspace

SettingsOf = Callable[..., Settings]
"""By the name of a secret, and of what its empty variables are given."""

WORKERS = sorted(workers())
WEB = {"ingress", "gateway"}
"""Who serves HTTP to the public, and for how many seconds he goes on when told to stop."""
DEPLOYMENTS = of_kind("Deployment")
AUTHORITIES = "/etc/tongdai/authorities"
INVENTED = {
    "TONGDAI_GATEWAY_SIGNING_KEY": "invented " * 4,
    "TONGDAI_WEBHOOKS_SIGNING_KEYS": "invented " * 4,
    "TONGDAI_DELIVERY_KEYS": "invented " * 4,
    "TONGDAI_WEBSITE_KEYS": "invented " * 4,
    "TONGDAI_WEBSITE_SITES": '[{"site": "shop", "origins": ["https://shop.example.com"]}]',
    "TONGDAI_INGRESS_MESSENGER_APPS": '[{"app_secret": "invented", "verify_token": "invented"}]',
}


def _container(worker: str) -> Object:
    (container,) = DEPLOYMENTS[worker]["spec"]["template"]["spec"]["containers"]
    return dict(container)


def _pods() -> Iterator[tuple[str, Object]]:
    for kind in ("Deployment", "Job"):
        for name, each in of_kind(kind).items():
            yield name, each["spec"]["template"]["spec"]


def _containers() -> Iterator[Object]:
    for _, pod in _pods():
        yield from (*pod.get("initContainers", ()), *pod["containers"])


def _environment(secret: str) -> dict[str, str]:
    return {
        **variables(FOLDER / "base" / "settings.env"),
        **variables(EXAMPLE / "settings.env"),
        **variables(EXAMPLE / "secrets" / f"{secret}.env"),
    }


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return issue(tmp_path_factory.mktemp("authorities"), "kafka").authority


@pytest.fixture
def settings_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, authority: Path) -> SettingsOf:
    def load(secret: str, given: dict[str, str] = INVENTED) -> Settings:
        for name, value in _environment(secret).items():
            monkeypatch.setenv(name, value or given.get(name, ""))
        monkeypatch.setenv("TONGDAI_KAFKA_SSL_CAFILE", str(authority))
        return load_settings(tmp_path / "absent.env")

    return load


def test_every_file_is_part_of_a_kustomization_and_valid_by_the_schemas() -> None:
    there = {
        path for path in FOLDER.rglob("*.yaml") if path.name not in ("kustomization.yaml", "workspace.yaml")
    }
    assert there == {
        path for folder in ("base", "keda", "workspace", "example") for path in resources(folder)
    }
    assert {each["kind"]: mistakes(each) for each in OBJECTS if mistakes(each)} == {}


def test_the_schemas_see_a_mistake() -> None:
    broken = deepcopy(DEPLOYMENTS["routing"])
    broken["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}
    broken["spec"]["replicas"] = "two"
    assert len(mistakes(broken)) == 2
    scaled = deepcopy(of_kind("ScaledObject")["routing"])
    scaled["spec"]["maxReplicas"] = 48
    scaled["spec"]["triggers"][0]["metadata"]["lagThreshold"] = 2000
    assert len(mistakes(scaled)) == 2
    assert mistakes({"apiVersion": "apps/v2", "kind": "Deployment"})


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl here")
def test_the_example_is_put_together_by_kubectl() -> None:
    built = subprocess.run(
        ["kubectl", "kustomize", str(EXAMPLE)], capture_output=True, text=True, check=True, timeout=60
    )
    objects = list(yaml.safe_load_all(built.stdout))
    assert {each["kind"]: mistakes(each) for each in objects if mistakes(each)} == {}
    made = {(each["kind"], re.sub(r"-[a-z0-9]{10}$", "", each["metadata"]["name"])) for each in objects}
    assert made >= {(each["kind"], each["metadata"]["name"]) for each in OBJECTS}
    deployments = {each["metadata"]["name"]: each for each in objects if each["kind"] == "Deployment"}
    names = {each["metadata"]["name"] for each in objects}
    for worker, deployment in deployments.items():
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        assert container["image"] == f"registry.example.com/tongdai:{_version()}"
        sources = {next(iter(source.values()))["name"] for source in container["envFrom"]}
        assert sources <= names
        assert all(re.search(r"-[a-z0-9]{10}$", source) for source in sources), "a change restarts the worker"
        assert ("replicas" in deployment["spec"]) == (worker not in of_kind("ScaledObject"))


def test_every_worker_has_its_deployment_and_every_command_is_one_of_ours() -> None:
    assert sorted(DEPLOYMENTS) == sorted([*WORKERS, "tools"])
    for worker in WORKERS:
        assert _container(worker)["args"] == ["worker", worker]
    commands = [parse(container["args"]) for container in _containers() if "args" in container]
    assert sorted(commands) == sorted([*WORKERS, "migrate", "apply", "apply"])


def test_tools_are_at_hand_but_do_not_run() -> None:
    assert DEPLOYMENTS["tools"]["spec"]["replicas"] == 0
    assert _container("tools")["command"] == ["sleep", "infinity"]


def test_the_jobs_prepare_the_database_then_the_topics() -> None:
    pod = of_kind("Job")["prepare"]["spec"]["template"]["spec"]
    assert [each["args"] for each in pod["initContainers"]] == [["migrate"]]
    assert [each["args"] for each in pod["containers"]] == [["topics", "apply"]]
    assert load_workspace(EXAMPLE / "workspace.yaml").id == "example"


@pytest.mark.parametrize("secret", [*WORKERS, "owner"])
def test_settings_and_secrets_pass_what_production_demands_without_a_warning(
    secret: str,
    settings_of: SettingsOf,
) -> None:
    environment = _environment(secret)
    assert [name for name in environment if not name.startswith("TONGDAI_")] == []
    settings: Settings = settings_of(secret)
    assert settings.profile == "production"
    assert settings.warnings == ()
    assert settings.kafka.replication_factor >= 3
    assert settings.postgres.synchronous_commit == "on"
    for value in (environment["TONGDAI_KAFKA_SSL_CAFILE"], environment["TONGDAI_POSTGRES_DSN"]):
        file = re.search(rf"{AUTHORITIES}/([a-z]+\.pem)", value)
        assert file, value
        assert f"authorities/{file[1]}" in _generated("configMapGenerator")["authorities"]["files"]


def _generated(generator: str) -> dict[str, Object]:
    return {each["name"]: each for each in kustomization("example")[generator]}


def test_each_worker_is_given_its_own_secret_and_no_secret_stands_among_the_settings() -> None:
    secrets = _generated("secretGenerator")
    assert sorted(secrets) == sorted([*WORKERS, "owner"])
    for name, secret in secrets.items():
        assert secret["envs"] == [f"secrets/{name}.env"]
    for container in _containers():
        expected = container["name"] if container["name"] in WORKERS else "owner"
        assert container["envFrom"] == [
            {"configMapRef": {"name": "settings"}},
            {"secretRef": {"name": expected}},
        ]
    settings = {*variables(FOLDER / "base" / "settings.env"), *variables(EXAMPLE / "settings.env")}
    for name in secrets:
        assert settings.isdisjoint(variables(EXAMPLE / "secrets" / f"{name}.env"))
    assert not [name for name in settings if re.search(r"DSN|PASSWORD|KEYS?$|APPS|BOTS|SITES", name)]


@pytest.mark.parametrize("worker", WORKERS)
def test_what_a_worker_is_told_by_compose_can_be_told_here(worker: str) -> None:
    compose = yaml.safe_load((FOLDER.parents[1] / "docker-compose.yml").read_text(encoding="utf-8"))
    told = set(compose["services"][worker]["environment"])
    others = {"TONGDAI_LOG_FORMAT", "TONGDAI_ATTACHMENTS_FOLDER"}  # in production JSON, and a bucket
    assert told - set(_environment(worker)) <= others


def test_workers_have_the_keys_without_which_they_would_not_start(settings_of: SettingsOf) -> None:
    gateway: Settings = settings_of("gateway")
    assert signing_key(gateway)
    assert signing_keys(gateway).can_draw
    assert signing_keys(settings_of("webhooks")).can_draw
    open_vault(settings_of("delivery"))
    assert settings_of("ingress").website.keys


def test_the_example_does_not_start_as_it_is(
    settings_of: SettingsOf,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    with pytest.raises(ConfigurationError, match="TONGDAI_GATEWAY_SIGNING_KEY"):
        signing_key(settings_of("gateway", {}))
    with pytest.raises(ConfigurationError, match="TONGDAI_DELIVERY_KEYS"):
        open_vault(settings_of("delivery", {}))
    monkeypatch.setenv("TONGDAI_KAFKA_SSL_CAFILE", str(EXAMPLE / "authorities" / "kafka.pem"))
    with pytest.raises(SettingsError, match="TONGDAI_KAFKA_SSL_CAFILE"):
        load_settings(tmp_path / "absent.env")


def test_tools_know_what_delivery_knows_of_apps_accounts_and_keys() -> None:
    """Or `pages` would refuse what delivery knows, or keep what it does not."""
    of_delivery = variables(EXAMPLE / "secrets" / "delivery.env")
    own = {name for name in of_delivery if "ATTACHMENTS" not in name}
    assert own <= variables(EXAMPLE / "secrets" / "owner.env").keys()


def _port(worker: str, settings: Settings) -> tuple[str, int]:
    match worker:
        case "ingress":
            return settings.ingress.host, settings.ingress.port
        case "gateway":
            return settings.gateway.host, settings.gateway.port
        case _:
            return settings.runtime.health_host, settings.runtime.health_port


@pytest.mark.parametrize("worker", WORKERS)
def test_probes_services_and_prometheus_ask_where_the_worker_listens(
    worker: str,
    settings_of: SettingsOf,
) -> None:
    host, port = _port(worker, settings_of(worker))
    container = _container(worker)
    (listening,) = container["ports"]
    assert host == "0.0.0.0"
    assert listening["containerPort"] == port
    for probe, path in (("startup", "/healthz"), ("liveness", "/healthz"), ("readiness", "/readyz")):
        assert container[f"{probe}Probe"]["httpGet"] == {"path": path, "port": listening["name"]}
    annotations = DEPLOYMENTS[worker]["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == str(port)
    assert annotations["prometheus.io/path"] == "/metrics"
    assert (worker in of_kind("Service")) == (worker in WEB)
    if worker in WEB:
        (service,) = of_kind("Service")[worker]["spec"]["ports"]
        assert service["targetPort"] == listening["name"]
        assert {"port": port} in of_kind("NetworkPolicy")["public"]["spec"]["ingress"][0]["ports"]
    assert {"port": port} in of_kind("NetworkPolicy")["workers"]["spec"]["ingress"][0]["ports"]


@pytest.mark.parametrize("worker", WORKERS)
def test_probes_and_grace_leave_a_worker_the_time_that_its_settings_give_it(
    worker: str,
    settings_of: SettingsOf,
) -> None:
    runtime = settings_of(worker).runtime
    container = _container(worker)
    startup, liveness = container["startupProbe"], container["livenessProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] > runtime.dependency_start_timeout_s
    assert liveness["periodSeconds"] * liveness["failureThreshold"] > runtime.watchdog_s
    grace_s = DEPLOYMENTS[worker]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    if worker in WEB:
        *command, seconds = container["lifecycle"]["preStop"]["exec"]["command"]
        assert command == ["sleep"]
        assert grace_s > int(seconds) + GRACE_S + runtime.kafka_deadline_s
    else:
        assert grace_s > runtime.stop_deadline_s + 2 * runtime.kafka_deadline_s
        assert grace_s >= runtime.grace_s


def test_every_pod_keeps_the_strictest_standard_and_is_told_nothing_of_services() -> None:
    for name, pod in _pods():
        assert pod["enableServiceLinks"] is False, name
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"] == {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "runAsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        }
    for container in _containers():
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert set(container["resources"]["requests"]) == {"cpu", "memory"}
        assert set(container["resources"]["limits"]) == {"memory"}, "a throttled worker loses its lanes"
        assert container["image"] == f"tongdai:{_version()}"
    dockerfile = (FOLDER.parents[1] / "Dockerfile").read_text(encoding="utf-8")
    assert "USER 10001:10001" in dockerfile


def _version() -> str:
    text = (FOLDER.parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    return str(tomllib.loads(text)["project"]["version"])


def test_memory_is_enough_for_what_the_settings_let_a_worker_hold(settings_of: SettingsOf) -> None:
    settings: Settings = settings_of("webhooks")
    held = settings.webhooks.endpoints_max * settings.webhooks.buffer_bytes_max
    assert _memory_bytes("webhooks") > held + 128 * 2**20
    socket_bytes = 31 * 2**10  # docs/performance.md
    assert _memory_bytes("gateway") > settings.gateway.sockets_max * socket_bytes + 256 * 2**20
    assert _memory_bytes("ingress") > settings.website.sockets_max * socket_bytes + 256 * 2**20


def _memory_bytes(worker: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(Mi|Gi)", _container(worker)["resources"]["limits"]["memory"]).groups()  # type: ignore[union-attr]
    return int(number) * {"Mi": 2**20, "Gi": 2**30}[unit]


@pytest.mark.parametrize("worker", WORKERS)
def test_two_of_each_on_different_nodes_of_which_one_may_be_drained(worker: str) -> None:
    spec = DEPLOYMENTS[worker]["spec"]
    labels = {"app.kubernetes.io/name": "tongdai", "app.kubernetes.io/component": worker}
    assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"] == labels
    assert spec["replicas"] >= 2
    budget = of_kind("PodDisruptionBudget")[worker]["spec"]
    assert budget["selector"]["matchLabels"] == labels
    assert budget["maxUnavailable"] == 1
    spread = spec["template"]["spec"]["topologySpreadConstraints"]
    assert {each["topologyKey"] for each in spread} == {
        "topology.kubernetes.io/zone",
        "kubernetes.io/hostname",
    }
    assert all(each["labelSelector"]["matchLabels"] == labels for each in spread)


@pytest.mark.parametrize("worker", WORKERS)
def test_workers_with_lanes_are_never_of_two_versions(worker: str) -> None:
    expected = "Recreate" if RIGHTS[worker].lanes else "RollingUpdate"
    assert DEPLOYMENTS[worker]["spec"]["strategy"]["type"] == expected


@pytest.mark.parametrize("worker", ["routing", "notifier"])
def test_their_number_follows_the_lag_of_their_groups_up_to_the_number_of_lanes(
    worker: str,
    settings_of: SettingsOf,
) -> None:
    settings: Settings = settings_of(worker)
    spec = of_kind("ScaledObject")[worker]["spec"]
    assert spec["scaleTargetRef"] == {"name": worker}
    assert spec["minReplicaCount"] == DEPLOYMENTS[worker]["spec"]["replicas"]
    assert spec["maxReplicaCount"] == INBOUND.partitions(settings.kafka)
    groups = {f"{settings.kafka.topic_prefix}.{lane}" for lane in RIGHTS[worker].lanes}
    assert {trigger["metadata"]["consumerGroup"] for trigger in spec["triggers"]} == groups
    for trigger in spec["triggers"]:
        assert trigger["metadata"]["lagThreshold"] == str(settings.runtime.batch_max_records)
        assert trigger["metadata"]["bootstrapServersFromEnv"] in _environment(worker)
        assert trigger["metadata"]["tls"] == ("enable" if settings.kafka.uses_tls else "disable")
        assert trigger["metadata"]["sasl"] == _sasl(settings.kafka.sasl_mechanism or "")
        assert trigger["authenticationRef"] == {"name": worker}


def _sasl(mechanism: str) -> str:
    """The mechanism as KEDA calls it."""
    return {"PLAIN": "plaintext"}.get(mechanism, mechanism.lower().replace("-sha-", "_sha"))


@pytest.mark.parametrize("worker", ["routing", "notifier"])
def test_keda_signs_in_as_the_worker(worker: str) -> None:
    spec = of_kind("TriggerAuthentication")[worker]["spec"]
    assert {each["parameter"] for each in spec["env"]} == {"username", "password"}
    for each in spec["env"]:
        assert each["containerName"] == _container(worker)["name"]
        assert each["name"] in variables(EXAMPLE / "secrets" / f"{worker}.env")
    (ca,) = spec["configMapTargetRef"]
    authorities = _generated("configMapGenerator")[ca["name"]]
    assert f"authorities/{ca['key']}" in authorities["files"]
    assert authorities["options"] == {"disableNameSuffixHash": True}, "KEDA's reference is not rewritten"


def test_the_public_reaches_the_channels_and_the_api_and_nothing_else() -> None:
    (rule,) = of_kind("Ingress")["public"]["spec"]["rules"]
    paths = {path["path"]: path["backend"]["service"]["name"] for path in rule["http"]["paths"]}
    ingress = dict.fromkeys((PATH.rstrip("/"), script.PREFIX, PREFIX, PUBLIC_PATH), "ingress")
    assert paths == {**ingress, API.removesuffix("/v1"): "gateway"}
    assert not [path for path in ("/metrics", "/healthz", "/readyz") if path.startswith(tuple(paths))]
    for page in ("operating", "security"):
        text = (FOLDER.parents[1] / f"docs/{page}.md").read_text()
        assert [path for path in paths if f"`{path}/`" not in text] == [], (
            f"{page}.md names what a proxy passes on"
        )


@pytest.mark.parametrize("policy", ["delivery", "webhooks"])
@given(number=st.integers(0, 2**32 - 1))
def test_who_calls_out_reaches_every_public_address(policy: str, number: int) -> None:
    if is_public(IPv4Address(number)):
        assert _may_go(policy, str(IPv4Address(number)))


@pytest.mark.parametrize("policy", ["delivery", "webhooks"])
@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "127.0.0.1",
        "fd00::1",
        "fe80::1",
        "::1",
    ],
)
def test_who_calls_out_does_not_reach_into_the_cluster(policy: str, address: str) -> None:
    assert not _may_go(policy, address)


def _may_go(policy: str, address: str) -> bool:
    (rule,) = of_kind("NetworkPolicy")[policy]["spec"]["egress"]
    blocks = [each["ipBlock"] for each in rule["to"]]
    return any(
        ip_address(address) in ip_network(block["cidr"])
        and not any(ip_address(address) in ip_network(part) for part in block.get("except", ()))
        for block in blocks
    )
