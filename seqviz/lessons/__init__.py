"""Lessons: YAML that a teacher writes, read into frozen values, and tasks that are checked by measuring.

>>> from seqviz import lessons
>>> lesson = lessons.read(text)
>>> step = lesson.steps[0]
>>> step.written(step.say)
'The forget gate says what share of the old cell state stays: **0.900 × 0.100 = 0.090**.'
"""

from seqviz.lessons.checking import Answer, changes, check, meter, prove
from seqviz.lessons.form import schema
from seqviz.lessons.lesson import Check, Choice, Guess, Lesson, Step, Task, Training, plain
from seqviz.lessons.mistakes import LessonError, Mistake
from seqviz.lessons.reader import read
from seqviz.lessons.shipped import shipped

__all__ = [
    "Answer",
    "Check",
    "Choice",
    "Guess",
    "Lesson",
    "LessonError",
    "Mistake",
    "Step",
    "Task",
    "Training",
    "changes",
    "check",
    "meter",
    "plain",
    "prove",
    "read",
    "schema",
    "shipped",
]
