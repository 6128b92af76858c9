"""Reference catalogues: what is known to be on the sky."""
