"""The dashboard's building blocks: the only part of ``core`` that knows Streamlit."""
