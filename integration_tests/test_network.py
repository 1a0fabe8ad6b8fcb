"""Proxies, certificates, .netrc and redirects: as users of `requests` expect, and the key to Codat only."""

import datetime as dt
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from codat_simulator import Fault
from integration_tests.support.connector import catalog, config
from integration_tests.support.disguises import leaks, written
from integration_tests.support.forward_proxy import ForwardProxy
from integration_tests.support.relay import Relay
from integration_tests.support.sentences import assert_sentence, refusal

pytestmark = pytest.mark.waits

PASSWORD = "proxy-password-0123456789"
WAYS = ["HTTP_PROXY", "http_proxy", "ALL_PROXY"]


@pytest.fixture
def proxy():
    with ForwardProxy() as running:
        yield running


@pytest.fixture
def strict_proxy():
    with ForwardProxy(PASSWORD) as running:
        yield running


@pytest.fixture
def authority(tmp_path):
    """A certificate authority of a company's own, and a server's certificate signed by it."""
    now = dt.datetime.now(dt.timezone.utc)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, one)]) for one in ("Own CA", "localhost")
    ]
    made = []
    for number, constraints in enumerate(
        (x509.BasicConstraints(True, None), x509.BasicConstraints(False, None))
    ):
        builder = (
            x509.CertificateBuilder(
                names[0], names[number], keys[number].public_key(), x509.random_serial_number()
            )
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(constraints, critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        )
        made.append(builder.sign(keys[0], hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    bundle, server = tmp_path / "ca.pem", tmp_path / "server.pem"
    bundle.write_bytes(made[0])
    private = keys[1].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    server.write_bytes(private + made[1])
    return bundle, server


@pytest.fixture
def encrypted(sim, authority):
    with Relay(sim, certificate=authority[1]) as relay:
        yield relay


@pytest.mark.parametrize("variable", WAYS)
def test_requests_go_through_the_proxy_of_the_environment(sim, script, tmp_path, proxy, variable):
    said = script.run("check", tmp_path, env={variable: proxy.url()}, config=config(sim))
    assert said.status == {"status": "SUCCEEDED"}
    assert [head.split(" HTTP/")[0] for head in proxy.heads] == [f"GET {sim.url}/companies?page=1&pageSize=1"]


def test_a_read_goes_through_the_proxy_and_brings_every_record(sim, script, tmp_path, proxy):
    said = script.run(
        "read", tmp_path, env={"HTTP_PROXY": proxy.url()}, config=config(sim), catalog=catalog("invoices")
    )
    assert said.code == 0
    assert len(said.records("invoices")) == len(sim.world.records("invoices"))
    assert len(proxy.heads) == len(sim.requests)


@pytest.mark.parametrize("exempt", ["localhost", "example.org,localhost", "*"])
def test_hosts_in_no_proxy_are_asked_directly(sim, script, tmp_path, proxy, exempt):
    env = {"HTTP_PROXY": proxy.url(), "NO_PROXY": exempt}
    said = script.run("check", tmp_path, env=env, config=config(sim))
    assert said.status == {"status": "SUCCEEDED"}
    assert proxy.heads == []


def test_a_proxy_of_encrypted_traffic_never_sees_the_key(sim, script, tmp_path, proxy, authority, encrypted):
    env = {"HTTPS_PROXY": proxy.url(), "REQUESTS_CA_BUNDLE": str(authority[0])}
    said = script.run("check", tmp_path, env=env, config=config(sim, base_url=encrypted.url))
    assert said.status == {"status": "SUCCEEDED"}
    assert [head.split(" ")[0] for head in proxy.heads] == ["CONNECT"]
    assert leaks(sim.api_key, *proxy.heads) == []
    assert [one.headers["Authorization"] for one in sim.requests] == [sim.authorization]


@pytest.mark.parametrize("kind", ["http", "https"])
def test_a_proxys_credentials_reach_the_proxy_and_nobody_else(
    sim, script, tmp_path, strict_proxy, authority, encrypted, kind
):
    address = sim.url if kind == "http" else encrypted.url
    env = {f"{kind}_proxy": strict_proxy.url(f"user:{PASSWORD}"), "REQUESTS_CA_BUNDLE": str(authority[0])}
    env["LOG_LEVEL"] = "DEBUG"
    said = script.run("check", tmp_path, "--debug", env=env, config=config(sim, base_url=address))
    assert said.status == {"status": "SUCCEEDED"}
    assert "Proxy-Authorization: Basic" in strict_proxy.heads[0]
    assert leaks(PASSWORD, *written(tmp_path)) == leaks(f"user:{PASSWORD}", *written(tmp_path)) == []
    assert len(sim.requests) == 1


@pytest.mark.parametrize("kind", ["http", "https"])
@pytest.mark.parametrize("trouble", ["refuses", "is gone"])
def test_a_proxy_that_does_not_work_is_told_in_one_sentence_without_its_password(
    sim, script, tmp_path, strict_proxy, encrypted, kind, trouble
):
    address = sim.url if kind == "http" else encrypted.url
    wrong = strict_proxy.url(f"user:not-the-{PASSWORD}")
    env = {f"{kind}_proxy": wrong if trouble == "refuses" else f"http://user:{PASSWORD}@localhost:9"}
    for command in ("check", "read"):
        contents = {"catalog": catalog("invoices")} if command == "read" else {}
        said = script.run(
            command,
            tmp_path,
            "--debug",
            env={**env, "LOG_LEVEL": "DEBUG"},
            hurried=True,
            config=config(sim, base_url=address),
            **contents,
        )
        message = refusal(said) if command == "check" else said.errors[0]["message"]
        assert "roxy" in message
        assert_sentence(message)
        assert leaks(PASSWORD, *written(tmp_path)) == leaks(sim.api_key, *written(tmp_path)) == []
    assert sim.requests == []


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_an_authority_of_ones_own_is_trusted_once_its_bundle_is_named(
    sim, script, tmp_path, authority, encrypted, variable
):
    settings = config(sim, base_url=encrypted.url)
    without = script.run("check", tmp_path, hurried=True, config=settings)
    assert "REQUESTS_CA_BUNDLE" in refusal(without)
    assert_sentence(refusal(without), "certificate isn't trusted")
    assert sim.requests == []
    said = script.run("check", tmp_path, env={variable: str(authority[0])}, config=settings)
    assert said.status == {"status": "SUCCEEDED"}


def test_a_bundle_that_is_not_there_is_told_in_one_sentence(sim, script, tmp_path, encrypted):
    env = {"REQUESTS_CA_BUNDLE": str(tmp_path / "nowhere.pem")}
    said = script.run("check", tmp_path, env=env, hurried=True, config=config(sim, base_url=encrypted.url))
    assert_sentence(refusal(said), "REQUESTS_CA_BUNDLE")


@pytest.mark.parametrize("command", ["check", "read"])
def test_a_netrc_file_never_replaces_the_key(sim, script, tmp_path, command):
    netrc = tmp_path / ".netrc"
    lines = [f"machine {host} login somebody password else" for host in ("localhost", "127.0.0.1")]
    netrc.write_text("\n".join([*lines, "default login any password body", ""]))
    netrc.chmod(0o600)
    contents = {"config": config(sim), "catalog": catalog("invoices") if command == "read" else None}
    said = script.run(command, tmp_path, env={"NETRC": str(netrc), "HOME": str(tmp_path)}, **contents)
    assert said.code == 0
    assert {one.headers["Authorization"] for one in sim.requests} == {sim.authorization}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_is_not_followed(sim, script, tmp_path, status):
    sim.faults.add(Fault(path="/data/", action="redirect", status=status, times=None))
    said = script.run(
        "read",
        tmp_path,
        hurried=True,
        config=config(sim, refresh_older_than_hours=1),
        catalog=catalog("invoices"),
    )
    assert said.code == 1
    assert {one.headers["Host"] for one in sim.requests} == {urlsplit(sim.url).netloc}
    assert any(one.status == status for one in sim.requests)


@pytest.mark.parametrize("place", ["the same host", "another scheme", "nowhere"])
def test_nor_is_one_to_the_same_host_or_to_plain_http(sim, script, tmp_path, authority, place):
    target = {"the same host": "/elsewhere", "another scheme": f"{sim.url}/companies", "nowhere": ""}[place]
    head = f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n"
    with Relay(sim, [head.encode()], certificate=authority[1]) as relay:
        env = {"REQUESTS_CA_BUNDLE": str(authority[0])}
        said = script.run("check", tmp_path, env=env, hurried=True, config=config(sim, base_url=relay.url))
    assert_sentence(refusal(said), "it points to another address, and the key isn't sent there")
    assert sim.requests == []


def test_no_cookie_of_a_server_comes_back_to_it(sim, script, tmp_path):
    sim.faults.add(
        Fault(path="/companies", action="pretty", headers={"Set-Cookie": "a=b; Path=/"}, times=None)
    )
    said = script.run("read", tmp_path, config=config(sim), catalog=catalog("invoices"))
    assert said.code == 0
    assert not any("Cookie" in one.headers for one in sim.requests)


@pytest.mark.parametrize("address", ["user:{}@localhost:1", "http://user:{}@:1", "ftp://user:{}@localhost:1"])
def test_a_proxy_whose_address_cannot_be_used_is_told_without_its_password(sim, script, tmp_path, address):
    env = {"ALL_PROXY": address.format(PASSWORD), "LOG_LEVEL": "DEBUG"}
    said = script.run("check", tmp_path, "--debug", env=env, hurried=True, config=config(sim))
    assert "the address of the proxy that the environment names can't be used" in said.status["message"]
    assert_sentence(said.status["message"])
    assert not any(PASSWORD in text for text in written(tmp_path))
