"""What a day of a series costs, against one call of the usual segmentation over half a year of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec

import numpy as np

from ml.evaluate.usage.adjustment import window
from ml.evaluate.usage.figures import Row
from ml.evaluate.usage.generator import make_panel
from ml.evaluate.usage.peers import TRAILING
from ml.usage import Panel, detect
from ml.usage.state import BYTES

Cpu = Callable[[Callable[[], object]], float]
"""CPU seconds of an act."""
SERIES, DAYS, SEED = 6_000, 365, 1201
CALLS = 100
RATIO = "series-days per CPU second over KernelCPD (rbf) calls per CPU second"
OURS, STATE = "series-days per CPU second, alerts and all", "bytes of state per series"


def speed_rows(cpu: Cpu, budget: float = 0.2, series: int = SERIES) -> Iterator[Row]:
    panel = make_panel(series, DAYS, seed=SEED).panel(("seats",))
    ours = series * DAYS / cpu(lambda: detect(panel, budget))
    yield Row(what=OURS, values=(ours,), note=f"{series:,} series of {DAYS} days at once; CPU, median of five")
    yield _ratio(panel, cpu, ours)
    yield Row(what=STATE, values=(float(BYTES),), floor=200.0, aim=160.0, at_most=True)


def _ratio(panel: Panel, cpu: Cpu, ours: float) -> Row:
    if find_spec("ruptures") is None:
        return Row(what=RATIO, note="not run: needs ruptures (pip install undertone-crm[evaluate])")
    import ruptures

    w = window(panel, None, panel.values.shape[1] - TRAILING, panel.values.shape[1])
    signals = [w.signal[i][:, None] for i in np.flatnonzero(w.usable.all(axis=1))[:CALLS]]
    calls = len(signals) / cpu(lambda: [ruptures.KernelCPD(kernel="rbf").fit(signal).predict(pen=2 * np.log(TRAILING)) for signal in signals])
    return Row(what=RATIO, values=(ours / calls,), floor=3000.0, aim=6000.0, note=f"KernelCPD: {calls:,.0f} calls a CPU second on {TRAILING} days")
