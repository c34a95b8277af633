"""Everything that can be clicked can be reached and seen by keyboard."""

from tests.browser import chromium, demo, places

ACTIONS = "a[href], button, input:not([type=hidden]), select, textarea, summary"

# Everything that a pointer could use and that is not hidden in a closed menu.
COUNT = f"""() => [...document.querySelectorAll({ACTIONS!r})]
    .filter((one) => one.checkVisibility({{visibilityProperty: true}}) && !one.disabled).length"""
# Notes whatever takes the focus, and whether that can be seen.
WATCH = """() => {
    window.unseen = [];
    document.addEventListener("focusin", ({target: here}) => {
        if (here.dataset.reached) return;
        here.dataset.reached = "1";
        const style = getComputedStyle(here);
        const box = here.getBoundingClientRect();
        const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
        const inside = box.width > 0 && box.right > 0 && box.left < innerWidth;
        if (!seen || !inside) window.unseen.push(here.outerHTML.slice(0, 120));
    });
}"""
STRIDE = 10  # presses between two looks at what is still to come
UNREACHED = f"""() => [...document.querySelectorAll({ACTIONS!r})]
    .filter((one) => one.checkVisibility({{visibilityProperty: true}}) && !one.disabled && !one.dataset.reached)
    .filter((one) => !document.querySelector(`input[type=radio][name="${{one.name}}"][data-reached]`)) // by the arrows
    .map((one) => one.outerHTML.slice(0, 120))"""


def test_every_action_is_reached_and_visible_by_keyboard(running, shown) -> None:
    app = demo.app_of(shown)
    context = chromium.context_of(running)
    chromium.sign_in(context, shown.url, demo.email_of("admin"), demo.PASSWORD)
    page = context.new_page()
    page.route("**/now", hold_still)
    wrong = {}
    for path in places.whole_pages(app):
        if chromium.opens(page, shown.url + path) and (found := walk(page)):
            wrong[path] = found
    context.close()
    app.extensions["runtime"].database.dispose()
    assert wrong == {}


def hold_still(route) -> None:
    """A part of the page that refreshes would forget what was reached."""
    if route.request.resource_type == "fetch":
        route.fulfill(status=204)
    else:
        route.continue_()


def walk(page) -> list[str]:
    """What the tab key does not reach, or reaches without showing it."""
    page.evaluate(WATCH)
    for _ in range(0, 2 * page.evaluate(COUNT) + 40, STRIDE):
        for _ in range(STRIDE):
            page.keyboard.press("Tab")
        if not page.evaluate(UNREACHED):
            break
    unseen = page.evaluate("window.unseen")
    return [f"not visible: {one}" for one in unseen] + [f"not reached: {one}" for one in page.evaluate(UNREACHED)]
