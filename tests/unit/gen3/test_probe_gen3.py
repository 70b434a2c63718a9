"""The calls of indexd and of the metadata service, over real HTTP."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._gen3.services import Gen3Error, Indexd, Metadata, direct

PASSWORD = "p@ss:w/rd"


class Server(ThreadingHTTPServer):
    """Answers every call with what ``answers`` holds for "METHOD path", and keeps what was asked."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.calls = {}, []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        call = f"{self.command} {self.path}"
        self.server.calls.append((call, self.headers.get("Authorization"), json.loads(body) if body else None))
        status, text = self.server.answers.get(call, (404, '{"error": "no record found"}'))
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        if 300 <= status < 400:
            self.send_header("Location", f"{self.server.url}/elsewhere")
        self.end_headers()
        self.wfile.write(text.encode())

    do_POST = do_PUT = do_DELETE = do_GET

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    server = Server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def indexd(server):
    return Indexd(direct(f"{server.url}/index", "fence", PASSWORD), "fence")


@pytest.fixture
def metadata(server):
    return Metadata(direct(f"{server.url}/", "gateway", PASSWORD), "gateway")


BASIC = "Basic " + base64.b64encode(f"fence:{PASSWORD}".encode()).decode()


def test_a_blank_record_is_made_as_fence_does_it(server, indexd):
    server.answers["POST /index/blank/"] = (201, '{"did": "dg.1/g", "rev": "r", "baseid": "b"}')
    assert indexd.create_blank("probe.txt")["did"] == "dg.1/g"
    assert server.calls == [("POST /index/blank/", BASIC, {"uploader": "fence", "file_name": "probe.txt"})]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_login_goes_along_with_a_redirect(server, indexd, metadata, status):
    server.answers = {"POST /index/blank/": (status, ""), "GET /metadata/g": (status, "")}
    with pytest.raises(Gen3Error, match=f"HTTP {status}. A redirect is not followed"):
        indexd.create_blank("probe.txt")
    with pytest.raises(Gen3Error, match=f"HTTP {status}. A redirect is not followed"):
        metadata.upload_status("g")
    assert [call for call, _, _ in server.calls] == ["POST /index/blank/", "GET /metadata/g"]


def test_reading_sends_no_password(server, indexd):
    server.answers["GET /index/dg.1/g"] = (200, '{"did": "dg.1/g"}')
    assert indexd.get("dg.1/g") == {"did": "dg.1/g"}
    assert indexd.get("other") is None
    assert [authorization for _, authorization, _ in server.calls] == [None, None]


def test_a_record_is_deleted_in_its_present_revision(server, indexd):
    server.answers |= {"GET /index/g": (200, '{"did": "g", "rev": "a b"}'), "DELETE /index/g?rev=a%20b": (200, "{}")}
    indexd.delete("g")
    assert [call for call, _, _ in server.calls] == ["GET /index/g", "DELETE /index/g?rev=a%20b"]


def test_a_record_that_is_not_there_needs_no_deletion(server, indexd):
    indexd.delete("g")
    assert len(server.calls) == 1


@pytest.mark.parametrize(("answer", "words"), [
    ((403, '{"error": "no password"}'), "HTTP 403 (no password). The user fence or its password is not accepted"),
    ((401, "<html>"), "HTTP 401. The user fence"),
    ((500, "oops"), "HTTP 500."),
    ((201, "not json"), "HTTP 201."),
    ((200, '["a list"]'), "HTTP 200."),
])
def test_a_refused_record_is_an_error_with_its_reason(server, indexd, answer, words):
    server.answers["POST /index/blank/"] = answer
    with pytest.raises(Gen3Error) as error:
        indexd.create_blank("probe.txt")
    assert words in str(error.value) and PASSWORD not in str(error.value)


@pytest.mark.parametrize("answer", [(200, "<html>a login page</html>"), (503, "{}")])
def test_an_answer_that_is_no_record_is_an_error(server, indexd, answer):
    server.answers["GET /index/g"] = answer
    with pytest.raises(Gen3Error, match=f"HTTP {answer[0]}"):
        indexd.get("g")


def test_a_conflicting_deletion_is_an_error(server, indexd):
    server.answers |= {"GET /index/g": (200, '{"did": "g", "rev": "r"}'),
                       "DELETE /index/g?rev=r": (409, '{"error": "revision mismatch"}')}
    with pytest.raises(Gen3Error, match="revision mismatch"):
        indexd.delete("g")


@pytest.mark.parametrize("status", [200, 201, 409])
def test_a_metadata_object_is_there_afterwards(server, metadata, status):
    server.answers["POST /metadata/g"] = (status, "{}")
    metadata.create("g")
    call, authorization, body = server.calls[0]
    assert (call, body) == ("POST /metadata/g", {}) and authorization.startswith("Basic ")


def test_metadata_that_cannot_be_made_is_an_error(server, metadata):
    server.answers["POST /metadata/g"] = (422, '{"detail": "not an object"}')
    with pytest.raises(Gen3Error, match="not an object"):
        metadata.create("g")


@pytest.mark.parametrize(("answer", "status"), [
    ((200, '{"_upload_status": "uploaded"}'), "uploaded"),
    ((200, "{}"), None),
    ((200, "[]"), None),
    ((404, "{}"), None),
])
def test_the_upload_status(server, metadata, answer, status):
    server.answers["GET /metadata/g"] = answer
    assert metadata.upload_status("g") == status


@pytest.mark.parametrize(("answer", "words"), [
    ((404, "<html>nothing here</html>"), "HTTP 404. Check that metadata_url leads to the metadata service"),
    ((404, '{"detail": "Not Found"}'), r"HTTP 404 \(Not Found\). Check that metadata_url"),
    ((200, "<html>the portal</html>"), "HTTP 200. Check that metadata_url"),
])
def test_an_object_is_missing_only_where_the_service_itself_says_so(server, metadata, answer, words):
    server.answers |= {"GET /metadata/g": (404, '{"detail": "Not found: g"}'), "GET /metadata/h": answer,
                       "GET /metadata/there": (200, '{"a": 1}')}
    assert metadata.find("g") is None and metadata.find("there") == {"a": 1}
    with pytest.raises(Gen3Error, match=words):
        metadata.find("h")


@pytest.mark.parametrize("closed", [401, 403])
def test_where_reading_takes_a_token_the_login_reads_by_merging_nothing(server, metadata, closed):
    server.answers |= {"GET /metadata/g": (closed, '{"detail": "FORCE_AUTHZ"}'),
                       "PUT /metadata/g?merge=True": (200, '{"_upload_status": "uploaded"}')}
    assert metadata.upload_status("g") == "uploaded"
    call, authorization, body = server.calls[-1]
    assert body == {} and authorization.startswith("Basic ")


def test_a_login_that_is_not_accepted_either_is_named(server, metadata):
    server.answers |= {"GET /metadata/g": (403, "{}"), "PUT /metadata/g?merge=True": (403, '{"detail": "Forbidden"}')}
    with pytest.raises(Gen3Error, match="its password is not accepted"):
        metadata.upload_status("g")


@pytest.mark.parametrize("status", [200, 204, 404])
def test_metadata_is_gone_afterwards(server, metadata, status):
    server.answers["DELETE /metadata/g"] = (status, "")
    metadata.delete("g")


@pytest.mark.parametrize("action", ["upload_status", "delete"])
def test_an_outage_of_the_metadata_service_is_an_error(server, metadata, action):
    server.answers |= {"GET /metadata/g": (502, "bad gateway"), "DELETE /metadata/g": (502, "bad gateway")}
    with pytest.raises(Gen3Error, match="HTTP 502"):
        getattr(metadata, action)("g")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "no-url", "http://name.invalid"])
def test_a_service_that_does_not_answer_is_an_error_with_its_address(url):
    with pytest.raises(Gen3Error) as error:
        Indexd(direct(url, "fence", PASSWORD), "fence").create_blank("probe.txt")
    assert f"POST {url}/blank/ got no answer" in str(error.value) and PASSWORD not in str(error.value)


def test_only_own_records_of_that_name_are_found(server, indexd):
    own = {"did": "G", "file_name": "b/a file.txt", "uploader": "fence"}
    others = [{**own, "uploader": "somebody"}, {**own, "file_name": "b/another.txt"}, {"did": "G"}]
    server.answers["GET /index/?file_name=b%2Fa+file.txt&uploader=fence&limit=100"] = (
        200, json.dumps({"records": [*others, own]}))
    assert indexd.find_own("b/a file.txt") == [own]


@pytest.mark.parametrize("answer", [(200, "[]"), (500, "")])
def test_a_list_of_records_of_another_shape_is_an_error(server, indexd, answer):
    server.answers["GET /index/?file_name=n&uploader=fence&limit=100"] = answer
    with pytest.raises(Gen3Error, match="Looking for records of n in indexd"):
        indexd.find_own("n")
