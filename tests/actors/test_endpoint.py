"""What may be shown of a URL."""

import pytest

from ticklane.actors.endpoint import Endpoint

PRIVATE = "hunter2"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"https://host.example/hooks/{PRIVATE}", "https://host.example/…"),
        (f"https://host.example:8443/?key={PRIVATE}", "https://host.example:8443/…"),
        (f"https://host.example?key={PRIVATE}", "https://host.example/…"),
        (f"https://host.example#{PRIVATE}", "https://host.example/…"),
        (f"https://name:{PRIVATE}@host.example/", "https://host.example/…"),
        (f"tgram://{PRIVATE}/chat", "tgram://…"),
        (f"mailto://name:{PRIVATE}@example.org", "mailto://…"),
        (PRIVATE, "…"),
    ],
)
def test_only_scheme_and_host_are_shown(url: str, shown: str) -> None:
    endpoint = Endpoint(url)

    assert (endpoint.shown, repr(endpoint), str(endpoint), f"{endpoint}") == (shown,) * 4


def test_name_and_password_become_a_header() -> None:
    endpoint = Endpoint("https://name:pass%20word@host/path?a=b")

    assert endpoint.url == "https://host/path?a=b"
    assert endpoint.headers == {"Authorization": "Basic bmFtZTpwYXNzIHdvcmQ="}


def test_without_them_there_is_no_header() -> None:
    assert Endpoint("https://host/a@b").headers == {}


@pytest.mark.parametrize("url", ["https://host", "http://[::1]:80/a"])
def test_a_web_address_is_valid(url: str) -> None:
    assert Endpoint(url).valid


@pytest.mark.parametrize("url", ["https://", "https:///a", "http://h:x/", "ftp://host/", "host"])
def test_what_is_no_web_address_is_not(url: str) -> None:
    assert not Endpoint(url).valid
