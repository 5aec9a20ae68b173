"""Every lesson played through with the keyboard alone: each guess answered, each task done, and left again."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

import seqviz
from seqviz import lessons

pytestmark = pytest.mark.browser
LESSONS = lessons.shipped()


class Player:
    """One person with a keyboard."""

    def __init__(self, page: Page, lesson: lessons.Lesson) -> None:
        self.page, self.lesson = page, lesson
        self.rail = page.locator(".sv-rail")

    def arrive(self, k: int) -> lessons.Step:
        expect(self.rail).to_have_attribute("data-at", str(k))
        step = self.lesson.steps[k]
        expect(self.page).to_have_url(re.compile(rf"//[^/]+/{'' if step.page == 'gates' else step.page}([?#]|$)"))
        expect(self.rail).to_have_attribute("data-drawn", re.compile(rf"^{self.lesson.id}\.{step.id}\."))
        if step.page != "training":
            expect(self.page.locator(".sv-timed[data-drawn]").first).to_be_visible()
        if step.page == "cell":
            place = re.compile(f"step {step.step}, unit {step.unit or 0}: ")
            expect(self.page.locator("svg.sv-diagram")).to_have_attribute("aria-label", place)
        return step

    def answer(self, step: lessons.Step) -> None:
        right = [choice.right for choice in step.guess.choices].index(True)
        if step.cover and step.page == "gates":
            expect(self.page.locator(".sv-cover").first).to_be_visible()
        self.rail.focus()
        self.page.keyboard.press(str(right + 1))
        expect(self.rail.locator(".sv-right-one.sv-picked .sv-reply")).not_to_be_empty()
        expect(self.page.locator(".sv-cover")).to_have_count(0)

    def work(self, step: lessons.Step) -> None:
        expect(self.rail).to_have_attribute("data-passed", "false")
        for name, number in self.settings(step):
            field = self.rail.locator(f'[data-part="knob.{name}"]')
            field.focus()
            field.fill(str(number))
            before = self.rail.locator(".sv-measured").text_content()
            self.page.keyboard.press("Enter")
            expect(self.rail.locator(".sv-measured, .sv-passed").first).not_to_have_text(before)
        for place, number in self.strokes(step):
            self.page.locator(".sv-plot").focus()
            self.page.keyboard.press("Home")
            for _ in range(int(place)):
                self.page.keyboard.press("ArrowRight")
            field = self.page.locator(".sv-why-input input")
            field.focus()
            field.fill(f"{number:g}")
            self.page.keyboard.press("Enter")
        expect(self.rail).to_have_attribute("data-passed", "true")

    @staticmethod
    def settings(step: lessons.Step) -> list[tuple[str, float]]:
        drawn = step.task.passes.init
        found = drawn.model_dump(include=drawn.model_fields_set) if drawn else {}
        if step.task.passes.what_if:
            found["what_if"] = step.task.passes.what_if[0].at
        return [*step.task.passes.weights.items(), *((n, v) for n, v in found.items() if n in step.task.may)]

    @staticmethod
    def strokes(step: lessons.Step) -> list[tuple[int, float]]:
        wanted = step.task.passes.sequence
        if wanted is None:
            return []
        before = seqviz.run(step.task.start("en"))["x"][:, 0, 0]
        return [(t, v) for t, (v, old) in enumerate(zip(wanted.values, before, strict=True)) if v != old]


@pytest.mark.parametrize("number", range(1, len(LESSONS) + 1))
def test_a_lesson_is_played_with_the_keyboard(visit, number):
    lesson = LESSONS[number - 1]
    first = lesson.steps[0].page
    path = "/" if first == "gates" else f"/{first}"
    screen = visit(f"{path}?lesson={number}", wait=False, reduced_motion="reduce")
    player = Player(screen.page, lesson)
    for k in range(len(lesson.steps)):
        step = player.arrive(k)
        if step.guess:
            player.answer(step)
        if step.task:
            player.work(step)
        if k < len(lesson.steps) - 1:
            screen.page.keyboard.press("PageDown")
    said = parse_qs(urlsplit(screen.page.url).query)
    assert said["at"] == [str(len(lesson.steps))]
    asked = [step.id for step in lesson.steps if step.guess or step.task]
    assert [one.partition(".")[0] for one in said.get("did", [""])[0].split("~") if one] == asked
    player.rail.get_by_role("button", name="Leave").press("Enter")
    expect(player.rail).to_have_count(0)
    screen.until(
        """() => !["lesson", "at", "did", "mine"].some((name) => new URLSearchParams(location.search).has(name))"""
    )
