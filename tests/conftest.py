"""Properties are tried on the same examples each time, and without a deadline: being busy is no defect."""

from hypothesis import settings

settings.register_profile("launchworthy", deadline=None, derandomize=True)
settings.load_profile("launchworthy")
