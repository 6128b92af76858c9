"""Simulated frames: a scene and a list of stars in, a frame and its truth out."""
