"""Images by name: pinned, and really in their registry, asked as a node would ask (OCI distribution API).

https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

import base64
import binascii
import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

import urllib3

from hexad.preflight.checks import Finding

DIGEST = "@sha256:"
_PLACEHOLDER = "0" * 64
_ACCEPT = ", ".join([
    "application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.docker.distribution.manifest.v2+json",
])  # fmt: skip
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_TIMEOUT = urllib3.Timeout(connect=5, read=20)


@dataclass(frozen=True)
class Reference:
    """An image's name in its parts. `registry` is empty where the name leaves it to the node."""

    registry: str
    repository: str
    version: str

    @property
    def url(self) -> str:
        """Of its manifest. A registry on the loopback interface speaks HTTP, as containers' engines take it to."""
        scheme = "http" if _is_loopback(self.registry) else "https"
        return f"{scheme}://{self.registry}/v2/{self.repository}/manifests/{self.version}"


def reference(image: str) -> Reference:
    """[registry/]repository[:tag][@digest]; the first part is a registry when it looks like a host."""
    name, _, digest = image.partition("@")
    first, _, rest = name.partition("/")
    is_host = bool(rest) and ("." in first or ":" in first or first == "localhost")
    repository, _, tag = (rest if is_host else name).partition(":")
    return Reference(first if is_host else "", repository, digest or tag or "latest")


def pinned(images: Collection[tuple[str, str]], mutable: bool) -> Finding:
    """No image of (role, name) is a placeholder, and each is named by digest where tags may not move."""
    zeros = sorted(role for role, image in images if image.endswith(_PLACEHOLDER))
    if zeros:
        mend = "put your registry's names and digests into `images` (`make images PUSH=1` writes them)"
        return Finding(check="images", found=f"placeholders for {', '.join(zeros)}", mend=mend)
    loose = sorted(role for role, image in images if DIGEST not in image)
    if loose and not mutable:
        found = f"tags that can move for {', '.join(loose)}"
        return Finding(check="images", found=found, mend="name them by digest, or set mutable_images")
    return Finding(check="images", found="mutable tags, as the profile allows" if loose else "named by digest")


@dataclass(frozen=True)
class Login:
    """User and password for one registry; the text form has neither."""

    _basic: str = field(repr=False)

    @property
    def header(self) -> dict[str, str]:
        return {"Authorization": f"Basic {self._basic}"}


def logins(configurations: Iterable[str]) -> dict[str, Login]:
    """Registry host to login, of the values of secrets of type kubernetes.io/dockerconfigjson.

    Raises ValueError for one that is no such configuration; the message holds nothing of it.
    """
    found: dict[str, Login] = {}
    for configuration in configurations:
        try:
            entries = json.loads(configuration)["auths"].items()
            for server, entry in entries:
                host = urlsplit(server if "://" in server else f"https://{server}").netloc
                pair = f"{entry.get('username', '')}:{entry.get('password', '')}".encode()
                found.setdefault(host, Login(entry.get("auth") or base64.b64encode(pair).decode()))
        except (ValueError, KeyError, AttributeError, binascii.Error):
            raise ValueError("is no Docker configuration with `auths`") from None
    return found


def pullable(image: str, login: Mapping[str, Login], http: urllib3.PoolManager) -> Finding:
    """HEAD of the manifest. Where the registry cannot be reached from here, nothing is said against it."""
    named = reference(image)
    check = f"pull {image.partition(DIGEST)[0]}"
    if not named.registry:
        return Finding(check=check, found="names no registry: nodes ask the one they are set to", judged=False)
    try:
        response = _head(named, login.get(named.registry), http)
    except (urllib3.exceptions.HTTPError, ValueError) as error:
        found = f"{named.registry} does not answer here ({type(error).__name__})"
        return Finding(check=check, found=found, judged=False)
    if response.status in (401, 403):
        known = "refuses the login" if named.registry in login else "wants a login"
        mend = f"put one for {named.registry} into a secret of tasks.pull_secrets that may read {named.repository}"
        return Finding(check=check, found=f"{named.registry} {known} (HTTP {response.status})", mend=mend)
    if response.status == 404:
        mend = "push it (`make images PUSH=1`), or correct `images` in the profile"
        return Finding(check=check, found=f"{named.version}: not in {named.registry}", mend=mend)
    if response.status != 200:
        return Finding(check=check, found=f"{named.registry}: HTTP {response.status}", judged=False)
    return Finding(check=check, found=f"in {named.registry}")


def _head(named: Reference, login: Login | None, http: urllib3.PoolManager) -> urllib3.BaseHTTPResponse:
    """The answer, after the token that the registry may ask for. The login goes to it and to its token server only."""
    first = _request(http, "HEAD", named.url, {"Accept": _ACCEPT})
    challenge = first.headers.get("WWW-Authenticate", "")
    if first.status != 401 or not challenge:
        return first
    authorization = login.header if login else {}
    if challenge.lower().startswith("bearer"):
        asked = dict(_CHALLENGE.findall(challenge))
        realm = asked.pop("realm", "")
        if not realm.startswith("https://") and not _is_loopback(urlsplit(realm).netloc):
            return first
        answer = _request(http, "GET", f"{realm}?{urlencode(asked)}", authorization)
        if answer.status != 200:
            return answer
        given = json.loads(answer.data)
        authorization = {"Authorization": f"Bearer {given.get('token') or given.get('access_token')}"}
    return _request(http, "HEAD", named.url, {"Accept": _ACCEPT, **authorization}) if authorization else first


def _request(http: urllib3.PoolManager, method: str, url: str, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
    return http.request(method, url, headers=headers, retries=False, redirect=False, timeout=_TIMEOUT)


def _is_loopback(host: str) -> bool:
    name = host.partition(":")[0]
    return name == "localhost" or name.startswith("127.")
