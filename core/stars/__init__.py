"""Star detection: one file a method."""
