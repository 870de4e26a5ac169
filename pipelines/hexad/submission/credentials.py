"""Who asks: a service account's token file, a bearer token or a session cookie. Never an argument of a command, which
every process of the machine can read."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

TOKEN, COOKIE = "HEXAD_KFP_TOKEN", "HEXAD_KFP_COOKIE"
TOKEN_FILE = "KF_PIPELINES_SA_TOKEN_PATH"
"""Kubeflow's own name for the path of a projected service account token."""
IN_POD = Path("/var/run/secrets/kubeflow/pipelines/token")
"""Where Kubeflow's PodDefault mounts it."""


class BadCredentials(ValueError):
    """Credentials that cannot be used; the message never holds them."""


@dataclass(frozen=True)
class Credentials:
    """At most one way to say who asks. Its text form says which, not what."""

    token_file: Path | None = None
    _token: str = field(default="", repr=False)
    _cookie: str = field(default="", repr=False)

    @property
    def kind(self) -> str:
        if self.token_file:
            return f"the service account token in {self.token_file}"
        if self._token:
            return f"the token in {TOKEN}"
        return f"the cookie in {COOKIE}" if self._cookie else "no credentials"

    def headers(self) -> dict[str, str]:
        """Headers of the next request. A token file is read anew: the kubelet renews it before it runs out.

        Raises BadCredentials when the file cannot be read.
        """
        if self._cookie:
            return {"Cookie": self._cookie}
        token = self._token or self._read()
        return {"Authorization": f"Bearer {token}"} if token else {}

    def redact(self, text: str) -> str:
        """`text` without the token or cookie, which a server may repeat in what it answers."""
        for header in self.headers().values():
            # The value of a cookie is a secret by itself; a short one is a setting, and a part of other words.
            values = re.findall(r"=([^;\s]{8,})", self._cookie)
            for secret in (header, header.removeprefix("Bearer "), *values):
                text = text.replace(secret, "***")
        return text

    def _read(self) -> str:
        if self.token_file is None:
            return ""
        try:
            token = self.token_file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise BadCredentials(
                f"{self.token_file}: cannot be read ({type(error).__name__}); check the path"
            ) from None
        return _header_text(token, str(self.token_file))


def from_environment(environment: Mapping[str, str] = os.environ, token_file: Path | None = None) -> Credentials:
    """The credentials that are there: `token_file`, then the variables, then the token mounted into a pod.

    Raises BadCredentials for two at once, and for text that no header can hold.
    """
    given = token_file or (Path(environment[TOKEN_FILE]) if environment.get(TOKEN_FILE) else None)
    token, cookie = environment.get(TOKEN, "").strip(), environment.get(COOKIE, "").strip()
    named = [name for name, value in (("a token file", given), (TOKEN, token), (COOKIE, cookie)) if value]
    if len(named) > 1:
        raise BadCredentials(f"{' and '.join(named)} are both given; keep one")
    if not named and IN_POD.is_file():
        given = IN_POD
    return Credentials(given, _header_text(token, TOKEN), _header_text(cookie, COOKIE))


def _header_text(secret: str, where: str) -> str:
    if not (secret.isascii() and secret.isprintable()):
        raise BadCredentials(f"{where}: holds line breaks or others that no header can hold; give the bare value")
    return secret
