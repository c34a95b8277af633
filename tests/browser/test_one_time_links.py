"""An operator is invited by a link, and another one gets a new password by one, in a real browser."""

from tests.browser import chromium
from tests.failing.server import Server


def test_somebody_is_invited_chooses_a_password_and_is_in(admin_page, running, sending: Server) -> None:
    who = f"invited-{admin_page.live}@example.org".lower()
    admin_page.goto(f"{sending.url}/settings/operators")
    admin_page.get_by_role("heading", name="Invite an operator").wait_for()
    admin_page.get_by_label("E-mail").first.fill(who)
    admin_page.get_by_role("button", name="Create the link").click()
    link = admin_page.locator(".copied code").inner_text()
    path = link.partition("/join")[2]
    theirs = chromium.context_of(running, java_script_enabled=admin_page.live)
    guest = theirs.new_page()
    guest.goto(f"{sending.url}/join{path}")
    guest.get_by_label("Password", exact=True).fill("quite a long phrase")
    guest.get_by_label("The same again").fill("quite a long phrase")
    guest.get_by_role("button", name="Set the password and sign in").click()
    guest.wait_for_url(f"{sending.url}/")
    theirs.close()
    admin_page.goto(f"{sending.url}/settings/operators")
    admin_page.get_by_role("rowheader", name=who).wait_for()
