"""Explanation: which pixels made a network say what it said. Nothing here knows a task."""
