"""From a command's options to Kubeflow and Kubernetes, and from their errors to exit codes."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hexad.cli.inputs import refuse, say
from hexad.submission.api import AUTHORITY, ApiError, PipelinesApi
from hexad.submission.cluster import Cluster, ClusterError, connect
from hexad.submission.credentials import BadCredentials, from_environment


@dataclass(frozen=True)
class Target:
    """Where to, as given on the command line."""

    host: str
    namespace: str
    token_file: Path | None = None
    context: str = ""

    def api(self) -> PipelinesApi:
        authority = os.environ.get(AUTHORITY)
        try:
            credentials = from_environment(os.environ, self.token_file)
            return PipelinesApi(self.host, credentials, authority=Path(authority) if authority else None)
        except (BadCredentials, ValueError) as error:
            raise refuse(str(error)) from None

    def cluster(self) -> Cluster | None:
        return connect(self.namespace, self.context)

    def link(self, run_id: str) -> str:
        return f"{self.host.rstrip('/')}/#/runs/details/{run_id}"


def told(work: Callable[[], int]) -> int:
    """`work`'s exit code; 1 with the message of what Kubeflow or Kubernetes refused, 2 for bad credentials."""
    try:
        return work()
    except BadCredentials as error:
        raise refuse(str(error)) from None
    except (ApiError, ClusterError) as error:
        say(str(error), error=True)
        return 1
