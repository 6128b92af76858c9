"""The classes of deep-sky objects, which every method of this task gives and the catalogue is sorted into."""

from __future__ import annotations

LABELS = ("galaxy", "nebula", "cluster")

OTHERS = ("star",)
"""What a person may call what a method boxed, and which is none of these."""

PLURALS = {"galaxy": "galaxies", "nebula": "nebulae", "cluster": "clusters"}

LABELS_OF_TYPES: dict[str, tuple[str, ...]] = {
    "G": ("galaxy",),
    "GPair": ("galaxy",),
    "GTrpl": ("galaxy",),
    "GGroup": ("galaxy",),
    "PN": ("nebula",),
    "HII": ("nebula",),
    "EmN": ("nebula",),
    "Neb": ("nebula",),
    "RfN": ("nebula",),
    "SNR": ("nebula",),
    "Cl+N": ("nebula", "cluster"),
    "OCl": ("cluster",),
    "GCl": ("cluster",),
    "*Ass": ("cluster",),
}
"""The classes of OpenNGC's types, the likelier first; types that are not here (stars, novae, dark nebulae,
what does not exist) are no objects that shine as one."""


def count_in_words(labels: list[str]) -> str:
    """``"2 galaxies and 1 nebula"``, in the order of :data:`LABELS`; ``"nothing"`` for none."""
    known = [*LABELS, *sorted(set(labels) - set(LABELS))]
    counts = [(labels.count(label), label) for label in known if label in labels]
    parts = [f"{n:,} {label if n == 1 else PLURALS.get(label, label + 's')}" for n, label in counts]
    if not parts:
        return "nothing"
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
