"""Almagest: the entry that Streamlit runs."""

from core.ui.shell import run_dashboard

run_dashboard()
