from __future__ import annotations

from service.signals import Signal


def describe(signal: Signal) -> str:
    raise NotImplementedError
