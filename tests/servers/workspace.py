"""The folder that the servers of one test session share: certificates, documents, and a folder for each."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from pathlib import Path
from types import TracebackType

import trustme

from .content import write_document_root


class Workspace:
    """A temporary folder: an authority, its certificate for ``localhost`` and ``127.0.0.1``, documents.

    It lies outside pytest's own folders because those are closed to other users, and a server started by root
    serves as another user.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="deuterium-servers-"))
        self.folder.chmod(0o755)
        self.authority = trustme.CA()
        self.ca_file = self.folder / "ca.pem"
        self.cert_file = self.folder / "cert.pem"
        self.key_file = self.folder / "key.pem"
        self.document_root = self.folder / "htdocs"
        self._numbers = itertools.count(1)
        self._write_certificate()
        write_document_root(self.document_root)

    def _write_certificate(self) -> None:
        leaf = self.authority.issue_cert("localhost", "127.0.0.1")
        self.authority.cert_pem.write_to_path(str(self.ca_file))
        leaf.private_key_pem.write_to_path(str(self.key_file))
        for index, blob in enumerate(leaf.cert_chain_pems):
            blob.write_to_path(str(self.cert_file), append=index > 0)
        self.joined_file = self.folder / "cert-and-key.pem"
        self.joined_file.write_bytes(self.cert_file.read_bytes() + self.key_file.read_bytes())
        for file in (self.ca_file, self.cert_file, self.key_file, self.joined_file):
            file.chmod(0o644)

    def server_folder(self, name: str) -> Path:
        """A new folder for the configuration, logs and sockets of one server."""
        folder = self.folder / f"{name}-{next(self._numbers)}"
        folder.mkdir()
        # A server started by root writes its temporary files as another user.
        folder.chmod(0o777)
        return folder

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Workspace:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
