"""Server-rendered pages over the same store functions as the API. Read-only; no JavaScript build."""

from service.console.app import SignInFirst, router, to_sign_in

__all__ = ["SignInFirst", "router", "to_sign_in"]
