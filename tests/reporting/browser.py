"""What a headless Chromium makes of a page."""

import re
import shutil
import subprocess
from pathlib import Path

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)

# Reads the size that each image was decoded to. The page itself allows no script.
_SIZES = """<script>
addEventListener("load", () => {
  const sizes = Array.from(document.images, one => one.complete ? one.naturalWidth : 0);
  document.documentElement.setAttribute("data-widths", sizes.join(" "));
});
</script></body>"""
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


def console(page: Path) -> list[str]:
    """What the browser writes to its console while it shows the page."""
    done = _chromium(page, "--enable-logging=stderr", "--dump-dom")
    return [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def image_widths(page: Path, folder: Path) -> list[int]:
    """The width of each image as decoded, in pixels; 0 for one that is not drawn."""
    text, replaced = _POLICY.subn("", page.read_text(encoding="utf-8"))
    assert replaced == 1
    asking = folder / "asking.html"
    asking.write_text(text.replace("</body>", _SIZES), encoding="utf-8")
    found = re.search(r'data-widths="([\d ]*)"', _chromium(asking, "--dump-dom").stdout)
    assert found, "the page did not load"
    return [int(width) for width in found[1].split()]


def _chromium(page: Path, *options: str) -> subprocess.CompletedProcess[str]:
    assert CHROMIUM
    return subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=10000",
         *options, page.absolute().as_uri()],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
