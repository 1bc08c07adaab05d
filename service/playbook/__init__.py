"""What to do about a signal and what one might write: plan, realise, guard. Pure, and the same answer for the same seed.

compose(case)            -> Composition   plan and, where an honest one is possible, a draft
render(segments, words)  -> str           the draft as plain text; raises WordsErased when a quoted message is gone
task_text(case, ...)     -> TaskText      what lands in the CRM
describe(signal)         -> str           one neutral line for lists and pages
"""

from service.playbook.compose import compose
from service.playbook.describe import describe, how_sure
from service.playbook.render import WordsErased, render
from service.playbook.task import Shown, task_text

__all__ = ["Shown", "WordsErased", "compose", "describe", "how_sure", "render", "task_text"]
