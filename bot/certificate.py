"""The certificate that the bot listens with, read again when its files are renewed."""

import codecs
import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Self

from bot.settings import HttpSettings

if TYPE_CHECKING:
    from cryptography import x509

log = logging.getLogger(__name__)


class BadCertificate(Exception):
    """The files cannot be used: what is wrong with them, and how to fix it."""

    def __init__(self, sentence: str, mend: str) -> None:
        super().__init__(f"{sentence}; {mend}")
        self.sentence = sentence
        self.mend = mend


class Certificate:
    """The certificate that new connections get; the server keeps `context` for good."""

    def __init__(self, certificate: Path, private_key: Path) -> None:
        """Read the files.

        Raises:
            BadCertificate: they cannot be used.
        """
        self._files = (certificate, private_key)
        self._contents = _read(certificate), _read(private_key)
        self._newest = self.context = _context(*self._files)
        self.context.sni_callback = self._use_newest
        self._told = ""

    @classmethod
    def of(cls, settings: HttpSettings) -> Self | None:
        """Return the configured certificate, if there is one.

        Raises:
            BadCertificate: it cannot be used.
        """
        if settings.certificate is None or settings.private_key is None:
            return None
        return cls(settings.certificate, settings.private_key)

    def reload(self) -> None:
        """Use what the files hold now; if that is unusable, go on with what was there before."""
        try:
            contents = _read(self._files[0]), _read(self._files[1])
            if contents == self._contents:
                return
            self._newest = _context(*self._files)
        except BadCertificate as fault:
            # A renewal replaces one file after the other; the next look may find both.
            if str(fault) != self._told:
                log.warning(
                    "the renewed certificate cannot be used, the old one stays in use: %s", fault
                )
            self._told = str(fault)
            return
        self._contents, self._told = contents, ""
        log.info("the certificate was renewed; new connections get the new one")

    def _use_newest(self, connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        """Use the newest certificate in a handshake; called also without a server name."""
        connection.context = self._newest


def read_certificate(path: Path) -> "x509.Certificate":
    """Return the server's own certificate, which comes first in its file.

    Raises:
        BadCertificate: there is none.
    """
    # 8 MiB of memory, which only those with a certificate need.
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificates(_read(path))[0]
    except ValueError:
        raise BadCertificate(
            f"{path} is not a certificate in PEM form",
            "take the file that begins with -----BEGIN CERTIFICATE-----, often fullchain.pem",
        ) from None


def fingerprint(path: Path) -> bytes:
    """Return the SHA-256 fingerprint of a certificate.

    Raises:
        BadCertificate: there is none.
    """
    from cryptography.hazmat.primitives.hashes import SHA256

    return read_certificate(path).fingerprint(SHA256())


def _read(path: Path) -> bytes:
    """Return what a file in PEM form holds, without the byte order mark that editors add."""
    try:
        return path.read_bytes().removeprefix(codecs.BOM_UTF8)
    except OSError as fault:
        raise BadCertificate(
            f"{path} cannot be read: {fault.strerror}",
            "correct its name in [http], or let the bot's user read it",
        ) from None


def _context(certificate: Path, private_key: Path) -> ssl.SSLContext:
    """Return a new context: loading a pair that does not match spoils an existing one."""
    read_certificate(certificate)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        with _as_written(certificate) as pem, _as_written(private_key) as key:
            # Without a password of ours, OpenSSL would ask for one at the terminal.
            context.load_cert_chain(pem, key, password=lambda: "")
    except ssl.SSLError as fault:
        if fault.reason == "KEY_VALUES_MISMATCH":
            raise BadCertificate(
                f"{private_key} is not the key of {certificate}",
                "take both from the same folder, often privkey.pem and fullchain.pem",
            ) from None
        raise BadCertificate(
            f"{private_key} is not a usable private key",
            "take the one in PEM form without a password, often privkey.pem",
        ) from None
    return context


@contextmanager
def _as_written(path: Path) -> Iterator[Path]:
    """Return a file that OpenSSL can read: without a byte order mark, which it does not know."""
    if not path.read_bytes().startswith(codecs.BOM_UTF8):
        yield path
        return
    with TemporaryDirectory() as folder:  # nobody but its owner can read it
        copy = Path(folder, "copy.pem")
        copy.write_bytes(_read(path))
        yield copy
