"""What a user would write: seven ``st.plotly_chart`` of ``go.Figure``, redrawn by a rerun of the whole page."""

import os

import plotly.graph_objects as go
import streamlit as st
import torch

from seqviz import Experiment, Init, InputEdit, Sequence, WeightEdit, run

STEPS, HIDDEN = int(os.environ.get("BENCH_STEPS", "128")), int(os.environ.get("BENCH_HIDDEN", "32"))

torch.set_num_threads(1)
st.set_page_config(layout="wide")
st.title("LSTM gates")
value = st.number_input("x at step 0", value=0.0, step=0.1)
weight = st.number_input("weight_hh_l0[0, 0]", value=0.0, step=0.1)
experiment = Experiment(
    hidden_size=HIDDEN,
    init=Init(gain=2.5, seed=3),
    sequence=Sequence("sine", STEPS).edited([InputEdit(0, 0, float(value))]),
    edits=(WeightEdit("weight_hh_l0", 0, 0, float(weight)),),
)
trace = run(experiment)
figure = go.Figure(go.Scatter(y=trace["x"][:, 0, 0], mode="lines+markers"))
figure.update_layout(title=f"input at x = {value}, w = {weight}", height=200)
st.plotly_chart(figure)
for signal in ("f", "i", "g", "c", "o", "h"):
    low = 0.0 if signal in "fio" else -1.0
    heat = go.Figure(go.Heatmap(z=trace[f"l0.{signal}"][:, 0].T, zmin=low, zmax=1.0, colorscale="Viridis"))
    heat.update_layout(title=f"{signal} at x = {value}, w = {weight}", height=200)
    st.plotly_chart(heat)
