"""How well deep-sky objects are found: every method of the task on the same pictures.

``python -m benchmarks.dso --data DIR`` reads or draws the sets of :mod:`benchmarks.dso.sets`, runs each
method of the registry whose weights are there with its default parameters, and merges what it measured into
``benchmarks/results/dso.json``. What a method gave on a picture is kept in ``.cache/benchmarks/dso``, under
a name that changes with the method, its weights and the pictures: a run that was stopped goes on.

The results are ``{"format": 1, "sets": {name: set}, "likeness": …}``. A set has ``about`` (a sentence),
``frames`` (their number), ``rows`` (one a method: ``{"method": title, figure: value}``, values being numbers,
short texts or null), ``maps`` (rows of the same kind, one a map) and ``methods`` (by name, all figures with
their intervals: by class, by size, by surface brightness).
"""
