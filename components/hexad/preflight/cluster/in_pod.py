"""The API server as a pod sees it: with its service account, over plain HTTP requests.

The images of most stages hold no Kubernetes client, and four kinds of GET need none.
"""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import urllib3

from hexad.preflight.checks import Finding
from hexad.preflight.clock import skew_s
from hexad.preflight.cluster.checks import findings
from hexad.preflight.cluster.facts import NOBODY, VERSION, Answer, gather
from hexad.preflight.cluster.needs import ClusterNeeds

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where Kubernetes puts a pod's token: https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/"""
_HOST, _PORT = "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"
_TIMEOUT = urllib3.Timeout(connect=3, read=10)


class PodReader:
    """Reads paths of the API server at `base`. `http` knows whose certificates to trust."""

    def __init__(self, http: urllib3.PoolManager, base: str, token: str) -> None:
        self._http, self._base, self._token = http, base, token

    def __call__(self, path: str) -> Answer:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        try:
            response = self._http.request(
                "GET", self._base + path, headers=headers, retries=False, redirect=False, timeout=_TIMEOUT
            )
        except urllib3.exceptions.HTTPError as error:
            return Answer(0, said=f"no answer from {self._base} ({type(error).__name__})")
        return answer_of("GET", path, response.status, response.data, response.headers)


def answer_of(method: str, path: str, status: int, content: bytes, headers: Mapping[str, str]) -> Answer:
    """What an HTTP answer of the API server says. A body that is no object counts as a refusal."""
    skew = skew_s(headers, datetime.now(UTC))
    try:
        body = json.loads(content)
    except ValueError:
        body = None
    if status == 200 and isinstance(body, dict):
        return Answer(status, body, skew_s=skew)
    mend = "; this account may not read it" if status == 403 else ""
    return Answer(status if status != 200 else 502, said=f"{method} {path}: HTTP {status}{mend}", skew_s=skew)


def judged_from_inside(
    needs: ClusterNeeds, environment: Mapping[str, str] = os.environ, account: Path | None = None
) -> list[Finding]:
    """The checks of a pod in its own namespace. Outside a cluster, or where its network lets nobody reach the API
    server, one line that says so: that alone must not end a run."""
    account = account or ACCOUNT
    if not environment.get(_HOST) or not (account / "token").is_file():
        return [Finding(check="cluster", found="this task has no service account to look with", judged=False)]
    host = environment[_HOST]
    base = f"https://{f'[{host}]' if ':' in host else host}:{environment.get(_PORT, '443')}"
    http = urllib3.PoolManager(ca_certs=str(account / "ca.crt"), maxsize=1)
    read = PodReader(http, base, (account / "token").read_text().strip())
    facts = gather(needs, (account / "namespace").read_text().strip(), read)
    if facts.at(VERSION).status in NOBODY:
        return [Finding(check="cluster", found=facts.at(VERSION).said, judged=False)]
    return findings(needs, facts)
