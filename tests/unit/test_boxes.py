"""The files that run an installation in containers: the image, Compose and Kubernetes. Nothing is started."""

from __future__ import annotations

import inspect
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import prefect
import pytest
import typer.main
import yaml
from cryptography.fernet import Fernet
from outside_server import program
from prefect.cli.server import server_app
from prefect.settings import Settings as PrefectSettings
from prefect_redis.client import RedisMessagingSettings  # type: ignore[import-untyped]

from cartum_roapp.cli.app import app
from cartum_roapp.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
DEPLOYMENTS = ROOT / "deployments"
IMAGE = "cartum-roapp"

COMPOSE_TEXT = (DEPLOYMENTS / "compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].partition(":")[0] == IMAGE}
EXAMPLE = (DEPLOYMENTS / "compose.env.example").read_text()
CADDYFILES = ("Caddyfile", "compose.Caddyfile")

KUBERNETES = (DEPLOYMENTS / "kubernetes.yaml").read_text()
OBJECTS: list[dict[str, Any]] = list(yaml.safe_load_all(KUBERNETES))
PODS: dict[str, dict[str, Any]] = {
    found["metadata"]["name"]: found["spec"]["template"] for found in OBJECTS if found["kind"] == "Deployment"
}
#: What the page says of Kubernetes: the commands that make secrets, and the values of Prefect's chart.
PAGE = (ROOT / "docs" / "scaling.md").read_text().partition("## In Kubernetes")[2].partition("\n## ")[0]
(CHART,) = (yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.+?)^```", PAGE, flags=re.M | re.S))
SECRETS = {
    name: dict(re.findall(r"--from-literal=([\w-]+)=(\S+)", literals))
    for name, literals in re.findall(r"create secret generic (\S+)((?: \\\n\s+--from-literal=\S+)+)", PAGE)
}

INSTRUCTIONS: list[tuple[str, str]] = [
    (line.split(maxsplit=1)[0], line.split(maxsplit=1)[1])
    for line in re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", (ROOT / "Containerfile").read_text(), flags=re.M)).split(
        "\n"
    )
    if line
]


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [found for found in OBJECTS if found["kind"] == kind]


def lines_of(path: Path) -> dict[str, str]:
    """The variables of an env file."""
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if line and not line.startswith("#"))


def compose_variables(service: dict[str, Any]) -> set[str]:
    files = [lines_of(DEPLOYMENTS / name) for name in service.get("env_file", [])]
    return {*service.get("environment", {}), *(name for file in files for name in file)}


def container(pod: dict[str, Any]) -> dict[str, Any]:
    (only,) = pod["spec"]["containers"]
    return dict(only)


def pod_variables(pod: dict[str, Any]) -> set[str]:
    maps = {found["metadata"]["name"]: found["data"] for found in of_kind("ConfigMap")}
    sources = container(pod)["envFrom"]
    found = [maps[one["configMapRef"]["name"]] for one in sources if "configMapRef" in one]
    found += [SECRETS[one["secretRef"]["name"]] for one in sources if "secretRef" in one]
    return {name for one in found for name in one}


def chart_variables(part: dict[str, Any]) -> set[str]:
    """What the page sets of one part of Prefect's chart, beside what the chart itself sets."""
    file = DEPLOYMENTS / f"{part['extraEnvVarsCM']}.env"
    named = {one["name"] for one in part.get("env", [])}
    return {*lines_of(file), *SECRETS[part["extraEnvVarsSecret"]], *named}


def image_variables() -> dict[str, str]:
    last = max(i for i, (word, _) in enumerate(INSTRUCTIONS) if word == "FROM")
    words = [word for name, rest in INSTRUCTIONS[last:] if name == "ENV" for word in shlex.split(rest)]
    return dict(word.split("=", 1) for word in words)


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every command of the image that a file names, and where."""
    for name, service in OURS.items():
        yield f"compose: {name}", service["command"]
    for name, pod in PODS.items():
        yield f"kubernetes: {name}", container(pod)["args"]
    for line in re.findall(r"^#   (.+)$", (ROOT / "Containerfile").read_text(), flags=re.M):
        yield f"Containerfile: {line}", shlex.split(line)


def prefect_variables() -> set[str]:
    schema = PrefectSettings.model_json_schema()
    models = [schema, *schema["$defs"].values()]
    known = {
        variable
        for model in models
        for field in model.get("properties", {}).values()
        for variable in field.get("supported_environment_variables", [])
    }
    prefix = str(RedisMessagingSettings.model_config["env_prefix"])
    # Prefect reads its key past its settings.
    key = Path(prefect.__file__).parent / "server" / "utilities" / "encryption.py"
    known |= set(re.findall(r'"(PREFECT_\w+)"', key.read_text()))
    return known | {f"{prefix}{field}".upper() for field in RedisMessagingSettings.model_fields}


def ignored(path: str) -> bool:
    """Whether .dockerignore keeps this file out of what is sent to the builder."""
    answer = False
    parts = path.split("/")
    parents = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = re.escape(line.removeprefix("!")).replace(r"\*\*/", "(.*/)?").replace(r"\*", "[^/]*")
        if any(re.fullmatch(pattern, parent) for parent in parents):
            answer = not line.startswith("!")
    return answer


# Commands and settings


@pytest.mark.parametrize("command", [pytest.param(command, id=where) for where, command in commands()])
def test_the_image_has_each_command_with_these_options(command: list[str]) -> None:
    assert all(isinstance(word, str) for word in command), "a number is no word of a command"
    program, *words = command
    if program == "prefect":
        assert words[0] == "server"
        called, _, _ = server_app.parse_args(words[1:], exit_on_error=False, print_error=False)
        assert inspect.getmodule(inspect.unwrap(called)) is sys.modules["prefect.cli.server"], "it only prints help"
    else:
        assert program == "cartum-roapp"
        known = typer.main.get_command(app).commands  # type: ignore[attr-defined]
        known[words[0]].make_context(words[0], words[1:])


def test_every_variable_is_a_setting() -> None:
    ours = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    used = {
        "Containerfile": set(image_variables()),
        **{f"compose: {name}": compose_variables(service) for name, service in OURS.items()},
        **{f"kubernetes: {name}": pod_variables(pod) for name, pod in PODS.items()},
        **{f"kubernetes: {name}": chart_variables(CHART[name]) for name in ("server", "backgroundServices")},
    }
    known = ours | prefect_variables()
    unknown = {where: names for where, found in used.items() if (names := {n for n in found if "_" in n} - known)}
    assert unknown == {"Containerfile": {"DO_NOT_TRACK"}}


def test_compose_and_kubernetes_set_the_same_variables() -> None:
    for service, pod in (("worker-1", "worker"), ("worker-2", "worker"), ("console", "console")):
        assert compose_variables(OURS[service]) == pod_variables(PODS[pod]), service
        assert OURS[service]["command"] == container(PODS[pod])["args"], service
    by_the_chart = {
        "PREFECT_SERVER_DATABASE_CONNECTION_URL", "PREFECT_SERVER_API_AUTH_STRING", "PREFECT_SERVER_UI_API_URL",
    }  # fmt: skip
    assert compose_variables(OURS["server-1"]) - by_the_chart == chart_variables(CHART["server"])


# The image


def test_the_image_is_of_pinned_bases_and_runs_as_nobody_special() -> None:
    arguments = dict(rest.split("=", 1) for word, rest in INSTRUCTIONS if word == "ARG")
    bases = [rest.split()[0] for word, rest in INSTRUCTIONS if word == "FROM"]
    for base in bases:
        name, _, tag = re.sub(r"\$\{(\w+)\}", lambda found: arguments[found[1]], base).partition(":")
        assert "/" in name, "a short name means another registry elsewhere"
        assert re.match(r"\d+\.\d+", tag), tag
    words = [word for word, _ in INSTRUCTIONS]
    users = [rest for word, rest in INSTRUCTIONS if word == "USER"]
    assert users == ["10001:10001"] and "RUN" not in words[words.index("USER") :]
    assert all(word in dict(INSTRUCTIONS)["RUN"] for word in ("--uid 10001", "--gid 10001"))
    for word, rest in INSTRUCTIONS:
        if word in ("CMD", "ENTRYPOINT", "VOLUME"):
            assert isinstance(json.loads(rest), list), rest
    assert json.loads(dict(INSTRUCTIONS)["VOLUME"]) == [image_variables()["CARTUM_ROAPP_HOME"]]


def test_what_the_image_is_made_of_is_sent_to_the_builder_and_nothing_else_is() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {"pyproject.toml", project["project"]["readme"], *project["project"]["license-files"]}
    needed |= {*wheel["packages"], *wheel["force-include"]}
    copied = {
        source
        for word, rest in INSTRUCTIONS
        if word == "COPY" and not rest.startswith("--from")
        for source in shlex.split(rest)[:-1]
        if source != "."
    }
    for path in needed | copied:
        assert (ROOT / path).exists() and not ignored(path), path
    allowed = {*needed, *copied}
    assert {path.name for path in ROOT.iterdir() if not ignored(path.name)} == allowed
    for package in wheel["packages"]:
        assert not ignored(f"{package}/__init__.py") and ignored(f"{package}/__pycache__/x.pyc")
    assert ignored("deployments/.env") and ignored(".env") and ignored(".git/config")
    for word, rest in INSTRUCTIONS:
        for name in re.findall(r"requirements[\w-]*\.lock", rest):
            assert (ROOT / name).exists(), (word, name)


# Compose


def test_every_variable_of_compose_is_in_the_example_and_says_so_if_it_is_missing() -> None:
    used = re.findall(r"\$\{(\w+)([^}]*)\}", COMPOSE_TEXT)
    assert {name for name, _ in used} == set(lines_of(DEPLOYMENTS / "compose.env.example"))
    assert {rest for _, rest in used} == {":?see compose.env.example"}


def test_the_commands_of_the_example_make_values() -> None:
    made = {}
    for block in EXAMPLE.split("\n\n"):
        for name in re.findall(r"^(\w+)=$", block, flags=re.M):
            (command,) = re.findall(r"^# python3 (-c .+)$", block, flags=re.M)
            done = subprocess.run([sys.executable, *shlex.split(command)], capture_output=True, text=True, check=True)
            made[name] = done.stdout.rstrip("\n")
    assert set(made) == {"PREFECT_AUTH_STRING", "PREFECT_ENCRYPTION_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD"}
    Fernet(made["PREFECT_ENCRYPTION_KEY"])
    user, _, password = made["PREFECT_AUTH_STRING"].partition(":")
    for secret in (made["POSTGRES_PASSWORD"], made["REDIS_PASSWORD"], password):
        assert len(secret) >= 24 and quote(secret, safe="") == secret
    assert user and not any("$" in value for value in made.values())


def test_every_name_in_compose_is_declared() -> None:
    volumes, networks = [], []
    for name, service in SERVICES.items():
        for other, wanted in service.get("depends_on", {}).items():
            assert other in SERVICES, (name, other)
            if wanted["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other], (name, other)
            else:
                assert wanted["condition"] == "service_completed_successfully" and SERVICES[other]["restart"] == "no"
        for mounted in service.get("volumes", []):
            source, target, *options = mounted.split(":")
            if source.startswith("."):
                assert (DEPLOYMENTS / source).is_file() and options == ["ro"], mounted
            else:
                volumes.append(source)
            assert target.startswith("/")
        networks += list(service["networks"])
        assert all((DEPLOYMENTS / file).is_file() for file in service.get("env_file", []))
    assert set(volumes) == set(COMPOSE["volumes"]) and Counter(volumes).most_common(1)[0][1] == 1
    assert set(networks) == set(COMPOSE["networks"])
    built = {name: service["build"] for name, service in OURS.items() if "build" in service}
    assert list(built) == ["migrate"]
    context = DEPLOYMENTS / built["migrate"]["context"]
    assert (context / built["migrate"]["dockerfile"]).samefile(ROOT / "Containerfile")


def test_servers_start_one_after_the_other_on_a_migrated_database() -> None:
    assert SERVICES["server-1"]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    for later in ("server-2", "services", "front"):
        assert SERVICES[later]["depends_on"]["server-1"]["condition"] == "service_healthy"


def test_only_the_front_is_reached_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["front"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    inside = {name for name, service in SERVICES.items() if list(service["networks"]) == ["inside"]}
    assert inside == {"postgres", "redis", "migrate", "server-1", "server-2"}
    assert not any("network_mode" in service or service.get("privileged") for service in SERVICES.values())


def test_no_container_of_compose_may_do_more_than_it_needs() -> None:
    for name, service in SERVICES.items():
        assert service["restart"] in (("no",) if name == "migrate" else ("unless-stopped",)), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        _, _, tag = service["image"].rpartition("/")[2].partition(":")
        assert tag and tag != "latest", name
    assert len(OURS) == 7
    for name, service in OURS.items():
        assert service["read_only"] is True and service["cap_drop"] == ["ALL"] and "cap_add" not in service, name
        assert "user" not in service, name
        homes = [mounted for mounted in service.get("volumes", []) if mounted.endswith(":/data")]
        assert sorted([*service["tmpfs"], *("/data" for _ in homes)]) == ["/data", "/tmp"], name
        assert bool(homes) == name.startswith("worker-"), name
    assert OURS["worker-1"]["hostname"] != OURS["worker-2"]["hostname"]


def test_what_can_be_asked_is_asked_at_its_port() -> None:
    asked = {name for name, service in SERVICES.items() if "healthcheck" in service}
    assert asked == {"postgres", "redis", "server-1", "server-2", "console", "front"}
    for name, port in (("server-1", 4200), ("server-2", 4200), ("console", 8321)):
        program, flag, code = OURS[name]["healthcheck"]["test"][1:]
        assert (program, flag) == ("python", "-c")
        compile(code, name, "exec")
        assert f'"127.0.0.1", {port}' in code
    assert container(PODS["console"])["args"][-1] == OURS["console"]["command"][-1] == "8321"
    ports = {name: [p["containerPort"] for p in container(pod).get("ports", [])] for name, pod in PODS.items()}
    assert ports == {"worker": [], "console": [8321]}


def test_the_front_leads_to_services_of_compose() -> None:
    texts = [(DEPLOYMENTS / name).read_text() for name in CADDYFILES]
    own = set(re.findall(r"\{\$(\w+)", re.sub(r"^#.*$", "", texts[0], flags=re.M)))
    own.remove("PREFECT_BIND")  # which has a default
    assert own == {"PREFECT_SITE", "PREFECT_SERVERS"}, "an installation without Compose sets these alone"
    front = SERVICES["front"]
    assert own | set(re.findall(r"\{\$(\w+)", texts[1])) == set(front["environment"])
    mounted = {target: source for source, target, _ in (v.split(":") for v in front["volumes"] if v.endswith(":ro"))}
    assert mounted == {f"/etc/caddy/{name}": f"./{name}" for name in CADDYFILES}
    assert front["command"][-1] in mounted
    servers = [name for name in OURS if name.startswith("server-")]
    assert front["environment"]["PREFECT_SERVERS"].split() == [f"{name}:4200" for name in servers]
    assert re.findall(r"reverse_proxy ([\w.:-]+)", texts[1]) == ["console:8321"]
    api = urlsplit(OURS["worker-1"]["environment"]["PREFECT_API_URL"])
    assert api.hostname in front["networks"]["inside"]["aliases"]
    assert re.search(rf"^http://:{api.port} ", texts[1], flags=re.M)


@pytest.mark.long
@pytest.mark.parametrize("name", CADDYFILES)
def test_caddy_understands_its_files(name: str, tmp_path: Path) -> None:
    sites = {"PREFECT_SITE": "https://prefect.example", "PREFECT_SERVERS": "server-1:4200 server-2:4200"}
    sites |= {"CONSOLE_SITE": "https://orders.example"} if name.startswith("compose") else {}
    environment = {**os.environ, **sites, "HOME": str(tmp_path)}
    for action in ("validate", "adapt"):
        command = [program("caddy", "caddy"), action, "--adapter", "caddyfile", "--config", str(DEPLOYMENTS / name)]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
    listening = [one["listen"] for one in json.loads(done.stdout)["apps"]["http"]["servers"].values()]
    assert listening.count(["0.0.0.0:443"]) == 1, "two servers at one port would share its connections by chance"
    assert len([one for one in listening if one[0].endswith(":443")]) == 1, listening


def test_both_databases_are_made_for_the_role_of_the_addresses() -> None:
    script = (DEPLOYMENTS / "databases.sql").read_text()
    made = {
        (owner, name)
        for name, owner in re.findall(r"CREATE DATABASE (\w+) OWNER (\w+) ENCODING 'UTF8' TEMPLATE template0;", script)
    }
    named = {
        (address.username, address.path.removeprefix("/"))
        for service in OURS.values()
        for name, value in service["environment"].items()
        if "DATABASE" in name
        for address in [urlsplit(re.sub(r"\$\{.*?\}", "secret", value))]
    }
    assert made == named and len(made) == 2
    assert re.findall(r"CREATE ROLE (\w+) LOGIN PASSWORD :'password';", script) == [
        owner for owner, _ in list(made)[:1]
    ]
    (variable,) = re.findall(r"^\\getenv password (\w+)$", script, flags=re.M)
    assert variable in SERVICES["postgres"]["environment"]
    assert "./databases.sql:/docker-entrypoint-initdb.d/databases.sql:ro" in SERVICES["postgres"]["volumes"]


# Kubernetes


def test_each_object_is_there_once_and_of_one_image() -> None:
    assert all(found["apiVersion"] for found in OBJECTS)
    assert max(Counter((found["kind"], found["metadata"]["name"]) for found in OBJECTS).values()) == 1
    (image,) = {container(pod)["image"] for pod in PODS.values()}
    assert re.fullmatch(r"registry\.example\.com/cartum-roapp:\d+\.\d+\.\d+", image)


def selected(wanted: dict[str, str]) -> list[str]:
    """The names of the deployments and jobs whose pods have these labels."""
    assert wanted
    return [name for name, pod in PODS.items() if wanted.items() <= pod["metadata"]["labels"].items()]


def test_each_selector_finds_the_pods_that_it_is_for() -> None:
    for found in of_kind("Deployment"):
        name = found["metadata"]["name"]
        assert selected(found["spec"]["selector"]["matchLabels"]) == [name]
        for spread in PODS[name]["spec"].get("topologySpreadConstraints", []):
            assert selected(spread["labelSelector"]["matchLabels"]) == [name]
    for found in of_kind("Service"):
        (name,) = selected(found["spec"]["selector"])
        ports = {port["name"]: port["containerPort"] for port in container(PODS[name])["ports"]}
        assert [ports[port["targetPort"]] for port in found["spec"]["ports"]] == [
            p["port"] for p in found["spec"]["ports"]
        ]
        assert name == found["metadata"]["name"]
    replicas = {found["metadata"]["name"]: found["spec"]["replicas"] for found in of_kind("Deployment")}
    kept = {}
    for found in of_kind("PodDisruptionBudget"):
        (name,) = selected(found["spec"]["selector"]["matchLabels"])
        kept[name] = found["spec"]["minAvailable"]
        assert kept[name] < replicas[name], "no node could ever be emptied"
    assert set(kept) == {name for name, count in replicas.items() if count > 1} == {"worker"}
    assert all("topologySpreadConstraints" in PODS[name]["spec"] for name in kept)


def test_hosts_and_addresses_lead_to_services() -> None:
    (service,), (ingress,), (client,) = of_kind("Service"), of_kind("Ingress"), of_kind("ConfigMap")
    host = urlsplit(client["data"]["CARTUM_ROAPP_CONSOLE_URL"]).hostname
    (rule,) = ingress["spec"]["rules"]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    assert (rule["host"], ingress["spec"]["tls"][0]["hosts"]) == (host, [host])
    assert backend == {"name": service["metadata"]["name"], "port": {"name": service["spec"]["ports"][0]["name"]}}
    site = client["data"]["PREFECT_UI_URL"]
    (origins,) = [one["value"] for one in CHART["server"]["env"] if one["name"].endswith("ALLOWED_ORIGINS")]
    assert (origins, CHART["server"]["uiConfig"]["prefectUiApiUrl"]) == (site, f"{site}/api")
    assert CHART["ingress"]["host"]["hostname"] == urlsplit(site).hostname
    assert client["data"]["PREFECT_API_URL"] == "http://prefect-server:4200/api", "what the chart calls its service"


def test_prefects_chart_runs_the_version_that_workers_have() -> None:
    (locked,) = re.findall(r"^prefect==(\S+)", (ROOT / "requirements.lock").read_text(), flags=re.M)
    assert CHART["global"]["prefect"]["image"]["prefectTag"].partition("-")[0] == locked


def test_the_documented_secrets_have_every_key_and_no_other() -> None:
    assert set(SECRETS) == {"prefect-server", "prefect-server-env", "cartum-roapp"}
    assert CHART["secret"] == {"create": False, "name": "prefect-server"}
    assert CHART["server"]["basicAuth"] == {"enabled": True, "existingSecret": "prefect-server"}
    assert set(SECRETS["prefect-server"]) == {"connection-string", "auth-string"}, "what the chart asks for"
    assert not of_kind("Secret"), "a secret is not part of the repository"
    urls = {key: value for found in SECRETS.values() for key, value in found.items() if "://" in value}
    assert {key: urlsplit(value).scheme for key, value in urls.items()} == {
        "CARTUM_ROAPP_DATABASE_URL": "postgresql", "connection-string": "postgresql+asyncpg",
        "PREFECT_REDIS_MESSAGING_URL": "redis", "PREFECT_SERVER_DOCKET_URL": "redis",
    }  # fmt: skip
    assert urls["PREFECT_REDIS_MESSAGING_URL"] != urls["PREFECT_SERVER_DOCKET_URL"]


@pytest.mark.parametrize("name", PODS)
def test_a_pod_may_do_no_more_than_it_needs(name: str) -> None:
    spec, only = PODS[name]["spec"], container(PODS[name])
    assert spec["enableServiceLinks"] is False
    assert spec["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & set(spec)
    rules = spec["securityContext"]
    assert rules["runAsNonRoot"] is True and rules["seccompProfile"] == {"type": "RuntimeDefault"}
    assert {f"{rules['runAsUser']}:{rules['runAsGroup']}"} == {rest for word, rest in INSTRUCTIONS if word == "USER"}
    assert rules["fsGroup"] == rules["runAsGroup"]
    own = only["securityContext"]
    assert own == {
        "readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert "command" not in only, "it would replace tini"
    volumes = {volume["name"] for volume in spec["volumes"] if volume["emptyDir"] == {}}
    mounts = {mount["mountPath"]: mount["name"] for mount in only["volumeMounts"]}
    assert set(mounts) == {"/data", "/tmp"} and set(mounts.values()) == volumes
    assert set(only["resources"]["requests"]) == {"cpu", "memory"} and "memory" in only["resources"]["limits"]


def test_what_answers_is_probed() -> None:
    def probes(name: str) -> dict[str, Any]:
        return {key: value for key, value in container(PODS[name]).items() if key.endswith("Probe")}

    # The console answers other names than its own with an error.
    assert {"readinessProbe", "livenessProbe"} <= set(probes("console"))
    assert all(probe["tcpSocket"] == {"port": "http"} for probe in probes("console").values())
    assert not probes("worker")
    assert CHART["server"]["livenessProbe"] == CHART["server"]["readinessProbe"] == {"enabled": True}
    assert PODS["worker"]["spec"]["terminationGracePeriodSeconds"] == 40
    assert OURS["worker-1"]["stop_grace_period"] == OURS["worker-2"]["stop_grace_period"] == "40s"
