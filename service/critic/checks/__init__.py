"""What rules ask that no pattern can answer. Each function takes a case and gives the places that break the rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from service.critic.case import Case
from service.critic.checks import answers, feelings, heard, joints, people, sources, steps, terms, topics

Breach = tuple[int, int, str]
Function = Callable[[Case], Iterator[Breach]]

CHECKS: Mapping[str, Function] = {
    f.__name__: f
    for f in (
        *(
            steps.steps,
            steps.facts_first,
            steps.facts_first_surely,
            heard.none_of_their_words,
            heard.validated,
            heard.never_valued,
            steps.checked,
            steps.orders_to_buyer,
            steps.offer_left_out,
            steps.nothing_offered,
            steps.work_asked,
            steps.features_first,
            steps.direction,
        ),
        *(
            feelings.feeling_in_silence,
            feelings.feeling_stated,
            feelings.feelings_stacked,
            feelings.sympathy,
            feelings.irony_returned,
            feelings.minimised,
            feelings.understanding_piled,
        ),
        *(
            sources.foreign_words,
            sources.quotes_exact,
            sources.ungrounded,
            sources.unborne,
            sources.tracked,
            sources.order_obeyed,
            terms.material_left_out,
            terms.price_unasked,
        ),
        *(terms.concession, terms.invented_deadline, sources.sensitive_used, sources.insult_repeated),
        joints.contrasted,
        answers.unanswered,
        *(topics.usage_told, topics.both_sides, topics.departments_named, topics.weakness_named),
        *(
            people.greeted,
            people.title_guessed,
            people.misspelled,
            people.preference_broken,
            people.loud,
            people.far_longer,
            people.too_familiar,
            people.language_kept,
            people.ends_with_question,
        ),
    )
}
