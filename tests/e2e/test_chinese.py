"""The app in Chinese: nothing is left in English, and the switch changes words alone."""

from __future__ import annotations

import contextlib
import re

import pytest
from driving import LIVING, PICTURES, Screen, number
from playwright.sync_api import TimeoutError, expect

import seqviz
from seqviz.ui.bench import drawn

pytestmark = pytest.mark.browser

PANELS = {"Sequence": "序列", "Network": "网络", "Weights": "权重", "What if": "干预", "Save": "保存"}

LATE = {"Sequence": ["下载为 CSV", "全屏"], "Save": ["复制到剪贴板"]}
"""What Streamlit adds to a panel after it has drawn the rest."""

NAMES = re.compile(
    r"CPU|LSTM|GRU|I?RNN|torch|tanh|re(?:lu|LU)|CSV|NPY|npy|npz|TXT|MD|TSV|DAT|PARQUET|XLSX|Excel|Parquet|JSON|json|safetensors|SAFETENSORS|SVG|PNG|GIF|Escape|seqviz"
    r"|Ctrl|Shift|Home|End|Enter|Esc|PageUp|PageDown|YAML|ReLU|notebook|chrono|float32|log10|Xavier|Glorot|XOR|Dyck|https?://\S+"
    r"|\.(?:pt|keras|onnx)|adding\.safetensors|weight_ih_l0|readout|^mark$|^number$|(?<=移除 |输入 )(?:mark|number)"
    r"|Bengio|Simard|Frasconi|Hochreiter|Schmidhuber|Arjovsky|Shah|Graves|Hewitt|Le|Jaitly|Hinton|Tallec|Ollivier"
)
"""What has no other name in Chinese: torch's words, file formats, keys, people, and what the example that somebody
could have brought is called in its own file."""

EVERYTHING = """() => {
  const found = [];
  const walk = (node) => {
    if (node.nodeType === Node.TEXT_NODE) found.push(node.nodeValue.trim());
    if (node.nodeType !== Node.ELEMENT_NODE || node.matches("script, style, code, noscript, [translate=no]")) return;
    for (const name of ["title", "aria-label", "aria-description", "placeholder", "alt"]) {
      if (node.hasAttribute(name)) found.push(node.getAttribute(name));
    }
    for (const child of node.childNodes) walk(child);
  };
  walk(document.body);
  return found;
}"""


ALL_CHINESE = f"""(names) => !({EVERYTHING})()
  .some((text) => /[A-Za-z]{{3,}}/.test(text.replace(new RegExp(names, "g"), "")))"""


def english(screen: Screen) -> list[str]:
    """Texts of the page, seen or read out, that hold an English word when all has been looked up."""
    with contextlib.suppress(TimeoutError):
        screen.page.wait_for_function(ALL_CHINESE, arg=NAMES.pattern, timeout=20_000)
        return []  # asking again could meet what Streamlit has drawn since, before its next frame
    texts = screen.page.evaluate(EVERYTHING)
    return sorted({text for text in texts if re.search(r"[A-Za-z]{3,}", NAMES.sub("", text))})


def test_a_trained_network_is_spoken_of_in_chinese(visit):
    screen = visit("/training?lang=zh")
    screen.page.get_by_role("button", name="开始训练").click()
    expect(screen.page.locator(".sv-learning .sv-status")).to_contain_text("已学会", timeout=120_000)
    screen.rest()
    assert english(screen) == []


def test_the_switch_is_part_of_the_address_and_changes_words_alone(screen, visit):
    screen.edits(lambda: screen.drag(screen.at("x", 10, 0.9), screen.at("x", 14, 0.9)))
    before, experiment = screen.data("drawn"), screen.experiment
    screen.speak("简体中文")
    expect(screen.scope.locator(".sv-fold[data-signal=f]")).to_contain_text("遗忘门")
    screen.until("() => location.search.includes('lang=zh')")
    screen.rest()
    assert screen.data("drawn") == before
    assert screen.experiment == experiment
    expect(screen.scope.locator(".sv-clock")).to_have_text("14 / 63")
    screen.plot.focus()
    screen.page.keyboard.press("ArrowRight")
    expect(screen.scope).to_have_attribute("data-step", "15")
    screen.edits(lambda: screen.drag(screen.at("x", 20, 0.9), screen.at("x", 24, 0.9)))
    assert "lang=zh" in screen.page.url, "an edit took the language away"
    other = visit(screen.page.url)
    expect(other.scope.locator(".sv-fold[data-signal=i]")).to_contain_text("输入门（记忆门）")
    assert other.experiment == screen.experiment
    screen.speak("English")
    expect(screen.scope.locator(".sv-fold[data-signal=f]")).to_contain_text("forget gate")
    screen.until(
        "() => !location.search.includes('lang=') && document.querySelector('[aria-label=\"Help for Lecture\"]')"
    )
    screen.becomes(lambda: re.findall("[\u4e00-\u9fff]+", " ".join(screen.page.evaluate(EVERYTHING))), [])
    expect(other.scope.locator(".sv-fold[data-signal=o]")).to_contain_text("输出门")


@pytest.mark.parametrize("path", ["", "training"])
def test_a_link_from_before_there_were_several_languages_opens_in_chinese(visit, path):
    screen = visit(f"/{path}?zh=true&lecture=true", picture=PICTURES[path])
    screen.until("() => document.documentElement.lang === 'zh-CN' && location.search.includes('lang=zh')")
    screen.speak("English")
    screen.until("() => document.documentElement.lang === 'en' && !/lang|zh/.test(location.search)")
    assert "lecture=true" in screen.page.url


def test_a_language_that_is_not_there_is_english(visit):
    screen = visit("/?lang=xx")
    screen.until("() => document.documentElement.lang === 'en' && !location.search.includes('lang=')")


def test_the_language_goes_along_to_the_next_page(visit):
    screen = visit("/?lang=zh")
    screen.page.get_by_role("link", name="循环单元").click()
    expect(screen.page.locator(".sv-cellview")).to_contain_text("下一部分")
    expect(screen.page).to_have_url(re.compile("lang=zh"))


def test_the_first_visitor_of_all_keeps_the_switches(visit, untouched):
    screen = visit("/?lang=zh&lecture=true", at=untouched)
    for _ in range(2):  # the cell opens in its column, then on the whole screen
        screen.page.keyboard.press("Enter")
    expect(screen.page.locator(".sv-cellview")).to_contain_text("下一部分")
    screen.rest()
    expect(screen.page).to_have_url(re.compile("/cell.*lecture=true"))
    expect(screen.page).to_have_url(re.compile("lang=zh"))
    screen.page.close()  # its server ends first


def test_what_streamlit_says_when_asked_is_chinese(visit):
    screen = visit("/?lang=zh")
    screen.panel("Sequence", "序列")
    kinds = screen.page.get_by_role("combobox", name="种类")
    kinds.click()
    kinds.fill("zzz")
    expect(screen.page.get_by_text("没有结果")).to_be_visible()
    assert english(screen) == []
    screen.page.keyboard.press("Escape")
    screen.panel("Network", "网络")
    field = screen.page.get_by_label("隐藏单元数")
    field.fill("99999")
    field.press("Enter")
    expect(screen.page.get_by_text("99999 超出了范围")).to_be_visible()
    field.fill("8")
    screen.panel("What if", "干预")
    screen.page.locator(".st-key-whatif-units input").click()
    expect(screen.page.get_by_role("option").first).to_be_visible()
    screen.until("() => !document.body.innerText.includes('Select all')")
    assert english(screen) == []


def test_back_leads_from_page_to_page_with_the_switches_the_step_and_the_unit(visit):
    screen = visit("/?lang=zh&lecture=true#step=10&unit=3")
    before = screen.page.evaluate("history.length")
    value = screen.scope.locator(".sv-end-value").nth(1).inner_text()
    assert number(value) == pytest.approx(seqviz.run(drawn("LSTM"))["l0.f"][10, 0, 3], abs=0.005)
    screen.plot.focus()
    for _ in range(2):
        screen.page.keyboard.press("Enter")
    view = screen.page.locator(".sv-cellview")
    expect(view.locator(".sv-clock")).to_have_text("10 / 63")
    screen.rest()
    assert screen.page.evaluate("history.length") == before + 1
    screen.page.go_back()
    expect(screen.scope.locator(".sv-end-value").nth(1)).to_have_text(value)
    expect(screen.scope.locator(".sv-clock")).to_have_text("10 / 63")
    screen.until("() => location.search.includes('lang=zh') && location.search.includes('lecture=true')")
    screen.page.go_forward()
    expect(view.locator(".sv-clock")).to_have_text("10 / 63")
    expect(screen.page).to_have_url(re.compile("lang=zh"))


@pytest.mark.parametrize("switch", ["lang=zh", "lecture=true"])
def test_a_switch_survives_the_way_into_the_cell_and_back(visit, switch):
    screen = visit(f"/?{switch}")
    screen.plot.focus()
    for _ in range(2):  # the cell opens in its column, then on the whole screen
        screen.page.keyboard.press("Enter")
    view = screen.page.locator(".sv-cellview")
    expect(view.locator(".sv-eq").first).to_be_visible()
    expect(screen.page).to_have_url(re.compile(switch))
    screen.page.go_back()
    expect(screen.scope.locator("h1.sv-headline")).to_be_visible()
    expect(screen.page).to_have_url(re.compile(switch))
    expect(screen.page.locator("[data-testid=stException]")).to_have_count(0)


def test_a_training_page_keeps_its_choices_through_two_switches_and_opens_the_network(visit):
    screen = visit("/training")
    screen.choose("Task", "Temporal order: which of X and Y came when")
    screen.speak("简体中文")
    task = screen.page.get_by_role("combobox", name="任务")
    expect(task).to_have_value("时间顺序：X 与 Y 出现的先后")
    screen.page.get_by_role("button", name="Increment").or_(
        screen.page.get_by_role("button", name="增大")
    ).first.click()
    screen.rest()
    expect(task).to_have_value("时间顺序：X 与 Y 出现的先后")
    screen.choose("任务", "锁存：回忆第一个比特")
    screen.page.get_by_role("button", name="开始训练").click()
    expect(screen.page.locator(".sv-learning .sv-status")).to_contain_text("已学会", timeout=120_000)
    screen.speak("English")
    expect(screen.page.get_by_role("combobox", name="Task")).to_have_value("Latch: recall the first bit")
    expect(screen.page.locator(".sv-learning .sv-status")).to_contain_text("Solved.")
    screen.speak("简体中文")
    screen.page.get_by_role("button", name="在“门控”页面打开").click()
    expect(screen.page.locator(".sv-bar").first).to_be_visible()
    expect(screen.page.get_by_text("来自训练。锁存")).to_be_visible()
    expect(screen.page).to_have_url(re.compile("lang=zh"))


def test_a_choice_outlives_the_language_it_was_made_in(visit):
    screen = visit("/?lang=zh")
    screen.panel("What if", "干预")
    screen.choose("信号", "输出门（l0.o）")
    screen.speak("English")
    expect(screen.page.get_by_role("combobox", name="Signal")).to_have_value("output gate (l0.o)")
    screen.speak("简体中文")
    expect(screen.page.get_by_role("combobox", name="信号")).to_have_value("输出门（l0.o）")
    screen.edits(lambda: screen.page.locator(".st-key-whatif-add button").click())
    (edit,) = screen.experiment.interventions
    assert edit.signal == "l0.o"


def test_what_was_refused_is_said_in_the_language_of_now(visit):
    screen = visit("/?lang=zh&e=%3Cscript%3E")
    alert = screen.page.locator("[data-testid=stAlert]")
    expect(alert).to_contain_text("改为显示示例。")
    assert english(screen) == []
    screen.speak("English")
    expect(alert).to_contain_text("The example is shown instead.")


def test_a_number_that_cannot_be_read_is_refused_in_chinese(visit):
    screen = visit(f"/{LIVING}&lang=zh")
    screen.panel("Sequence", "序列")
    screen.page.locator(".st-key-own-open summary").click()
    field = screen.page.get_by_label("数值：每行一个时间步，或用逗号分隔")
    field.fill("1, 2, drei")
    field.press("Control+Enter")
    alert = screen.page.locator("[data-testid=stAlert]")
    expect(alert).to_contain_text("drei")
    assert re.search("[\u4e00-\u9fff]", alert.inner_text())
    expect(field).to_have_value("1, 2, drei")
