"""How well craters and landforms are told on ground that no method has learned on.

``python -m benchmarks.surfaces --data DIR`` measures every method of the task whose weights are there, with
its default parameters, and merges what it measured into ``benchmarks/results/surfaces.json``. What a method
gave on a picture is kept in ``.cache/benchmarks/surfaces``, under a name that changes with the method's code,
its weights and the pictures: a run that was stopped goes on.

The results are ``{"format": 1, "sets": {name: …}}``, each set with ``about`` (a sentence), ``pictures``,
``craters``, ``sha256`` of the pictures, ``rows`` and ``classes`` (one a method: ``{"method": title, figure:
value}``, values being numbers, short texts or null) and ``methods`` (by name, all figures).
"""
