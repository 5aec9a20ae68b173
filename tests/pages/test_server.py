"""What the app's server answers beside Streamlit's part."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import json
import re
import struct
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urljoin, urlsplit

import plotly
import pytest
from streamlit import file_util
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.state.session_state import SessionState, Value, WStates

from seqviz.lessons import shipped
from seqviz.networks.presets import preset
from seqviz.scope import library
from seqviz.scope.bundle import WEB
from seqviz.ui import preview as previews
from seqviz.ui import sent, shell
from seqviz.ui import server as served
from seqviz.ui.lesson_shelf import link_of

ROOT = Path(__file__).parents[2]


def ask(address: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body; a redirect is followed."""
    asked = urllib.request.Request(address, headers={name.replace("_", "-"): text for name, text in headers.items()})
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as answer:
        return answer.code, {k.lower(): v for k, v in answer.headers.items()}, answer.read()


def test_plotly_comes_once_from_an_address_that_says_what_it_holds(server):
    original = (ROOT / "seqviz/scope/web/plotly.min.js").read_bytes()
    address = f"{server}/{library.address()}"
    status, headers, body = ask(address, Accept_Encoding="gzip")
    assert (status, headers["content-encoding"]) == (200, "gzip")
    assert "immutable" in headers["cache-control"]
    assert "max-age=31536000" in headers["cache-control"]
    assert gzip.decompress(body) == original
    assert len(body) < 450_000, "a first visit waits for it"
    status, headers, body = ask(address, Accept_Encoding="identity")
    assert body == original
    assert headers["content-type"].startswith("text/javascript")
    assert ask(f"{server}/seqviz/plotly-0123456789abcdef.min.js")[0] == 404


SCRIPTS = Path(file_util.get_static_dir()) / "static/js"
STREAMLITS = max(SCRIPTS.glob("index.*.js"), key=lambda file: file.stat().st_size)
PACKED = {
    f"/static/js/{STREAMLITS.name}": (STREAMLITS, "immutable"),
    "/_stcore/bidi-components/seqviz.scope/hosts/streamlit.js": (WEB / "hosts/streamlit.js", "no-cache"),
    "/_stcore/bidi-components/seqviz.scope/scope.css": (WEB / "scope.css", "no-cache"),
}


@pytest.mark.parametrize("path", PACKED)
def test_scripts_come_packed_and_not_again_where_a_browser_has_them(server, path):
    file, lasting = PACKED[path]
    status, headers, body = ask(server + path, Accept_Encoding="gzip")
    assert (status, headers["content-encoding"]) == (200, "gzip")
    assert lasting in headers["cache-control"]
    assert gzip.decompress(body) == file.read_bytes()
    kind = headers["content-type"]
    assert kind.startswith("text/css" if path.endswith("css") else "text/javascript")
    status, headers, body = ask(server + path, Accept_Encoding="gzip", If_None_Match=headers["etag"])
    assert (status, body) == (304, b"")
    assert lasting in headers["cache-control"]
    assert ask(server + path, Accept_Encoding="gzip", If_None_Match='W/"another"')[0] == 200
    status, headers, body = ask(server + path, Accept_Encoding="identity")
    assert "content-encoding" not in headers
    assert body == file.read_bytes()


def test_nothing_is_sent_packed_but_what_lies_in_the_two_folders():
    files, headers = sent.Files("/app"), [(b"accept-encoding", b"gzip, br")]
    there = "/app/_stcore/bidi-components/seqviz.scope/view.js"
    answer = partial(dict, type="http", method="GET", headers=headers)
    assert files.answer(answer(path=there)) is not None
    upwards = (there.replace("view.js", "hosts/../view.js"), "/app/static/../index.html")
    for path in (there[4:], f"{there}/", *upwards, "/app/"):
        assert files.answer(answer(path=path)) is None, path
    assert files.answer(answer(path=there, method="HEAD")) is None
    here = [*headers, (b"host", b"here.example:81"), (b"origin", b"https://here.example:81")]
    assert files.answer(answer(path=there, headers=here)) is not None
    elsewhere = [*here[:2], (b"host", b"here.example"), (b"origin", b"https://elsewhere.example")]
    assert files.answer(answer(path=there, headers=elsewhere)) is None, "Streamlit knows who may have it"


def test_plotly_is_of_the_version_that_plotly_py_carries():
    def version(file: Path) -> str:
        return re.search(r"plotly\.js v([\d.]+)", file.read_text("utf-8")[:300])[1]

    ours = ROOT / "seqviz/scope/web/plotly.min.js"
    assert version(ours) == version(Path(plotly.__file__).parent / "package_data" / "plotly.min.js")
    wanted = json.loads((ROOT / "tools/plotly/package.json").read_text())["devDependencies"]["plotly.js"]
    assert version(ours) == wanted
    assert f"plotly.js {wanted}: MIT" in ours.with_name("plotly.licences.txt").read_text("utf-8")


@pytest.mark.parametrize("path", ["/", "/cell", "/static/x", "/_stcore/health", "/nosuch", "/seqviz/session/x"])
def test_every_answer_has_the_headers_that_a_browser_heeds(server, path):
    _, headers, _ = ask(server + path, Accept="text/html")
    assert headers["x-content-type-options"] == "nosniff"
    assert "origin" in headers["referrer-policy"]
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors *" in policy, "a course page may not show it"
    assert "http:" not in policy


def test_a_page_that_is_not_there_says_which_are(server):
    for place in ("nosuch", "no/such"):
        status, _, body = ask(f"{server}/{place}", Accept="text/html")
        says = body.decode()
        assert status == 404
        assert f"There is no page &#x27;{place}&#x27; here." in says
        # Behind a proxy that takes a prefix away: the browser is at another path than the server knows.
        led = [urljoin(f"http://proxy/course/{place}", each) for each in re.findall('href="([^"]*)"', says)]
        pages = ("", "cell", "compare", "gradients", "training", "your_network")
        assert led == [f"http://proxy/course/{page}" for page in pages]
    _, _, body = ask(f"{server}/nosuch", Accept="text/html", Accept_Language="zh-CN,zh;q=0.9")
    assert "这里没有" in body.decode()
    hostile = ask(f"{server}/%3Cscript%3Ealert(1)%3C/script%3E" + "x" * 3000, Accept="text/html")[2].decode()
    assert "<script>alert" not in hostile
    assert len(hostile) < 2000
    assert ask(f"{server}/nosuch", Accept="*/*")[0] == 200, "what is no person gets Streamlit's answer"


def test_the_first_page_has_a_name_too_and_keeps_the_question(server):
    asked = urllib.request.Request(f"{server}/gates?e=abc&layer=1", headers={"Accept": "text/html"})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        there = urlsplit(answer.url)
    assert (there.path, there.query) == ("/", "e=abc&layer=1")


@pytest.mark.parametrize(
    ("asked", "leads"), [("gates?e=a", "?e=a"), ("cell/?e=a", "cell?e=a"), ("gates/", "gates"), ("gates", "")]
)
def test_a_page_leads_on_within_the_prefix_that_a_proxy_takes_away(server, asked, leads):
    line = http.client.HTTPConnection(urlsplit(server).netloc)
    line.request("GET", f"/{asked}")
    assert urljoin(f"http://proxy/course/{asked}", line.getresponse().headers["Location"]) == (
        f"http://proxy/course/{leads}"
    )
    line.close()


def test_a_session_that_nobody_has_is_gone_and_what_nobody_kept_is_not_there(server):
    assert ask(f"{server}/seqviz/session/no-such-session")[::2] == (200, b"gone")
    assert ask(f"{server}/seqviz/kept/{'0' * 32}")[0] == 404


def test_the_server_is_told_of_every_page():
    names = {path.stem for path in (ROOT / "pages").glob("*.py")}
    code = (ROOT / "app.py").read_text()
    listed = json.loads(code.split("serving(")[1].split(")")[0])
    assert listed[0] == "gates"
    assert set(listed) == names


def test_the_settings_hold_what_the_server_counts_on():
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert settings["server"]["enableXsrfProtection"] is False
    assert settings["server"].get("enableCORS", True) is True, "uploads rest on it"
    assert settings["server"]["disconnectedSessionTTL"] >= 3600
    assert settings["browser"]["serverAddress"] == "localhost", "else Streamlit asks a machine elsewhere"


@pytest.mark.skipif(served.resource is None, reason="this system has no such limit")
def test_a_shell_with_few_files_gets_more():
    code = (
        "import resource\n"
        "from seqviz.ui.server import raise_file_limit\n"
        "hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))\n"
        "raise_file_limit()\n"
        "soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]\n"
        "assert soft == (65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)), (soft, hard)\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))\n"
        "raise_file_limit()\n"
        "assert resource.getrlimit(resource.RLIMIT_NOFILE) == (100, 100)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("have 100 files open, enough for some 25 people at once") == 1


def test_a_system_that_grants_no_more_than_so_many_files_is_asked_for_fewer(monkeypatch, capsys):
    limits, asked = [256], []

    class System:
        RLIMIT_NOFILE, RLIM_INFINITY = 7, -1

        @staticmethod
        def getrlimit(which):
            return limits[0], -1

        @staticmethod
        def setrlimit(which, wanted):
            asked.append(wanted[0])
            if wanted[0] > 10_240:
                raise ValueError("current limit exceeds maximum limit")
            limits[0] = wanted[0]

    monkeypatch.setattr(served, "resource", System)
    served.raise_file_limit()
    assert limits == [10_240]
    served.raise_file_limit()
    assert limits == [10_240], "what was granted is not taken back"
    assert asked == [65_536, 10_240, 65_536]
    assert capsys.readouterr().err == ""


def test_where_files_are_few_who_left_makes_room_and_then_nobody_else_comes(monkeypatch):
    """Those who are there go on; another one is told to come again, and no line is opened."""
    limit, closed = len(list(Path("/dev/fd").iterdir())) + served.SPARE - 5, []
    kept = [SimpleNamespace(session=SimpleNamespace(id=name)) for name in ("first", "second", "third")]
    manager = SimpleNamespace(
        _session_storage=SimpleNamespace(list=lambda: kept[len(closed) :]), close_session=closed.append
    )
    runtime = SimpleNamespace(exists=lambda: True, instance=lambda: SimpleNamespace(_session_mgr=manager))
    monkeypatch.setattr(served, "Runtime", runtime)
    monkeypatch.setattr(
        served, "resource", SimpleNamespace(RLIMIT_NOFILE=7, RLIM_INFINITY=-1, getrlimit=lambda _: (limit, limit))
    )
    assert not served._crowded()
    assert closed == ["first", "second", "third"]
    said = []

    async def tell(message):
        said.append(message)

    async def hear():
        return {"type": "websocket.connect"}

    async def never(*_):
        pytest.fail("a line was opened")

    around = served._Around(never, "", ("gates",))
    asyncio.run(around({"type": "websocket", "path": "/_stcore/stream"}, hear, tell))
    assert said == [{"type": "websocket.close", "code": 1013}]
    (page,) = [route for route in served.serving(["gates"])["routes"] if route.path == "/"]
    answer = asyncio.run(page.endpoint(SimpleNamespace(headers={})))
    assert answer.status_code == 503
    assert "come again in a while" in answer.body.decode()
    limit += 20
    assert not served._crowded()


class Files:
    """Uploads as Streamlit holds them."""

    def __init__(self, sizes: list[int]) -> None:
        records = {f"f{k}": SimpleNamespace(data=bytes(size)) for k, size in enumerate(sizes)}
        self.file_storage = {"mine": records, "other": {"theirs": SimpleNamespace(data=bytes(10))}}

    def remove_file(self, session: str, name: str) -> None:
        del self.file_storage[session][name]


@pytest.mark.parametrize(
    ("sizes", "coming", "left"),
    [([40, 40, 20], 30, ["f1", "f2"]), ([10, 10], 20, ["f0", "f1"]), ([60, 60, 60], 90, []), ([5], 10**9, [])],
)
def test_a_session_holds_so_many_bytes_of_uploads_and_the_oldest_go(monkeypatch, sizes, coming, left):
    files = Files(sizes)
    monkeypatch.setattr(served, "UPLOADS", 100)
    runtime = SimpleNamespace(exists=lambda: True, instance=lambda: SimpleNamespace(uploaded_file_mgr=files))
    monkeypatch.setattr(served, "Runtime", runtime)
    headers = [(b"content-length", str(coming).encode())]
    path = "/_stcore/upload_file/mine/new"
    served._make_room({"type": "http", "method": "GET", "path": path, "headers": headers})
    assert len(files.file_storage["mine"]) == len(sizes), "only an upload makes room"
    served._make_room({"type": "http", "method": "PUT", "path": path, "headers": headers})
    assert list(files.file_storage["mine"]) == left
    assert list(files.file_storage["other"]) == ["theirs"], "another session's uploads are its own"


def test_uploads_that_come_side_by_side_are_too_many_together_as_well(monkeypatch):
    """None of them is there while the others are on their way."""
    files = Files([])
    monkeypatch.setattr(served, "UPLOADS", 100)
    runtime = SimpleNamespace(exists=lambda: True, instance=lambda: SimpleNamespace(uploaded_file_mgr=files))
    monkeypatch.setattr(served, "Runtime", runtime)
    all_here = asyncio.Barrier(20)

    async def app(scope, receive, send):
        await all_here.wait()
        files.file_storage["mine"][scope["path"].rpartition("/")[2]] = SimpleNamespace(data=bytes(30))

    async def twenty():
        around = served._Around(app, "", ("gates",))
        scope = {"type": "http", "method": "PUT", "headers": [(b"content-length", b"30")], "query_string": b""}
        paths = [f"/_stcore/upload_file/mine/n{k}" for k in range(20)]
        await asyncio.gather(*(around(scope | {"path": path}, None, None) for path in paths))

    asyncio.run(twenty())
    assert len(files.file_storage["mine"]) == 3
    assert list(files.file_storage["other"]) == ["theirs"]


def preview(server: str, address: str, **headers: str) -> dict[str, str]:
    """What a page elsewhere is told of a link."""
    _, _, body = ask(server + address, Accept="text/html", **headers)
    page = body.decode()
    found = re.findall(r'<meta property="og:([\w:]+)" content="([^"]*)">', page)
    assert len({name for name, _ in found}) == len(found)
    told = dict(found)
    assert re.findall("<title>(.*?)</title>", page) == [told["title"]]
    return told


def picture(told: dict[str, str]) -> bytes:
    """The picture that a page elsewhere shows of a link."""
    status, headers, body = ask(told["image"])
    assert (status, headers["content-type"]) == (200, "image/png")
    assert body.startswith(b"\x89PNG")
    assert struct.unpack(">II", body[16:24]) == (1200, 630)
    return body


def test_each_page_and_each_lesson_has_its_own_title_and_picture_where_its_link_is_shown(server):
    pages = ["/", "/cell", "/compare", "/gradients", "/training", "/your_network"]
    taught = [f"/?lesson={number}" for number in range(1, len(shipped()) + 1)]
    told = [preview(server, address) for address in pages + taught]
    assert told[0]["title"] == "seqviz: inside recurrent networks"
    for what in ("title", "description", "image"):
        assert len({each[what] for each in told}) == len(told), what
    assert len({picture(each) for each in told}) == len(told)
    assert {file.stem for file in previews.CARDS.iterdir()} == {*previews.PAGES, *(each.id for each in shipped())}
    assert ask(f"{server}/seqviz/card.png")[0] == 200, "what was sent before shows it still"
    for nothing in ("nosuch", "..%2Fcards%2Fgates", "%2e%2e", "x" * 300):
        assert ask(f"{server}/seqviz/cards/{nothing}.png")[0] in (400, 404)


def test_a_link_is_told_in_its_own_language_first(server):
    for address in ("/cell?lang=de", "/gradients?lesson=3&lang=de"):
        german = preview(server, address, Accept_Language="zh-CN")
        assert german["title"] == preview(server, address.replace("lang=de", "x=1"), Accept_Language="de")["title"]
        assert german["title"] != preview(server, address.replace("lang=de", "lang=nosuch"))["title"]


def test_a_link_to_an_experiment_says_its_own_sentence(server):
    told = preview(server, f"/?e={preset('latch').to_url()}")
    assert told["title"] == "This unit keeps the first bit, 1, for 24 steps."
    assert told["description"] == "LSTM, 2 units, 24 steps"
    chinese = preview(server, f"/?e={preset('latch').to_url()}", Accept_Language="zh-CN")
    assert "24" in chinese["title"]
    assert chinese["title"] != told["title"]


OWN = """
seqviz: lesson/1
id: mine
title: {en: 'Two & "three"'}
goal: {en: To see one number.}
minutes: 1
experiments: {one: {preset: latch}}
steps:
  - {id: look, page: cell, show: one, say: {en: Look.}}
"""


def test_a_link_into_a_lesson_has_its_title_and_its_goal(server):
    code = preset("latch").to_url()
    told = preview(server, f"/gradients?lesson=3&at=2&e={code}")
    assert told["title"] == "It vanishes, it explodes"
    assert told["description"].startswith("See that a gradient is multiplied at every step")
    assert preview(server, "/?lesson=3", Accept_Language="zh-CN")["title"] not in ("", told["title"])
    for other in ("0", "99", "%22%3E%3Cscript%3E"):
        told = preview(server, f"/?lesson={other}&e={code}")
        assert told["title"] == "This unit keeps the first bit, 1, for 24 steps."


def test_a_link_that_holds_a_whole_lesson_has_that_ones_title(server):
    told = preview(server, f"/cell?lesson={link_of(OWN)}")
    assert (told["title"], told["description"]) == ("Two &amp; &quot;three&quot;", "To see one number.")
    assert told["image"] == preview(server, "/cell")["image"]
    assert preview(server, f"/cell?lesson={link_of(OWN)[:-9]}") == preview(server, "/cell")


@pytest.mark.parametrize("code", ["nonsense", "%22%3E%3Cscript%3E", "A" * 9000, preset("latch").to_url()[:30]])
def test_a_link_to_nothing_is_called_by_the_apps_name_and_nothing_leaks_into_the_page(server, code):
    told = preview(server, f"/?e={code}")
    assert told["title"] == "seqviz: inside recurrent networks"
    assert "script" not in "".join(told.values())


def test_no_visit_meets_streamlits_own_navigation(monkeypatch):
    """Its navigation by the folder `pages` would run a page without the app around it; it is off before a visit."""
    monkeypatch.setattr(PagesManager, "uses_pages_directory", None)
    served.serving(["gates", "training"])
    PagesManager(str(ROOT / "app.py"))  # each session has one, which turns it on where nobody has decided yet
    assert PagesManager.uses_pages_directory is False


def test_widgets_that_come_while_others_are_walked_over_end_no_run(monkeypatch):
    monkeypatch.setattr(WStates, "__iter__", WStates.__iter__)  # put back at the end
    walks = []

    def walk(self, active):
        walks.append(active)
        if len(walks) == 1:
            raise RuntimeError("dictionary changed size during iteration")

    monkeypatch.setattr(SessionState, "_remove_stale_widgets", walk)
    shell._walk_copies()
    SessionState()._remove_stale_widgets(frozenset("a"))
    assert walks == [frozenset("a")] * 2, "what changed under the walk is walked over once more"
    states = WStates()
    states["a"] = Value(1)
    for name in states:
        states[f"{name}, of the run before"] = Value(2)
    assert len(states) == 2
