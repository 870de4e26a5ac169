"""What can go wrong with a store. Every message is one line: the place, the value found, the mend."""


class StorageError(Exception):
    """Base of all errors that leave `hexad.storage`."""


class BadStoreUri(StorageError):
    """The URI is not one that a store can serve."""


class ObjectMissing(StorageError):
    """There is no object under the URI."""


class BucketMissing(ObjectMissing):
    """There is no bucket of that name."""


class AccessRefused(StorageError):
    """The store, or the file system, refused the keys or the permission."""


class DiskFull(StorageError):
    """No space left: in the store, on the local disk, or under a quota."""


class StoreUnreachable(StorageError):
    """The store did not answer, or kept answering that it is busy, through all tries."""


class FileTooLarge(StorageError):
    """A file is larger than one object of a tree may be."""


class TreeExists(StorageError):
    """Another tree is committed at this URI; committed trees are never overwritten."""


class CorruptTree(StorageError):
    """The manifest cannot be read, or an object's bytes are not those that the manifest names."""
