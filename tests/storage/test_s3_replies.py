"""Replies of an S3 store that our real server never gives, in words that say what to do."""

from http.server import BaseHTTPRequestHandler

import pytest
from tests.loopback import listening

from hexad.storage import AccessRefused, open_store

WRONG_REGION = (
    b"<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header is malformed; the region "
    b"'us-east-1' is wrong; expecting 'eu-west-1'</Message><Region>eu-west-1</Region></Error>"
)


class OfAnotherRegion(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(400)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(WRONG_REGION)))
        self.end_headers()
        self.wfile.write(WRONG_REGION)

    def log_message(self, *_: object) -> None:
        """Not into the tests' output."""


def test_a_wrong_region_is_told_with_the_right_one_and_the_variable() -> None:
    with listening(OfAnotherRegion) as address:
        keys = {"HEXAD_S3_ENDPOINT": f"http://{address}", "HEXAD_S3_ACCESS_KEY": "k", "HEXAD_S3_SECRET_KEY": "s"}
        with pytest.raises(AccessRefused, match=r"set HEXAD_S3_REGION: .*expecting 'eu-west-1'"):
            open_store("s3://bucket", keys).read_bytes("s3://bucket/object")
