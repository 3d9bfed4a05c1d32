"""What a person does on the page, by the names that they and a screen reader read."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from playwright.sync_api import Browser, BrowserContext, FilePayload, Locator, Page, ViewportSize, expect

from bot.sandbox.slack import Person, Workspace

HEIGHT = 800
NARROW = 390


def payload(name: str, content: bytes) -> FilePayload:
    """A file as the browser is given it."""
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


@dataclass
class Client:
    """A page in a browser session of its own."""

    slack: Workspace
    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, browser: Browser, slack: Workspace, person: str, *, width: int, height: int = HEIGHT, dark: bool) -> Self:
        size: ViewportSize = {"width": width, "height": height}
        context = browser.new_context(viewport=size, color_scheme="dark" if dark else "light", timezone_id="UTC")
        client = cls(slack, context, context.new_page())
        client._listen()
        client.page.goto(slack.page_url)
        client.act_as(person)
        return client

    def _listen(self) -> None:
        page = self.page
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("requestfailed", lambda request: self._failed(request.url, request.failure or ""))
        page.on("request", lambda request: self._stay_here(request.url))

    def _failed(self, url: str, why: str) -> None:
        """A request that was still under way when its page was left or loaded anew has not failed."""
        if "ERR_ABORTED" not in why:
            self.complaints.append(f"failed: {url} {why}")

    def _stay_here(self, url: str) -> None:
        if not url.startswith((self.slack.page_url, "data:")):
            self.complaints.append(f"left the sandbox: {url}")

    def close(self) -> None:
        self.context.close()
        assert not self.complaints

    @property
    def narrow(self) -> bool:
        size = self.page.viewport_size
        return size is not None and size["width"] <= NARROW

    # Around

    def act_as(self, person: str | Person) -> None:
        name = person if isinstance(person, str) else person.name
        button = self.page.get_by_role("button", name=f"Act as {name}")
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")

    def pane(self, name: str) -> None:
        """On a narrow screen, go to this pane; on a wide one all are there."""
        if self.narrow:
            self.page.get_by_role("navigation", name="Panes").get_by_role("button", name=name).click()

    def conversation(self, name: str) -> None:
        self.pane("Channels")
        self.page.get_by_role("navigation", name="Conversations").get_by_role("button", name=name).click()
        self.pane("Messages")

    def open_home(self) -> None:
        """The app's home tab."""
        self.conversation("PBX certificates")
        self.page.get_by_role("button", name="Home", exact=True).click()

    @property
    def messages(self) -> Locator:
        return self.page.get_by_role("log", name="Messages")

    @property
    def thread(self) -> Locator:
        return self.page.get_by_role("complementary", name="Thread")

    @property
    def dialog(self) -> Locator:
        return self.page.locator("#modal")

    def pbx(self, name: str = "hq") -> Locator:
        return self.page.get_by_role("region", name=f"PBX {name}")

    def write(self, text: str) -> None:
        self.pane("Messages")
        box = self.page.get_by_role("textbox", name=re.compile("^Message "))
        box.fill(text)
        box.press("Enter")

    # Asking

    def open_form(self) -> None:
        self.write("/pbx-cert")
        self.titled("Ask for a certificate")

    def titled(self, title: str) -> None:
        expect(self.dialog.get_by_role("heading", name=title, exact=True)).to_be_visible()

    def choose_pbx(self, name: str = "hq") -> None:
        self.dialog.get_by_role("combobox", name="PBX").click()
        self.dialog.get_by_role("option", name=name).click()

    def choose_kind(self, kind: str) -> None:
        self.dialog.get_by_role("radio", name=kind).check()

    def attach(self, label: str, *files: tuple[str, bytes]) -> None:
        given = [payload(name, content) for name, content in files]
        self.dialog.get_by_label(re.compile(f"^{label}")).set_input_files(given)
        for name, _ in files:
            expect(self.dialog.get_by_text(name, exact=True).first).to_be_visible()

    def attach_sample(self, name: str) -> None:
        self.dialog.get_by_text("Use a sample of the sandbox").click()
        self.dialog.get_by_role("button", name=name).first.click()
        expect(self.dialog.get_by_role("button", name=f"Remove {name}")).to_be_visible()

    def say_why(self, reason: str) -> None:
        self.dialog.get_by_label("Reason").fill(reason)

    def fill_trusted(self, reason: str = "The new provider's phones") -> None:
        self.choose_pbx()
        self.attach_sample("telecom-root.crt")
        self.say_why(reason)

    def fill_import(self) -> None:
        self.choose_kind("Server certificate: import")
        expect(self.dialog.get_by_label("Certificate and private key")).to_be_attached()
        self.choose_pbx()
        self.attach_sample("pbx.example.com.pem")
        self.say_why("The old one expires")

    def fill_apply(self, domain: str = "pbx.example.com") -> None:
        self.choose_kind("Server certificate: apply")
        self.dialog.get_by_label("Domain", exact=True).fill(domain)
        self.choose_pbx()
        self.dialog.get_by_role("combobox", name="DNS credentials").click()
        self.dialog.get_by_role("option", name="corp").click()
        self.say_why("People see a warning")

    def check(self) -> None:
        """Have the form checked, and see the evidence."""
        self.press("Check")
        self.titled("Is this right?")

    def press(self, name: str) -> None:
        self.dialog.get_by_role("button", name=name, exact=True).click()

    def send(self) -> None:
        """Ask for approval; the dialog is closed then."""
        self.check()
        self.press("Ask for approval")
        self.titled("Asked")
        self.dialog.locator("footer").get_by_role("button", name="Close").click()
        expect(self.dialog).not_to_be_visible()

    # Deciding

    @property
    def card(self) -> Locator:
        """The latest card of the conversation."""
        return self.messages.get_by_role("article").filter(has=self.page.get_by_role("heading")).last

    def on_card(self, button: str, *, confirm: str = "") -> None:
        self.pane("Messages")
        self.card.get_by_role("button", name=button, exact=True).click()
        if confirm:
            self.page.locator("#confirm").get_by_role("button", name=confirm, exact=True).click()

    def approve(self) -> None:
        self.on_card("Approve", confirm="Approve")

    def open_thread(self) -> None:
        self.pane("Messages")
        self.card.get_by_role("button", name=re.compile("repl(y|ies)")).click()
        expect(self.thread.get_by_role("log")).to_be_visible()

    def thread_says(self, words: str | re.Pattern[str]) -> None:
        self.pane("Thread")
        expect(self.thread.get_by_role("article").filter(has_text=words).first).to_be_visible()

    def forward_until(self, seen: Locator, step: str = "+1 min") -> None:
        """Put the clock forward until the bot has looked again and this is seen; nobody can see when it looks."""
        self.pane("PBXs")
        for _ in range(20):
            self.page.get_by_role("button", name=step).click()
            try:
                expect(seen.first).to_be_visible(timeout=1000)
            except AssertionError:
                continue
            return
        raise AssertionError(f"It was not seen within 20 steps of {step}.")

    def told(self, words: str) -> None:
        """Among what only this person sees in the conversation."""
        expect(
            self.messages.get_by_role("article").filter(has_text="Only visible to you").filter(has_text=words)
        ).to_be_visible()

    def shot(self, path: Path) -> None:
        """A picture, with the pointer out of the way and nothing selected."""
        self.page.mouse.move(0, 0)
        self.page.screenshot(path=path)
