"""The page where a person says yes or no to one call: routes, sign-in, what is shown, and the one decision.

Imported where a manifest asks on a page, and nowhere else.

routes                its addresses, and the methods that each answers
reading               what a browser sent
cookies               what a browser carries, sealed
authorization_server  where people sign in
sign_in               begun and finished, anew for each question
markup, style         what is shown; no script
answering             the page itself
"""

from launchworthy.approval.page.answering import ApprovalPage
from launchworthy.approval.page.authorization_server import AuthorizationServer, RedeemsCodes
from launchworthy.approval.page.cookies import Cookies
from launchworthy.approval.page.routes import ROUTES
from launchworthy.approval.page.sign_in import SignIns

__all__ = [
    "ROUTES",
    "ApprovalPage",
    "AuthorizationServer",
    "Cookies",
    "RedeemsCodes",
    "SignIns",
]
