"""The folder of a finished step is its completion marker.

A step writes into a folder of another name, which is renamed when all is there. So a folder exists whole or not at all,
whatever kills the step, and running again does what is missing.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path


def hand_on(folder: Path, into: Path) -> None:
    """The folder's files in `into` too, without another copy; nothing when there is no folder. On one file system."""
    if folder.is_dir():
        shutil.copytree(folder, into, copy_function=os.link, dirs_exist_ok=True)


def once(folder: Path, write: Callable[[Path], None]) -> None:
    """Have `write` fill the folder, unless it was finished before."""
    if folder.is_dir():
        return
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    write(partial)
    os.replace(partial, folder)
