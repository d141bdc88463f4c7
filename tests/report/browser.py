# SPDX-License-Identifier: MIT
"""A headless Chromium by its debugging protocol: enough to open a page, act on it and read it."""

import asyncio
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Page:
    """One page of the browser; what it logs and what it asks the network for are kept."""

    def __init__(self, connection: Any, loop: asyncio.AbstractEventLoop) -> None:
        self.connection = connection
        self.loop = loop
        self.sent = 0
        self.complaints: list[str] = []
        self.requests: list[str] = []

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask the browser for something, and wait for its answer."""
        return self.loop.run_until_complete(self._send(method, parameters))

    async def _send(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self.sent += 1
        await self.connection.write_message(
            json.dumps({"id": self.sent, "method": method, "params": parameters})
        )
        while True:
            message = json.loads(await asyncio.wait_for(self.connection.read_message(), 30))
            if message.get("id") == self.sent:
                assert "error" not in message, message
                return message["result"]
            self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        about = message.get("params", {})
        if message["method"] == "Network.requestWillBeSent":
            self.requests.append(about["request"]["url"])
        elif message["method"] in ("Runtime.exceptionThrown", "Log.entryAdded") or (
            message["method"] == "Runtime.consoleAPICalled"
        ):
            self.complaints.append(json.dumps(about))

    def open(self, path: Path, width: int = 1000) -> None:
        """Show a file in a window so wide."""
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        self.send("Emulation.setDeviceMetricsOverride", **size)
        self.send("Page.navigate", url=path.as_uri())
        deadline = time.monotonic() + 30
        while self.run("document.readyState") != "complete":
            assert time.monotonic() < deadline, "the page did not load"

    def run(self, script: str) -> Any:
        """Evaluate JavaScript; its value."""
        result = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def press(self, key: str, code: int) -> None:
        """Press a key, as a person without a mouse does."""
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)


@contextmanager
def browser() -> Iterator[Page]:
    """Start a browser with one empty page."""
    assert BROWSER is not None
    with tempfile.TemporaryDirectory() as profile:
        options = (
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--remote-debugging-port=0",
        )
        process = subprocess.Popen(
            [BROWSER, *options, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        loop = asyncio.new_event_loop()
        try:
            url = _page_url(Path(profile) / "DevToolsActivePort")
            connection = loop.run_until_complete(_connected(url))
            yield Page(connection, loop)
            connection.close()
        finally:
            loop.close()
            process.terminate()
            process.wait(timeout=30)


async def _connected(url: str) -> Any:
    """The protocol's connection; made inside the loop that it will belong to."""
    from tornado.websocket import websocket_connect

    return await websocket_connect(url, max_message_size=2**26)


def _page_url(port: Path) -> str:
    """Address of the page's protocol, once the browser says where it listens."""
    from urllib.request import urlopen

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if port.is_file() and port.read_text().strip():
            where = f"http://127.0.0.1:{port.read_text().split()[0]}/json/list"
            pages = [page for page in json.load(urlopen(where)) if page["type"] == "page"]
            if pages:
                return pages[0]["webSocketDebuggerUrl"]
        time.sleep(0.05)
    raise TimeoutError("the browser did not start")
