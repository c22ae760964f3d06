"""Lessons in the browser: what the package asks of Python there, and the site of ``--live``.

To run a notebook in a real browser takes a folder with Pyodide, of the version for which the
package jupyterlite-pyodide-kernel that is installed is made: name it in $TINYGRAD_PYODIDE.
"""

import importlib.util
import json
import mimetypes
import os
import re
import subprocess
import sys
import threading
import urllib.request
import zipfile
from pathlib import Path

import pytest

import demos
from demos import __main__ as dispatcher
from tinygrad_edu import lessons

ROOT = Path(demos.__file__).parents[1]
PYODIDE = os.environ.get("TINYGRAD_PYODIDE", "")
LESSON = "11_backpropagation"

AS_IN_A_BROWSER = """
import sys, threading
import numpy

REFUSED = {"graphviz", "pygraphviz", "multiprocessing", "subprocess", "tqdm", "concurrent"}

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in REFUSED:
            raise ModuleNotFoundError(f"{name} is not there")

def refuse(event, args):
    code = event == "open" and str(args[0]).endswith((".py", ".pyc"))
    if event.startswith(("subprocess.", "os.", "socket.", "open")) and not code:
        if event not in ("os.listdir", "os.putenv", "os.unsetenv"):
            raise RuntimeError(f"{event} {args}")

def no_thread(self):
    raise RuntimeError("can't start new thread")

threading.Thread.start = no_thread
sys.meta_path.insert(0, Refuse())
sys.addaudithook(refuse)
exec(sys.stdin.read())
"""


AS_TEXT = """
from tinygrad_edu import draw, steps
small = (W * W).sum()
assert str(draw(small)) and str(steps(small)[-1])
"""


def as_in_a_browser(code):
    command = [sys.executable, "-X", "utf8", "-B", "-c", AS_IN_A_BROWSER]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, input=code, env=environment, capture_output=True, text=True, check=False
    )


def test_the_fifteen_lines_need_no_graphviz_thread_process_or_file():
    readme = (ROOT / "README.md").read_text("utf-8")
    code, printed = re.findall(r"```(?:python|text)\n(.*?)```", readme, re.DOTALL)[:2]
    done = as_in_a_browser(code + AS_TEXT)
    assert (done.returncode, done.stdout, done.stderr) == (0, printed, "")


@pytest.mark.parametrize(
    "code",
    [
        "import graphviz",
        "import subprocess",
        "import threading; threading.Thread(target=print).start()",
        "import os; os.system('true')",
        "open('a.txt')",
    ],
)
def test_what_a_browser_lacks_is_refused_in_that_test(code):
    assert as_in_a_browser(code).returncode == 1


def test_a_folder_of_pyodide_needs_the_option_live(capsys):
    with pytest.raises(SystemExit) as stopped:
        dispatcher.main(["--pyodide", "pyodide"])
    assert stopped.value.code == 2
    assert "--pyodide FOLDER goes with --live" in capsys.readouterr().err


def test_where_jupyterlite_is_missing_it_says_how_to_install_it(capsys, tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *args: None if name == "jupyterlite_core" else find(name, *args),
    )
    pytest.importorskip("sphinx", reason="the site's tools are not installed")
    assert dispatcher.main(["--live", "--out", str(tmp_path)]) == 2
    said = "the site needs jupyterlite_core: pip install -e '.[live]'"
    assert said in capsys.readouterr().err


def test_scripts_are_served_as_scripts_whatever_the_machine_says(tmp_path, monkeypatch):
    monkeypatch.setattr(dispatcher.Files, "log_message", lambda *_: None)
    monkeypatch.setattr(mimetypes, "guess_type", lambda *_: ("text/plain", None))
    for name in ("a.js", "a.mjs", "a.wasm"):
        (tmp_path / name).touch()
    with dispatcher.server(tmp_path, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        found = []
        for name in ("a.js", "a.mjs", "a.wasm"):
            with urllib.request.urlopen(f"{address}/{name}") as answer:
                found.append(answer.headers["Content-Type"])
        server.shutdown()
    assert found == ["text/javascript", "text/javascript", "application/wasm"]


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """The site of one lesson, built with ``--live``."""
    pytest.importorskip("jupyterlite_pyodide_kernel", reason="pip install '.[live]'")
    folder = tmp_path_factory.mktemp("live")
    given = ["--pyodide", PYODIDE] if PYODIDE else []
    assert dispatcher.main(["backpropagation", "--live", *given, "--out", str(folder)]) == 0
    return folder


@pytest.fixture
def checked(monkeypatch):
    """What looks at a folder before Pyodide is taken from it."""
    pytest.importorskip("jupyterlite_pyodide_kernel", reason="pip install '.[live]'")
    monkeypatch.syspath_prepend(str(ROOT / "demos" / "site"))
    import live

    return live.checked, live.PYODIDE_VERSION


def test_a_folder_without_the_right_pyodide_is_refused(checked, tmp_path):
    checked, version = checked

    def refused():
        with pytest.raises(Exception, match=re.escape(f"'{tmp_path}'")) as error:
            checked(tmp_path)
        return str(error.value)

    assert "is no folder of Pyodide" in refused()
    (tmp_path / "pyodide.mjs").write_text('var a="0.1.2"')
    (tmp_path / "pyodide-lock.json").write_text('{"packages": {}}')
    assert "lacks ipython, matplotlib, numpy, scikit-learn: take the full" in refused()
    names = ("ipython", "matplotlib", "numpy", "scikit-learn")
    packages = {name: {"file_name": f"{name}.whl"} for name in names}
    (tmp_path / "pyodide-lock.json").write_text(json.dumps({"packages": packages}))
    for name in names:
        (tmp_path / f"{name}.whl").touch()
    assert refused().endswith(f"take Pyodide {version}")
    assert "holds Pyodide 0.1, and" in refused()
    (tmp_path / "pyodide.mjs").write_text(f'var a="{version}"')
    assert checked(tmp_path) == tmp_path


@pytest.mark.nightly
def test_the_notebooks_are_those_to_download_with_a_cell_before(live):
    for name in lessons.names():
        here = json.loads((live / "lite" / "files" / f"{name}.ipynb").read_text("utf-8"))
        plain = (live / "downloads" / f"{name}.ipynb").read_text("utf-8")
        links = re.findall(r"\]\((\w+)\.py\)", plain)
        assert set(links) <= {*lessons.names()}
        for link in links:  # to the notebooks that lie beside it
            plain = plain.replace(f"]({link}.py)", f"]({link}.ipynb)")
        setup, *cells = here["cells"]
        assert cells == json.loads(plain)["cells"]
        assert setup["source"].startswith("# Run this first.")
        assert here["metadata"]["kernelspec"]["name"] == "python"


@pytest.mark.nightly
def test_all_wheels_are_on_the_site_and_pure_python(live):
    folder = live / "lite" / "pypi"
    index = json.loads((folder / "all.json").read_text("utf-8"))
    assert sorted(index) == ["comm", "easydot", "graphviz", "tinygrad-edu"]
    for wheel in folder.glob("*.whl"):
        assert wheel.name.endswith("-py3-none-any.whl")
        with zipfile.ZipFile(wheel) as files:
            assert files.testzip() is None
            assert not [each for each in files.namelist() if each.endswith((".so", ".pyd"))]


@pytest.mark.nightly
def test_the_page_says_what_is_loaded_and_from_where(live):
    text = (live / "lessons" / f"{LESSON}.html").read_text("utf-8")
    host = "this site" if PYODIDE else "cdn.jsdelivr.net"
    assert re.search(rf"\(up to 60\s+MB\), from\s+{re.escape(host)}", text)
    config = json.loads((live / "lite" / "jupyter-lite.json").read_text("utf-8"))
    (settings,) = config["jupyter-config-data"]["litePluginSettings"].values()
    if PYODIDE:
        assert settings["pyodideUrl"].startswith("./static/pyodide/pyodide.")
    else:  # then it is where the kernel says
        assert "pyodideUrl" not in settings
        schema = next((live / "lite").rglob("kernel.v0.schema.json")).read_text("utf-8")
        default = json.loads(schema)["properties"]["pyodideUrl"]["default"]
        assert default.startswith("https://cdn.jsdelivr.net/pyodide/")
    assert [each["name"] for each in config["jupyter-config-data"]["federated_extensions"]] == [
        "@jupyterlite/pyodide-kernel-extension"
    ]


@pytest.fixture
def visit(browser, live, monkeypatch):
    """Open a page of the served site; all addresses that the browser asks for."""
    monkeypatch.setattr(dispatcher.Files, "log_message", lambda *_: None)
    context = browser.new_context()
    asked = []
    context.on("request", lambda request: asked.append(request.url))
    with dispatcher.server(live, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(f"http://127.0.0.1:{server.server_port}/lessons/{LESSON}.html")
        yield page, asked
        context.close()
        server.shutdown()


@pytest.mark.nightly
def test_nothing_is_loaded_before_the_click(visit):
    page, asked = visit
    page.wait_for_timeout(1000)
    assert [url for url in asked if "/lite/" in url or "//127.0.0.1:" not in url] == []
    page.get_by_role("link", name="run it in the browser").click()
    page.get_by_role("heading", name="Backpropagation").wait_for()
    assert any("/lite/" in url for url in asked)


@pytest.mark.nightly
def test_a_page_that_is_a_file_says_that_it_has_to_be_served(browser, live):
    page = browser.new_page()
    page.goto((live / "lessons" / f"{LESSON}.html").as_uri())
    words = page.locator(".live").inner_text()
    page.close()
    assert words.endswith("python -m demos serve")


@pytest.mark.nightly
@pytest.mark.skipif(not PYODIDE, reason="TINYGRAD_PYODIDE names no folder with Pyodide")
def test_a_lesson_runs_in_the_browser_without_a_network(visit):
    page, asked = visit
    page.get_by_role("link", name="run it in the browser").click()
    page.locator(".jp-Notebook").wait_for()
    page.wait_for_timeout(2000)  # the kernel is found
    page.get_by_text("Run", exact=True).first.click()
    page.get_by_text("Run All Cells", exact=True).first.click()
    done = """() => {
        const all = [...document.querySelectorAll(".jp-CodeCell .jp-InputPrompt")];
        return all.length > 5 && all.every((each) => /^\\[\\d+\\]:$/.test(each.textContent));
    }"""
    page.wait_for_function(done, timeout=240_000)
    kinds = ("error", "stderr")
    said = page.locator(
        ", ".join(f"[data-mime-type='application/vnd.jupyter.{kind}']" for kind in kinds)
    )
    assert said.all_inner_texts() == []
    assert "Warning" not in page.locator(".jp-Notebook").inner_text()
    assert "slope by w: -0.1788, slope by b: -0.1192" in page.content()
    assert page.locator(".jp-OutputArea svg g.node").count() == 8  # drawn by Graphviz in the page
    assert [url for url in asked if not re.match(r"http://127\.0\.0\.1:|data:|blob:", url)] == []
