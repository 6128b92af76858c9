"""How well stars are found: this project's methods and the classical tools on the same frozen frames.

``python -m benchmarks.stars`` draws the sets of :mod:`benchmarks.stars.sets` (kept in ``.cache/benchmarks``),
gives every rival of :mod:`benchmarks.stars.rivals` its best threshold on validation frames, scores it on test
frames, and merges what it measured into ``benchmarks/results/stars.json``.
"""
