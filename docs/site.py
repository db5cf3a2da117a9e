"""The site of these pages (`make docs`): it begins with the README, and has the files that pages name outside of
docs/."""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
#: A link out of docs/, and where the text of the file is on the site.
_OUTSIDE = re.compile(r"\]\(((?:\.\./)+)([^)#]+)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the README as the first page, and each file that a page names outside of docs/."""
    files.append(File.generated(config, "index.md", content=_text("README.md")))
    for page in list(files.documentation_pages()):
        for dots, path in _OUTSIDE.findall(page.content_string):
            if _leaves(page.src_uri, dots) and files.get_file_from_path(path) is None:
                files.append(File.generated(config, path, content=_text(path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Returns the page's text with links to where these files are on the site."""

    def inside(found: re.Match[str]) -> str:
        dots, path = found.groups()
        return f"]({dots[3:] if _leaves(page.file.src_uri, dots) else dots}{path}"

    return _OUTSIDE.sub(inside, markdown)


def _text(path: str) -> str:
    """Returns the text of a file outside of docs/, with links as they are from the root of the site."""
    return (ROOT / path).read_text("utf-8").replace("](docs/", "](")


def _leaves(page: str, dots: str) -> bool:
    return len(dots) // 3 > page.count("/")
