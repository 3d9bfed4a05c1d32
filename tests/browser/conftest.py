"""A sandbox with the bot, and a browser that looks at its page."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from bot.sandbox import web
from tests.browser.client import HEIGHT, Client
from tests.flow.world import World

CHROMIUM = Path("/usr/bin/chromium")
#: No sandbox of its own inside a container, and nothing that would ask the network for anything.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

Open = Callable[..., Client]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed, so the browser tests are skipped (apt-get install chromium)")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """The sandbox with its page and the bot, where two looks suffice until a certificate is issued."""
    made = World(tmp_path, issuance_polls=2)
    people = [(made.tess, "requester"), (made.ana, "team lead"), (made.ben, "team lead"), (made.carl, "neither")]
    web.mount(made.slack, [made.hq, made.branch], made.clock, people=people, home=made.certs, files=web.samples())
    yield made.start()
    made.close()


@pytest.fixture
def open_page(browser: Browser, world: World) -> Iterator[Open]:
    """Opens the page as somebody; whatever the page complains of fails the test."""
    opened: list[Client] = []

    def opening(person: str = "Tess Technician", *, width: int = 1280, height: int = HEIGHT, dark: bool = False) -> Client:
        client = Client.open(browser, world.slack, person, width=width, height=height, dark=dark)
        opened.append(client)
        return client

    yield opening
    for client in opened:
        client.close()


@pytest.fixture
def client(open_page: Open) -> Client:
    """The page as the requester, on a wide screen."""
    return open_page()
