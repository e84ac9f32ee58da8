"""Listening with a certificate: renewed, spoilt, out of date; and the program's own client."""

import asyncio
import codecs
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
import trustme
from aiohttp import web
from aiohttp.test_utils import unused_port

from bot.app import run
from bot.certificate import BadCertificate, Certificate, fingerprint
from bot.commands.check import check
from bot.commands.client import InstanceClient, InstanceError, InstanceUnavailable
from bot.settings import DatabaseSettings, HttpSettings, Settings
from tests.bot.conftest import configured, serve

SITE = "sentinel.example.org"
DAY = timedelta(days=1)


class Files:
    """The two files of a certificate, as certbot writes them."""

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        self.certificate = folder / "fullchain.pem"
        self.private_key = folder / "privkey.pem"
        self.renew()

    def renew(self, days: float = 90, begins: float = -1) -> None:
        """Write a new certificate that is valid for so many days from now."""
        now = datetime.now(UTC)
        issued = self.authority.issue_cert(
            SITE, not_before=now + begins * DAY, not_after=now + days * DAY
        )
        self.certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(self.private_key)

    def http(self, port: int = 30150) -> HttpSettings:
        """The configuration that names them."""
        return HttpSettings(port=port, certificate=self.certificate, private_key=self.private_key)

    def settings(self, port: int = 30150) -> Settings:
        """A whole configuration."""
        return configured(self.certificate.parent, self.http(port))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Files that are good for three months."""
    return Files(tmp_path)


@asynccontextmanager
async def serving(certificate: Certificate) -> AsyncIterator[int]:
    """Something that answers like the bot, with this certificate; gives its port."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"events": [], "last": 7})

    app = web.Application()
    app.router.add_get("/api/events", answer)
    async with AsyncExitStack() as stack:
        yield await serve(stack, app, context=certificate.context)


async def shown(port: int, files: Files, name: str | None = SITE) -> bytes:
    """Connect as a browser that trusts the authority, and return the certificate's fingerprint."""
    trusting = ssl.create_default_context()
    files.authority.configure_trust(trusting)
    trusting.check_hostname = name is not None
    _, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=trusting, server_hostname=name or ""
    )
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    await writer.wait_closed()
    found = files.certificate.parent / "shown.pem"
    found.write_text(ssl.DER_cert_to_PEM_cert(der))
    return fingerprint(found)


@pytest.mark.parametrize("name", [SITE, None])
async def test_renewed_certificate_is_used_without_a_restart(
    files: Files, name: str | None
) -> None:
    certificate = Certificate(files.certificate, files.private_key)
    async with serving(certificate) as port:
        first = fingerprint(files.certificate)
        assert await shown(port, files, name) == first
        files.renew()
        certificate.reload()
        assert await shown(port, files, name) == fingerprint(files.certificate) != first


async def test_half_renewed_certificate_is_not_used_yet(
    files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    certificate = Certificate(files.certificate, files.private_key)
    old, old_key = fingerprint(files.certificate), files.private_key.read_bytes()
    async with serving(certificate) as port:
        files.renew()
        new_key = files.private_key.read_bytes()
        for halfway in (old_key, b"", None):
            if halfway is None:
                files.private_key.unlink()
            else:
                files.private_key.write_bytes(halfway)
            for _ in range(2):  # each fault is told once
                certificate.reload()
            assert await shown(port, files) == old
        assert caplog.text.count("the old one stays in use") == 3
        files.private_key.write_bytes(new_key)
        certificate.reload()
        assert await shown(port, files) == fingerprint(files.certificate) != old


async def test_byte_order_marks_are_skipped(files: Files) -> None:
    for file in (files.certificate, files.private_key):
        file.write_bytes(codecs.BOM_UTF8 + file.read_bytes())
    async with serving(Certificate(files.certificate, files.private_key)) as port:
        assert await shown(port, files) == fingerprint(files.certificate)


def test_tls_below_1_2_is_rejected(files: Files) -> None:
    context = Certificate(files.certificate, files.private_key).context
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def _no_certificate(files: Files) -> None:
    files.certificate.write_text("not a certificate")


def _swapped(files: Files) -> None:
    certificate, key = files.certificate.read_bytes(), files.private_key.read_bytes()
    files.certificate.write_bytes(key)
    files.private_key.write_bytes(certificate)


def _missing(files: Files) -> None:
    files.certificate.unlink()


def _no_key(files: Files) -> None:
    files.private_key.write_text("not a key")


def _key_of_another(files: Files) -> None:
    other = files.authority.issue_cert(SITE)
    other.private_key_pem.write_to_path(files.private_key)


def _key_with_password(files: Files) -> None:
    files.private_key.write_text(
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
        "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
        + "A" * 64
        + "\n-----END RSA PRIVATE KEY-----\n"
    )


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (_no_certificate, "fullchain.pem is not a certificate in PEM form; take the file"),
        (_swapped, "fullchain.pem is not a certificate in PEM form; take the file"),
        (_missing, "fullchain.pem cannot be read: No such file or directory; correct its name"),
        (_no_key, "privkey.pem is not a usable private key; take the one"),
        (_key_with_password, "privkey.pem is not a usable private key; take the one"),
        (_key_of_another, "is not the key of "),
    ],
)
async def test_unusable_files_are_reported_with_a_remedy(
    files: Files, spoil: object, sentence: str
) -> None:
    assert callable(spoil)
    spoil(files)
    with pytest.raises(BadCertificate) as fault:
        Certificate(files.certificate, files.private_key)
    assert sentence in str(fault.value)
    assert sentence.partition(";")[0] in "\n".join(await check_lines(files.settings()))


async def check_lines(settings: Settings) -> list[str]:
    """Check a configuration and return what was said."""
    lines: list[str] = []
    await check(settings, None, lines.append)
    return lines


@pytest.mark.parametrize(
    ("begins", "days", "line"),
    [
        (-1, 90, "ok    the certificate fits its key and is valid until "),
        (-80, 10, "FAULT the certificate ends on "),
        (-91, -1, "FAULT the certificate ended on "),
        (1, 90, "FAULT the certificate is valid only from "),
    ],
)
async def test_check_reports_how_long_the_certificate_is_valid(
    files: Files, begins: float, days: float, line: str
) -> None:
    files.renew(days, begins)
    assert any(said.startswith(line) for said in await check_lines(files.settings()))


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no such bits")
async def test_check_notes_private_key_readable_by_others(files: Files) -> None:
    files.private_key.chmod(0o644)
    lines = await check_lines(files.settings())
    assert any(f"note  {files.private_key} can be read by other users" in line for line in lines)


async def test_check_notes_that_proxies_pass_only_pushes_without_clients(
    tmp_path: Path,
) -> None:
    settings = Settings(
        http=HttpSettings(trusted_proxies=[ip_network("127.0.0.1")]),
        database=DatabaseSettings(path=tmp_path / "sentinel.db"),
    )
    assert any(
        "through a trusted proxy only pushes get in" in line for line in await check_lines(settings)
    )


async def test_client_trusts_only_the_configured_certificate(files: Files) -> None:
    async with serving(Certificate(files.certificate, files.private_key)) as port:
        client = InstanceClient.from_settings(files.settings(port))
        assert client.url == f"https://127.0.0.1:{port}"
        assert (await asyncio.to_thread(client.events, None, ["all"], 0)).last == 7
        files.renew()
        client = InstanceClient.from_settings(files.settings(port))
        with pytest.raises(InstanceUnavailable, match="shows another certificate"):
            await asyncio.to_thread(client.events, None, ["all"], 0)


async def test_client_reports_that_the_bot_does_not_speak_tls(files: Files) -> None:
    runner = web.AppRunner(web.Application())
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = int(runner.addresses[0][1])
        client = InstanceClient.from_settings(files.settings(port))
        with pytest.raises(InstanceError, match="does not speak TLS"):
            await asyncio.to_thread(client.events, None, ["all"], 0)
    finally:
        await runner.cleanup()


def test_client_reports_unreadable_certificate(files: Files) -> None:
    settings = files.settings()
    files.certificate.unlink()
    with pytest.raises(InstanceError, match=r"fullchain\.pem cannot be read"):
        InstanceClient.from_settings(settings)


async def test_bot_serves_https_and_its_commands_use_it(
    files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    settings = files.settings(unused_port())
    stop, started = asyncio.Event(), asyncio.Event()
    bot = asyncio.create_task(run(settings, stop, lambda _: started.set()))
    try:
        client = InstanceClient.from_settings(settings)
        async with asyncio.timeout(30):
            await started.wait()
            await asyncio.to_thread(client.push, "EVENT_REMOVE_911", {"callIds": [7]})
            assert (await asyncio.to_thread(client.query, "get-tiers", {}))["type"] == "get-tiers"
            for _ in range(2):
                reader, writer = await asyncio.open_connection("127.0.0.1", settings.http.port)
                writer.write(b"POST /event HTTP/1.1\r\n\r\n")
                with suppress(ConnectionError):
                    await reader.read()
                writer.close()
            assert caplog.text.count("begin the address with https://") == 1
    finally:
        stop.set()
        await bot
