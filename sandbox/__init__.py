"""Local stand-ins for Cartum shops and RO App, over HTTP, for the demo and the tests. Not for production."""

from sandbox.box import Account, Sandbox, Shop

__all__ = ["Account", "Sandbox", "Shop"]
