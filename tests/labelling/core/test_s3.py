"""Object stores: addresses, the signature of requests, and listings that may be hostile."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from labelling.core.hosts import ObjectStore, Place, RemoteFault, RemotePolicy, Target
from labelling.core.s3 import is_s3, list_objects, locate, s3_address, signed
from tests.servers import FileServer, Handler, file_server

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


def store(token: str = "", region: str = "us-east-1") -> ObjectStore:
    return ObjectStore(Place("https", "s3.example.org", 443), ("examplebucket",), region, KEY, SECRET, token)


def test_the_signature_is_that_of_the_documentation_s_example() -> None:
    """AWS, "Signature Calculations for the Authorization Header", example: GET object with a range."""
    target = Target("https", "examplebucket.s3.amazonaws.com", 443, "/test.txt")
    at = datetime(2013, 5, 24, tzinfo=UTC)
    told = signed(store(), "GET", target, {"Range": "bytes=0-9"}, at=at)["Authorization"]
    assert told.endswith("Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")


@pytest.mark.parametrize("token", ["", "a+token/with=signs"])
@pytest.mark.parametrize(
    "path",
    [
        "/examplebucket/a%20scene/%C3%A9%2B.tif",
        "/examplebucket?list-type=2&prefix=a%2Fb%20c%2B%C3%A9",
        "/examplebucket",
    ],
)
def test_the_signature_is_that_of_botocore(token: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    target = Target("http", "127.0.0.1", 9000, path)
    at = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    ours = signed(store(token, "eu-west-1"), "GET", target, {}, at=at)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_args, **_more: at.replace(tzinfo=None))
    request = AWSRequest("GET", target.url)
    S3SigV4Auth(Credentials(KEY, SECRET, token or None), "s3", "eu-west-1").add_auth(request)
    theirs = request.headers["Authorization"]
    assert theirs.rpartition("Signature=")[2] == ours["Authorization"].rpartition("Signature=")[2]


def test_both_spellings_of_an_object_are_one_address() -> None:
    assert s3_address("/vsis3/bucket/a/b.tif") == s3_address("s3://bucket/a/b.tif") == "s3://bucket/a/b.tif"
    assert not is_s3("/data/vsis3/a.tif")


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    with file_server(tmp_path) as server:
        monkeypatch.setenv("MAD_S3_BUCKETS", "imagery")
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.origin)
        monkeypatch.setenv("MAD_REMOTE_TIMEOUT_S", "30")
        yield server


def answers(body: str, status: int = 200) -> object:
    def answer(handler: Handler) -> bool:
        handler.answer(status, body.encode())
        return True

    return answer


def test_a_bucket_that_is_not_named_is_never_asked(bucket: FileServer) -> None:
    for address in ("s3://secrets/a.tif", "s3:///a.tif", "s3://imagery.evil.org/a.tif", "s3://../imagery/a.tif"):
        with pytest.raises(RemoteFault, match="MAD_S3_BUCKETS"):
            locate(address)
        with pytest.raises(RemoteFault, match="MAD_S3_BUCKETS"):
            list(list_objects(address))
    assert bucket.requests == []


def test_the_endpoint_is_allowed_by_being_named_but_nothing_beside_it(bucket: FileServer) -> None:
    url, _ = locate("s3://imagery/../../x y?.tif")
    assert url == f"{bucket.origin}/imagery/../../x%20y%3F.tif"
    rules = RemotePolicy.from_environment({"MAD_S3_BUCKETS": "imagery", "AWS_ENDPOINT_URL_S3": bucket.origin})
    assert rules.resolve(rules.check(url)) == "127.0.0.1"
    with pytest.raises(RemoteFault):
        rules.check("http://127.0.0.1:1/imagery/a.tif")


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ("<ListBucketResult><Contents>", 200, "not a list of objects"),
        ("<!DOCTYPE x [<!ENTITY a 'aaaa'>]><x>&a;</x>", 200, "not a list of objects"),
        ("<Error/>", 403, "does not let this key read it"),
        ("", 404, "it is not there"),
    ],
)
def test_a_listing_that_makes_no_sense_is_refused(bucket: FileServer, body: str, status: int, said: str) -> None:
    bucket.bad = answers(body, status)  # type: ignore[assignment]
    with pytest.raises(RemoteFault, match=said):
        list(list_objects("s3://imagery/2022/"))


def test_a_signed_request_is_not_redirected(bucket: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)

    def moves(handler: Handler) -> bool:
        assert handler.headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/")
        assert SECRET not in str(handler.headers)
        handler.answer(307, b"", {"Location": f"{bucket.origin}/elsewhere"})
        return True

    bucket.bad = moves
    with pytest.raises(RemoteFault, match="sends a signed request elsewhere"):
        list(list_objects("s3://imagery/"))
    assert len(bucket.requests) == 1
