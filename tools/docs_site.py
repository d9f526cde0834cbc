"""The hooks of `mkdocs.yml` that build a site from pages that are written for the repository.

README.md is the home page of the site, and CONTRIBUTING.md and CHANGELOG.md are pages too. A link to any other file
of the repository becomes plain text, since the site does not have that file.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

ROOT = Path(__file__).parent.parent
PAGES = {"README.md": "index.md", "CONTRIBUTING.md": "CONTRIBUTING.md", "CHANGELOG.md": "CHANGELOG.md"}
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s#]+)(#[^)\s]*)?\)")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Adds the pages outside `docs/`."""
    for name, page in PAGES.items():
        text = (ROOT / name).read_text().replace("](docs/", "](")
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, *, files: Files, **_: Any) -> str:
    """Corrects links to the added pages, and removes links that lead out of the site."""

    def led(link: re.Match[str]) -> str:
        text, target, anchor = link[1], link[2], link[3] or ""
        if "://" in target:
            return link[0]
        page = PAGES.get(target.removeprefix("../"), target)
        return f"[{text}]({page}{anchor})" if files.get_file_from_path(page) else text

    return _LINK.sub(led, markdown)
