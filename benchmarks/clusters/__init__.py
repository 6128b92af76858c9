"""How well star clusters are found: injections into simulated frames, and of real members into real cones.

``python -m benchmarks.clusters --data DIR`` measures every method of the task whose weights are there, with
its default parameters, and merges what it measured into ``benchmarks/results/clusters.json``. Without
``--data``, a folder that holds ``clusters_gaia``, only the simulated half runs. What a method gave on a frame
or a table is kept in ``.cache/benchmarks/clusters``, under a name that changes with the method's code, its
weights and the injections: a run that was stopped goes on.

The results are ``{"format": 1, "images": …, "catalogues": …}``, each with ``about`` (a sentence), ``sha256``
of what was injected, ``rows`` (one a method: ``{"method": title, figure: value}``, values being numbers,
short texts or null) and ``methods`` (by name, all figures).
"""
