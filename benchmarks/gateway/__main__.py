"""`python -m benchmarks.gateway [compare | overhead | soak]`: the gateway against its peers, and under load."""

import sys

from benchmarks.gateway import compare, overhead, soak
from rich.console import Console


def main(arguments: list[str]) -> None:
    console = Console(width=170)
    parts = {"compare": compare.main, "overhead": overhead.main, "soak": soak.main}
    for name in arguments or ["compare", "overhead"]:
        parts[name](console)


if __name__ == "__main__":
    main(sys.argv[1:])
