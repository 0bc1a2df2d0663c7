"""The command line of every service: what cannot be done is one line and a non-zero exit."""

from collections.abc import Callable, Sequence

import pytest

import services.engagement.main
import services.gateway.main
import services.profile.main
import services.segmentation.main
from zhiyin.runtime.settings import ServiceSettings

Main = Callable[[Sequence[str]], int]
MAINS: dict[str, Main] = {
    "engagement": services.engagement.main.main,
    "gateway": services.gateway.main.main,
    "profile": services.profile.main.main,
    "segmentation": services.segmentation.main.main,
}
SOUND = {
    "ZHIYIN_POSTGRES": "postgresql://nobody@127.0.0.1:1/nothing",
    "ZHIYIN_REDIS": "redis://127.0.0.1:1",
    "ZHIYIN_SECRET_KEY": "a secret of enough letters",
}


@pytest.fixture(params=sorted(MAINS))
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch, logs_as_before: None) -> pytest.MonkeyPatch:
    for name, value in SOUND.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def refused(main: Main, words: Sequence[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The line that is said, the exit code being that of a wrong command or setting."""
    assert main(words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize(
    "words", [[], [""], ["fly"], ["serve", "now"], ["migrate", "--help"], ["\udcff"], ["ser\0ve"]]
)
def test_a_wrong_command_is_told_which_there_are(
    service: str,
    words: list[str],
    environ: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    usage = refused(MAINS[service], words, capsys)
    assert usage.startswith(f"usage: python -m services.{service}.main serve|migrate")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ZHIYIN_POSTGRES", None),
        ("ZHIYIN_POSTGRES", ""),
        ("ZHIYIN_POSTGRES", "mysql://127.0.0.1/x"),
        ("ZHIYIN_POSTGRES", "postgresql://127.0.0.1:port/x"),
        ("ZHIYIN_REDIS", None),
        ("ZHIYIN_REDIS", "127.0.0.1:6379"),
        ("ZHIYIN_REDIS", "redis://127.0.0.1:port"),
        ("ZHIYIN_SECRET_KEY", None),
        ("ZHIYIN_SECRET_KEY", "short"),
        ("ZHIYIN_KAFKA", "somewhere"),
        ("ZHIYIN_KAFKA", "host:99999"),
        ("ZHIYIN_LISTEN", "8080"),
        ("ZHIYIN_LISTEN", "127.0.0.1:99999"),
        ("ZHIYIN_STATUS_LISTEN", "nowhere"),
        ("ZHIYIN_TIMEZONE", "../../etc/passwd"),
        ("ZHIYIN_CURRENCY", "yuan"),
        ("ZHIYIN_PARTITIONS", "0"),
        ("ZHIYIN_PARTITIONS", "1e9"),
        ("ZHIYIN_LANES", "2.5"),
        ("ZHIYIN_BATCH_RECORDS", "many"),
        ("ZHIYIN_LOG_LEVEL", "loud"),
        ("ZHIYIN_TRACE_RATIO", "nan"),
        ("ZHIYIN_WATCHDOG_SECONDS", "-1"),
        ("ZHIYIN_SESSION_SECONDS", "inf"),
        ("ZHIYIN_PROFILE_URLS", "profile:8001"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector"),
    ],
)
def test_a_wrong_setting_is_named(
    service: str,
    name: str,
    value: str | None,
    environ: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    environ.delenv(name, raising=False) if value is None else environ.setenv(name, value)
    for words in (["serve"], ["migrate"]):
        assert name in refused(MAINS[service], words, capsys)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ZHIYIN_RATE_LIMIT", "0"),
        ("ZHIYIN_MOST_IN_FLIGHT", "²"),
        ("ZHIYIN_PHONE_REGION", "China"),
    ],
)
def test_a_wrong_setting_of_the_gateway_is_named(
    name: str, value: str, environ: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environ.setenv(name, value)
    assert name in refused(MAINS["gateway"], ["serve"], capsys)


def test_a_wrong_place_of_the_gateway_is_named_by_engagement(
    environ: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environ.setenv("ZHIYIN_GATEWAY_URLS", "gateway")
    assert "ZHIYIN_GATEWAY_URLS" in refused(MAINS["engagement"], ["serve"], capsys)


@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_a_server_that_does_not_answer_is_one_line(
    service: str,
    command: str,
    environ: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert MAINS[service]([command]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "does not answer" in line


@pytest.mark.parametrize(("cores", "lanes"), [(1, 1), (2, 1), (4, 2)])
def test_a_second_lane_wants_a_core_of_its_own(
    cores: int, lanes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    environ = {
        "ZHIYIN_POSTGRES": "postgresql://127.0.0.1/x",
        "ZHIYIN_REDIS": "redis://127.0.0.1:6379",
        "ZHIYIN_SECRET_KEY": "k" * 32,
    }
    assert ServiceSettings.from_env(environ).lanes == lanes
    assert ServiceSettings.from_env({**environ, "ZHIYIN_LANES": "3"}).lanes == 3
