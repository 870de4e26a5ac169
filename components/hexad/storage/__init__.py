"""Object store, tree manifests, transfer (DESIGN §4).

`hexad.storage.embedded` starts a server; it is not imported here because it needs `hexad.stage`, which needs this.
"""

from hexad.storage.errors import (
    AccessRefused,
    BadStoreUri,
    BucketMissing,
    CorruptTree,
    DiskFull,
    FileTooLarge,
    ObjectMissing,
    StorageError,
    StoreUnreachable,
    TreeExists,
)
from hexad.storage.opening import open_store
from hexad.storage.ranged_file import open_ranged
from hexad.storage.store import Store, TransferProgress
from hexad.storage.tree import commit_tree, fetch_tree, read_manifest

__all__ = [
    "AccessRefused", "BadStoreUri", "BucketMissing", "CorruptTree", "DiskFull", "FileTooLarge",
    "ObjectMissing", "StorageError", "Store", "StoreUnreachable", "TransferProgress", "TreeExists", "commit_tree",
    "fetch_tree", "open_ranged", "open_store", "read_manifest",
]  # fmt: skip
