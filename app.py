"""The seqviz app: ``streamlit run app.py``."""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

from pathlib import Path  # noqa: E402

import streamlit as st  # noqa: E402

from seqviz.language import tr  # noqa: E402
from seqviz.ui.lesson_list import lead, lessons_button  # noqa: E402
from seqviz.ui.map_maker import leave_map  # noqa: E402
from seqviz.ui.preview import entitle  # noqa: E402
from seqviz.ui.server import serving  # noqa: E402
from seqviz.ui.shell import listen, settle, through_app  # noqa: E402
from seqviz.ui.trainer import leave  # noqa: E402

APP = Path(__file__).resolve()
PAGES, ASSETS = APP.with_name("pages"), APP.with_name("assets")

if __name__ == "app":  # the server looks into this file for what to serve; each visit runs it as a script
    app = st.App(APP, **serving(["gates", "cell", "compare", "gradients", "training", "your_network"]))
else:
    listen()
    through_app()
    settle(ASSETS, lessons_button)
    pages = [
        st.Page(PAGES / "gates.py", title=tr("Gates"), icon=":material/grid_on:", default=True),
        st.Page(PAGES / "cell.py", title=tr("Cell"), icon=":material/account_tree:"),
        st.Page(PAGES / "compare.py", title=tr("Compare"), icon=":material/compare:"),
        st.Page(PAGES / "gradients.py", title=tr("Gradients"), icon=":material/trending_down:"),
        st.Page(PAGES / "training.py", title=tr("Training"), icon=":material/school:"),
        st.Page(PAGES / "your_network.py", title=tr("Your network"), icon=":material/upload_file:"),
    ]
    page = st.navigation(pages, position="top")
    for arrive in (leave, leave_map, lead, entitle):
        arrive(page.url_path)
    page.run()
