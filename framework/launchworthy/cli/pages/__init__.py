"""What does this name mean? The pages of `launchworthy explain`."""

from launchworthy.cli.pages.library import find_page, names_of_pages

__all__ = ["find_page", "names_of_pages"]
