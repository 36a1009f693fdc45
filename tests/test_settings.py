"""Settings: their sources, and the errors about invalid ones."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from calfeed.errors import SettingsError
from calfeed.settings import Settings, load_settings
from calfeed.store.database import Database

SECRET_URL = "postgresql://calfeed:hunter2@db.example.org/calfeed"
SECRET_PROXY = "http://calfeed:hunter2@proxy.example.org:3128"


def load(tmp_path: Path, text: str = "", **environment: str) -> Settings:
    file = tmp_path / "calfeed.toml"
    if text:
        file.write_text(text, "utf-8")
    return load_settings({f"CALFEED_{name}": value for name, value in environment.items()}, file)


def test_without_anything_there_are_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert (settings.events, settings.host, settings.port) == (Path("events"), "127.0.0.1", 8000)
    assert settings.allow_private_endpoints is False
    assert settings.base_url == "http://127.0.0.1:8000"
    assert settings.database == f"sqlite:///{Path('var/calfeed.sqlite3').absolute()}"


def test_the_database_is_in_the_data_folder_whatever_its_name(tmp_path: Path) -> None:
    data = tmp_path / "p%41 100%?x=1#é"
    with closing(Database(load(tmp_path, DATA=str(data)).database)) as database:
        assert database.file is not None
        assert database.file.path == data / "calfeed.sqlite3"
        assert database.name == f"sqlite:///{database.file.path}"


def test_the_environment_goes_before_the_file_and_the_file_before_the_defaults(
    tmp_path: Path,
) -> None:
    settings = load(tmp_path, "port = 8001\nhost = '0.0.0.0'\n", PORT="8002")
    assert (settings.port, settings.host, settings.events) == (8002, "0.0.0.0", Path("events"))


def test_the_file_takes_the_names_of_the_environment_as_well(tmp_path: Path) -> None:
    assert load(tmp_path, "CALFEED_PORT = 8001\n").port == 8001


def test_other_variables_are_nobody_elses_business(tmp_path: Path) -> None:
    assert load_settings({"PORT": "1", "HOME": "/"}, tmp_path / "none.toml").port == 8000


def test_a_byte_order_mark_at_the_start_of_the_file_is_ignored(tmp_path: Path) -> None:
    assert load(tmp_path, "\ufeffport = 8001\n").port == 8001


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("DATABASE_ULR", "CALFEED_DATABASE_URL"),
        ("PROT", "CALFEED_PORT"),
        ("EVENT", "CALFEED_EVENTS"),
    ],
)
def test_an_unknown_setting_is_an_error_with_a_suggestion(
    tmp_path: Path, written: str, meant: str
) -> None:
    with pytest.raises(SettingsError, match=f"CALFEED_{written} is not a setting.*{meant}"):
        load(tmp_path, **{written: "x"})


def test_an_unknown_setting_like_none_lists_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, "zzzzzz = 1")
    assert "zzzzzz in" in str(caught.value)
    for name in Settings.model_fields:
        assert f"CALFEED_{name.upper()}" in str(caught.value)


def test_everything_wrong_is_told_at_once_a_line_each(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(
            tmp_path,
            "prot = 1\n",
            PORT="99999",
            PUBLIC_URL="calendar.example.org",
            ALLOW_PRIVATE_ENDPOINTS="perhaps",
        )
    lines = str(caught.value).splitlines()
    assert len(lines) == 4
    for name, line in zip(
        ["CALFEED_ALLOW_PRIVATE_ENDPOINTS", "CALFEED_PORT", "CALFEED_PUBLIC_URL", "prot in"],
        lines,
        strict=True,
    ):
        assert line.startswith(name)
    assert "pydantic" not in str(caught.value)


def test_no_error_and_no_repr_shows_a_password(tmp_path: Path) -> None:
    settings = load(tmp_path, DATABASE_URL=SECRET_URL, EGRESS_PROXY=SECRET_PROXY)
    assert settings.database == SECRET_URL
    assert settings.proxy == SECRET_PROXY
    assert "hunter2" not in f"{settings!r} {settings} {settings.model_dump_json()}"
    for environment in (
        {"DATABASE_URL": SECRET_URL, "PORT": "x"},
        {"DATABASE_ULR": SECRET_URL},
        {"PUBLIC_URL": "ftp://user:hunter2@example.org"},
        {"EGRESS_PROXY": "http://user:hunter2/@example.org:1"},
        {"EGRESS_PROXY": "http://user:x@hunter2:hunter2"},
    ):
        with pytest.raises(SettingsError) as caught:
            load(tmp_path, **environment)
        assert "hunter2" not in str(caught.value)
        assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    "name",
    ["EVENTS", "DATA", "KEYS_FILE", "CHANNELS", "MAIL_DKIM_KEY", "ADMIN_TOKEN_FILE"],
)
def test_an_empty_path_is_an_error_and_not_the_working_directory(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match=f"^CALFEED_{name}: is empty; leave it out$"):
        load(tmp_path, **{name: ""})
    with pytest.raises(SettingsError, match=f"^{name.lower()} in .*: is empty; leave it out$"):
        load(tmp_path, f"{name.lower()} = ''\n")


def test_a_file_that_is_not_toml_is_an_error_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"calfeed\.toml cannot be read"):
        load(tmp_path, "port: 8000")
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings({}, tmp_path)


def test_the_public_url_has_no_slash_at_its_end(tmp_path: Path) -> None:
    settings = load(tmp_path, PUBLIC_URL="https://calendar.example.org/")
    assert settings.base_url == "https://calendar.example.org"
    assert settings.local_base_url == "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("HTTPS://Calendar.Example.ORG:443", "https://calendar.example.org"),
        (" https://a.example\n", "https://a.example"),
        ("https://bücher.example/", "https://xn--bcher-kva.example"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
        ("http://a.example:80", "http://a.example"),
        ("https://A.example/Dates/", "https://a.example/Dates"),
        (
            "https://a.example:8443/~desk/key-dates_2.0",
            "https://a.example:8443/~desk/key-dates_2.0",
        ),
    ],
)
def test_the_public_url_is_kept_in_one_form(tmp_path: Path, given: str, kept: str) -> None:
    """Whether it is https, which cookies and headers depend on, is told from its beginning."""
    assert load(tmp_path, PUBLIC_URL=given).base_url == kept


@pytest.mark.parametrize(
    "url",
    [
        *("", "example.org", "//example.org", "ftp://a.example", "https://", "https://a b.example"),
        *("https://a.example//", "https://a.example/x//y", "https://a.example/x//"),
        *("https://a.example/.x", "https://a.example/x y", "https://a.example/%78"),
        *("https://a.example/bücher", "https://a.example/x;y", "https://a.example/x?"),
        *("https://a.example?", "https://a.example#"),
        *("https://me@a.example", "https://:x@a.example", "https://a.example:0"),
        *('https://a.example"x', "https://a.example\\@b", "https://a'b.example"),
    ],
)
def test_what_else_a_public_url_has_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match="CALFEED_PUBLIC_URL: "):
        load(tmp_path, PUBLIC_URL=url)


@pytest.mark.parametrize(
    "url",
    [
        "http://proxy.example.org:3128",
        "https://proxy.example.org:443/",
        "socks5h://127.0.0.1:1080",
        "http://user:p%40ss@[::1]:3128",
        "HTTP://proxy.example.org:80",
    ],
)
def test_an_egress_proxy_is_a_scheme_a_host_and_a_port(tmp_path: Path, url: str) -> None:
    assert load(tmp_path).proxy is None
    assert load(tmp_path, EGRESS_PROXY=url).proxy == url
    assert load(tmp_path, f"egress_proxy = '{url}'").proxy == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "proxy.example.org:3128",
        "http://proxy.example.org",  # 80 to most people, 1080 to libcurl
        "http://:3128",
        "http://proxy.example.org:0",
        "http://proxy.example.org:99999",
        "http://proxy.example.org:3128/path",
        "http://proxy.example.org:3128?query",
        "http://proxy.example.org:3128#part",
        "http://proxy.example.org:3128\n",
        "http://user:pass word@proxy.example.org:3128",
        "http://user:پاس@proxy.example.org:3128",
        "http://user:a/b@proxy.example.org:3128",
        "http://[::1:3128",
        "socks5://proxy.example.org:1080",  # it would look names up here
        "ftp://proxy.example.org:21",
    ],
)
def test_any_other_egress_proxy_is_an_error_that_says_how_one_looks(
    tmp_path: Path, url: str
) -> None:
    with pytest.raises(SettingsError, match="CALFEED_EGRESS_PROXY: it has to be a scheme"):
        load(tmp_path, EGRESS_PROXY=url)


def test_the_time_zone_is_one_that_there_is(tmp_path: Path) -> None:
    assert load(tmp_path).time_zone == ""
    assert load(tmp_path, TIME_ZONE="Asia/Karachi").time_zone == "Asia/Karachi"
    for name in ("Mars/Olympus", "Karachi", "../UTC", "Asia"):
        with pytest.raises(SettingsError, match="CALFEED_TIME_ZONE: it has to be the name"):
            load(tmp_path, TIME_ZONE=name)


def test_settings_do_not_change(tmp_path: Path) -> None:
    settings = load(tmp_path)
    with pytest.raises(ValidationError):
        settings.port = 1  # type: ignore[misc]  # mypy knows, and the test shows it


def test_a_server_on_every_address_is_reached_at_loopback(tmp_path: Path) -> None:
    assert load(tmp_path, HOST="0.0.0.0").local_base_url == "http://127.0.0.1:8000"
    assert load(tmp_path, HOST="::").local_base_url == "http://[::1]:8000"
    assert load(tmp_path, HOST="::1").local_base_url == "http://[::1]:8000"


@pytest.mark.parametrize("name", ["ADMIN_TOKEN", "DATABASE_URL", "EGRESS_PROXY"])
def test_each_secret_can_stand_in_a_file_of_its_own(tmp_path: Path, name: str) -> None:
    secrets = {
        "ADMIN_TOKEN": "0123456789abcdef0123456789abcdef",
        "DATABASE_URL": SECRET_URL,
        "EGRESS_PROXY": SECRET_PROXY,
    }
    file = tmp_path / "secret"
    file.write_text(secrets[name] + "\n", "utf-8")
    by_environment = load(tmp_path, **{f"{name}_FILE": str(file)})
    assert getattr(by_environment, name.lower()).get_secret_value() == secrets[name]
    by_file = load(tmp_path, f"{name.lower()}_file = '{file}'\n")
    assert getattr(by_file, name.lower()).get_secret_value() == secrets[name]


def test_no_other_setting_can_stand_in_a_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="CALFEED_PORT_FILE is not a setting"):
        load(tmp_path, PORT_FILE="port")


def test_a_secret_and_a_file_with_it_are_a_contradiction(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="ADMIN_TOKEN_FILE: CALFEED_ADMIN_TOKEN is set as well"):
        load(tmp_path, ADMIN_TOKEN="0123456789abcdef", ADMIN_TOKEN_FILE="secret")


def test_the_environment_goes_before_calfeed_toml_in_either_form(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from-the-file-0123456789\n")
    text = f"admin_token_file = '{tmp_path / 'secret'}'\n"
    settings = load(tmp_path, text, ADMIN_TOKEN="from-the-environment-0123456789")
    assert settings.admin_token is not None
    assert settings.admin_token.get_secret_value() == "from-the-environment-0123456789"


@pytest.mark.parametrize(
    "content",
    [
        *(None, b"\xff\xfe", b"short\n", b"", b"\r\n", b"short-and-then-more\nof-it\n"),
        *(b"short-and-then-more-of\0", b"short" * 20_000),
    ],
)
def test_a_secret_in_a_file_that_cannot_be_used_is_not_repeated(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    for name in ("ADMIN_TOKEN", "DATABASE_URL") if content != b"short\n" else ("ADMIN_TOKEN",):
        with pytest.raises(SettingsError, match=f"CALFEED_{name}_FILE: ") as caught:
            load(tmp_path, **{f"{name}_FILE": str(file)})
        assert "short" not in str(caught.value)


def test_a_secret_is_read_as_editors_and_pipes_give_it(tmp_path: Path) -> None:
    token = "0123456789abcdef0123456789abcdef"
    file = tmp_path / "secret"
    for content in (token, f"{token}\n", f"{token}\r\n", f"\ufeff{token}\r\n"):
        file.write_bytes(content.encode())
        settings = load(tmp_path, ADMIN_TOKEN_FILE=str(file))
        assert settings.admin_token == SecretStr(token)
    reading, writing = os.pipe()  # as a shell makes one for <(…)
    os.write(writing, f"{token}\n".encode())
    os.close(writing)
    assert load(tmp_path, ADMIN_TOKEN_FILE=f"/dev/fd/{reading}").admin_token == SecretStr(token)
    os.close(reading)


@pytest.mark.parametrize("name", ["pipe", ".", "/dev/zero", "/dev/null", "nowhere", "a\0b"])
def test_what_is_no_file_with_a_secret_is_an_error_at_once(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SettingsError, match="CALFEED_ADMIN_TOKEN_FILE: "):
        load(tmp_path, ADMIN_TOKEN_FILE=str(tmp_path / name))


def test_keys_are_beside_the_database_or_where_they_are_said_to_be(tmp_path: Path) -> None:
    assert load(tmp_path).keys is None  # beside the SQLite file
    assert load(tmp_path, DATABASE_URL=SECRET_URL).keys == Path("var/calfeed.keys")
    assert load(tmp_path, KEYS_FILE="/etc/keys").keys == Path("/etc/keys")


def test_keys_can_come_as_a_credential_of_the_service(tmp_path: Path) -> None:
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert load_settings(environment, tmp_path / "none.toml").keys_file is None
    (tmp_path / "calfeed-keys").touch()
    found = load_settings(environment, tmp_path / "none.toml")
    assert found.keys_file == tmp_path / "calfeed-keys"
    own = load_settings({**environment, "CALFEED_KEYS_FILE": "own"}, tmp_path / "none.toml")
    assert own.keys_file == Path("own")
