"""What the scan of images finds that is no secret: published test material inside packages, written down one by one."""

from hexad.images.secret_scan import Finding

_PACKAGES = "app/lib/python3.11/site-packages"
_SELF_TEST = "key of PyCryptodome's published self-tests"
_EXAMPLE = "example in documentation"
_EXCEPTIONS: dict[tuple[str, str], str] = {
    ("usr/lib/x86_64-linux-gnu/libgnutls.so.30.34.3", "private key"): "keys of GnuTLS's published self-tests",
    (f"{_PACKAGES}/Crypto/SelfTest/Cipher/test_pkcs1_15.py", "private key"): _SELF_TEST,
    (f"{_PACKAGES}/Crypto/SelfTest/Protocol/test_ecdh.py", "private key"): _SELF_TEST,
    (f"{_PACKAGES}/Crypto/SelfTest/PublicKey/test_import_DSA.py", "private key"): _SELF_TEST,
    (f"{_PACKAGES}/Crypto/SelfTest/PublicKey/test_import_ECC.py", "private key"): _SELF_TEST,
    (f"{_PACKAGES}/Crypto/SelfTest/PublicKey/test_import_RSA.py", "private key"): _SELF_TEST,
    (f"{_PACKAGES}/Crypto/SelfTest/Signature/test_pkcs1_15.py", "private key"): _SELF_TEST,
    (f"{_PACKAGES}/Crypto/SelfTest/Signature/test_pss.py", "private key"): _SELF_TEST,
    (f"{_PACKAGES}/transformers/testing_utils.py", "Hugging Face token"): "account of the hub's public test server",
    (f"{_PACKAGES}/opentelemetry/semconv/_incubating/attributes/url_attributes.py", "password in a URL"): _EXAMPLE,
    (f"{_PACKAGES}/opentelemetry/semconv/attributes/url_attributes.py", "password in a URL"): _EXAMPLE,
    (f"{_PACKAGES}/opentelemetry/semconv/trace/__init__.py", "password in a URL"): _EXAMPLE,
    (f"{_PACKAGES}/urllib3/util/url.py", "password in a URL"): _EXAMPLE,
}
"""(file, kind) to the reason."""


def allowed(finding: Finding) -> bool:
    """Whether `finding` is written down here."""
    return (finding.place.removeprefix("./"), finding.kind) in _EXCEPTIONS
