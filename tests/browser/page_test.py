"""Opens the report in headless Chromium, without a network, as its reader will.

usage: page_test.py WRITE_PAGES FOLDER [PAGE...]

WRITE_PAGES is the program that writes the made-up pages into FOLDER; screenshots go there too.
Further pages, as of a real store, are opened and looked at in general. Exit status 77: this machine
has no browser, and the reason was printed.
"""

import base64
import json
import pathlib
import shutil
import subprocess
import sys
import time

SKIPPED = 77
HOSTILE = "</script><img src=x onerror=\"document.title='owned'\"><!--{{data}}&amp;"
SEED = "18446744073709551557"


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


try:
    from selenium import webdriver
    from selenium.common.exceptions import WebDriverException
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By
except ImportError:
    skip(f"{sys.executable} has no selenium (Debian: python3-selenium)")

# The share of a canvas that differs from its first pixel, and how many colours it has.
CANVAS = """
return [...document.querySelectorAll('[role=img]')].map((box) => {
  const canvas = box.querySelector('canvas');
  if (!canvas) return {label: box.getAttribute('aria-label'), share: 0, colours: 0};
  const data = new Uint32Array(
    canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  const colours = new Set();
  let differing = 0;
  for (const pixel of data) {
    colours.add(pixel);
    if (pixel !== data[0]) ++differing;
  }
  return {label: box.getAttribute('aria-label'), share: differing / data.length,
          colours: colours.size, width: box.clientWidth,
          sum: data.reduce((a, b) => (a + b) % 65521)};
});
"""

# Text whose contrast with what lies behind it is below 4.5 (WCAG 2.1, level AA).
CONTRAST = """
const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
const light = (rgb) => rgb.slice(0, 3).map((c) => c / 255)
  .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
  .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
function ground(element) {
  for (let at = element; at; at = at.parentElement) {
    const rgb = parse(getComputedStyle(at).backgroundColor);
    if (rgb.length === 3 || rgb[3] > 0) return rgb;
  }
  return parse(getComputedStyle(document.body).backgroundColor);
}
const poor = [];
for (const element of document.body.querySelectorAll('*')) {
  const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  if (!own || !element.checkVisibility()) continue;
  if (['SCRIPT', 'STYLE', 'NOSCRIPT'].includes(element.tagName)) continue;
  const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) poor.push(`${element.tagName} ${element.className}: ${ratio.toFixed(2)} `
    + element.textContent.slice(0, 40));
}
return poor;
"""


class Browser:
    def __init__(self, folder):
        self.folder = folder
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                         "--disable-dev-shm-usage", "--disable-background-networking",
                         "--no-first-run", "--host-resolver-rules=MAP * ~NOTFOUND",
                         f"--user-data-dir={folder / 'profile'}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        try:
            self.driver = webdriver.Chrome(service=Service(shutil.which("chromedriver")),
                                           options=options)
        except WebDriverException as error:
            skip(f"chromium does not start here: {error.msg.splitlines()[0]}")
        self.driver.set_page_load_timeout(120)
        self.driver.set_script_timeout(60)
        self.command("Network.enable", {})
        self.command("Network.emulateNetworkConditions",
                     {"offline": True, "latency": 0, "downloadThroughput": 0,
                      "uploadThroughput": 0})

    def command(self, name, parameters):
        return self.driver.execute_cdp_cmd(name, parameters)

    def script(self, text, *arguments):
        return self.driver.execute_script(text, *arguments)

    def find(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def open(self, page, width=1280, scheme="light"):
        self.resize(width)
        self.prefer(scheme)
        self.driver.get(page.resolve().as_uri())
        self.until("return document.documentElement.dataset.ready === 'true'")

    def resize(self, width):
        self.command("Emulation.setDeviceMetricsOverride",
                     {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False})

    def prefer(self, scheme):
        self.command("Emulation.setEmulatedMedia",
                     {"features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def until(self, condition):
        end = time.monotonic() + 60
        while not self.script(condition):
            if time.monotonic() > end:
                raise AssertionError(f"did not come true in a minute: {condition}")
            time.sleep(0.1)

    def complaints(self):
        return [entry["message"] for entry in self.driver.get_log("browser")]

    # What the page asked for beyond itself.
    def requests(self):
        urls = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                urls.append(message["params"]["request"]["url"])
        return [url for url in urls if not url.startswith(("file:", "data:", "chrome:"))]

    def screenshot(self, name):
        width, height = self.script(
            "return [innerWidth, document.documentElement.scrollHeight]")
        picture = self.command("Page.captureScreenshot", {
            "captureBeyondViewport": True,
            "clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}})
        (self.folder / f"{name}.png").write_bytes(base64.b64decode(picture["data"]))


failures = []


def expect(condition, what):
    if not condition:
        failures.append(what)
        print(f"  FAILED: {what}")


def expect_quiet(browser, page):
    complaints, requests = browser.complaints(), browser.requests()
    expect(not complaints, f"{page}: the console says {complaints[:3]}")
    expect(not requests, f"{page}: it asked for {requests[:3]}")


def expect_plots(browser, page, number=None):
    plots = browser.script(CANVAS)
    expect(number is None or len(plots) == number, f"{page}: {len(plots)} plots, not {number}")
    for plot in plots:
        expect(plot["share"] > 0.002 and plot["colours"] > 8, f"{page}: blank: {plot}")
        expect(len(plot["label"]) > 20, f"{page}: a plot without its text: {plot}")
    return plots


def check_structure(browser, page):
    levels = [int(h.tag_name[1]) for h in browser.find("h1, h2, h3")]
    expect(levels and levels[0] == 1 and levels.count(1) == 1, f"{page}: one h1 first: {levels}")
    expect(all(b - a <= 1 for a, b in zip(levels, levels[1:])), f"{page}: headings skip: {levels}")
    expect(not browser.script("return [...document.querySelectorAll('table')]"
                              ".filter((t) => !t.caption || !t.querySelector('th[scope=col]'))"),
           f"{page}: tables without caption or headings")
    expect(not browser.find("img, iframe, object, link, script[src]"),
           f"{page}: elements that load something")


def check_findings(browser):
    signatures = [e.text.replace("\n", "") for e in browser.find(".finding .signature")]
    expect(signatures == ["instance_life/dcp_attention/crash/-",
                          "equivalence/dcp_attention/hang/exchange",
                          "page_order/dcp_attention/relation/combine",
                          "equivalence/dcp_attention/value/attend",
                          "repetition/dcp_attention/nondeterminism/exchange"],
           f"the order of the findings: {signatures}")
    summaries = browser.find(".finding summary")
    expect(HOSTILE in summaries[2].text, f"the blame as it is: {summaries[2].text}")
    expect(browser.driver.title.startswith("Helixcheck: campaign 3"), "the title was changed")
    crash = browser.find(".finding .inside")[0]
    expect(not crash.is_displayed(), "a finding is closed at first")
    summaries[0].click()
    expect(crash.is_displayed(), "a click opens a finding")
    for text in (HOSTILE, "with 1 that must run before it", "fails only after one other scenario",
                 "helixcheck run --entry core", "\u241b[31mfatal"):
        expect(text in crash.text, f"a finding shows {text}")
    value = browser.script("location.hash = '#finding-1';"
                           "return document.querySelector('#finding-1 details')")
    browser.until("return document.querySelector('#finding-1 details').open")
    expect(SEED in value.text, "a 64-bit seed keeps its digits")
    browser.script("history.replaceState(null, '', ' '); scrollTo(0, 0)")


def check_copy(browser):
    browser.command("Browser.grantPermissions",
                    {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})
    button = browser.find(".finding .copyable button")[0]
    button.click()
    browser.until("return document.querySelector('.finding .copyable button').textContent"
                  " !== 'Copy'")
    expect(button.text == "Copied", f"the copy button says {button.text}")
    copied = browser.driver.execute_async_script(
        "navigator.clipboard.readText().then(arguments[0], (e) => arguments[0](String(e)))")
    shown = browser.find(".finding .copyable pre")[0].get_attribute("textContent")
    expect(copied == shown and copied.startswith("helixcheck run"), f"copied: {copied}")


def check_tooltips(browser):
    text = browser.script("""
      const box = [...document.querySelectorAll('[role=img]')].pop();
      const chart = echarts.getInstanceByDom(box);
      const cells = chart.getOption().series[0].data;
      const missing = cells.findIndex((cell) => cell.itemStyle && cell.itemStyle.borderColor);
      chart.dispatchAction({type: 'showTip', seriesIndex: 0, dataIndex: missing});
      return box.textContent;""")
    expect("possible, but never drawn" in text and "×" in text, f"a missing pair's tip: {text}")


def check_schemes(browser, light):
    expect(not browser.script(CONTRAST), f"contrast, light: {browser.script(CONTRAST)[:5]}")
    before = browser.script("return getComputedStyle(document.body).backgroundColor")
    browser.prefer("dark")
    time.sleep(0.5)
    after = browser.script("return getComputedStyle(document.body).backgroundColor")
    expect(before != after, f"the ground stays {after} in the dark scheme")
    dark = expect_plots(browser, "night, dark", len(light))
    for one, other in zip(light, dark):
        expect(one["sum"] != other["sum"], f"drawn in the old colours: {one['label']}")
    expect(not browser.script(CONTRAST), f"contrast, dark: {browser.script(CONTRAST)[:5]}")
    browser.screenshot("dark")


def check_narrow(browser, page):
    browser.open(page, width=400)
    browser.until("return document.documentElement.dataset.drawn === 'true'")
    set_open = "for (const one of document.querySelectorAll('details')) one.open = arguments[0]"
    browser.script(set_open, True)
    width = browser.script("return document.documentElement.scrollWidth")
    expect(width <= 400, f"at 400 pixels the page is {width} wide")
    plots = expect_plots(browser, "night, narrow")
    expect(all(plot["width"] < 400 for plot in plots[:-1]), "plots follow the width")
    browser.script(set_open, False)
    browser.screenshot("narrow")


def check_print(browser, folder):
    paper = browser.command("Page.printToPDF", {"printBackground": True})
    (folder / "paper.pdf").write_bytes(base64.b64decode(paper["data"]))
    browser.until("return document.documentElement.dataset.paper === undefined")


def check_night(browser, folder):
    page = folder / "night.html"
    browser.open(page)
    browser.until("return document.documentElement.dataset.drawn === 'true'")
    light = expect_plots(browser, "night", 10)
    browser.screenshot("light")
    check_structure(browser, "night")
    check_findings(browser)
    check_copy(browser)
    check_tooltips(browser)
    browser.open(page)
    browser.until("return document.documentElement.dataset.drawn === 'true'")
    check_schemes(browser, light)
    check_print(browser, folder)
    check_narrow(browser, page)
    expect_quiet(browser, "night")


def check_empty(browser, folder):
    browser.open(folder / "empty.html", scheme="dark")
    expect("No findings" in browser.find("h1")[0].text, "an empty campaign says so")
    expect(not browser.find("[role=img]"), "nothing to draw, nothing drawn")
    check_structure(browser, "empty")
    browser.screenshot("empty")
    expect_quiet(browser, "empty")


def check_tables(browser, folder):
    browser.open(folder / "tables.html")
    notice = browser.find("#no-charts")[0]
    expect("no plots on this page: this build has no charting library." in notice.text,
           f"why there are no plots: {notice.text}")
    expect(not browser.find("canvas, [role=img]"), "plots without a library")
    expect(len(browser.find("table")) >= 6, "tables instead of plots")
    check_structure(browser, "tables")
    browser.screenshot("tables")
    expect_quiet(browser, "tables")


def main(writer, folder, *further):
    for tool, package in (("chromium", "chromium"), ("chromedriver", "chromium-driver")):
        if shutil.which(tool) is None:
            skip(f"{tool} is missing (Debian: {package})")
    folder = pathlib.Path(folder)
    subprocess.run([writer, folder], check=True)
    browser = Browser(folder)
    try:
        check_night(browser, folder)
        check_empty(browser, folder)
        check_tables(browser, folder)
        for page in map(pathlib.Path, further):
            browser.open(page)
            expect_plots(browser, page.name)
            check_structure(browser, page.name)
            browser.screenshot(page.stem)
            expect_quiet(browser, page.name)
    finally:
        browser.driver.quit()
        shutil.rmtree(folder / "profile", ignore_errors=True)
    print(f"{len(failures)} failures; screenshots in {folder}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
