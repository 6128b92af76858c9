"""Training of the networks in ``weights/``; nothing in ``core`` or the pages imports this."""
