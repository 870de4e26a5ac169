"""Starting a helper process of the grader that ends with us, whatever thread started it.

Not `die_with_parent`: the kernel sends that signal when the THREAD that started the child ends (prctl(2)), and
graders are called from short-lived threads. The child instead ends at end of file on its input, and looks every
few seconds whether its parent is still there.
"""

import os
import subprocess
import sys

import hexad

_KEPT = ("PATH", "LANG", "LC_ALL", "VIRTUAL_ENV")


def package_roots() -> str:
    """Folders that a fresh interpreter needs on its path to import this package."""
    return os.pathsep.join(dict.fromkeys(os.path.dirname(path) for path in hexad.__path__))


def start_module(module: str) -> "subprocess.Popen[bytes]":
    """`python -m module` with pipes on stdin and stdout, no secrets in its environment, hashes and threads pinned."""
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment |= {"PYTHONPATH": package_roots(), "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "TZ": "UTC"}
    return subprocess.Popen(
        [sys.executable, "-m", module], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=environment, start_new_session=True, bufsize=0,
    )  # fmt: skip
