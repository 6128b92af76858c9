"""The frame viewer that every page uses.

    layers = [Layer("SEP", result.detections, "#56B4E9")]
    event = frame_viewer([Pane("R band", frame, settings)], layers, key="stars")
    if event.selected: ...

A page calls it like any widget. Clicking an object and letting go of the confidence slider run the page
(or the page's own fragment around it); everything else happens in the browser, but for the sharper crop
of a large frame, which comes through a fragment of the viewer's own. A page therefore needs no fragment
for the viewer's sake.

Why a component of our own and not Plotly: both were tried in Chromium on a 4096² frame with 5,000 markers
(``python -m benchmarks.viewer``; two cores, no GPU; medians of three fresh pages):

================================  =============  ==============  ==============
                                  this viewer    Plotly picture  Plotly heatmap
================================  =============  ==============  ==============
script start to picture drawn     0.7 s          2.4 s           2.2 s
sent for the frame                2.7 MB         3.4 MB          5.9 MB
JavaScript and other page files   3.8 MB         8.3 MB          8.3 MB
slowest frames of a drag (95 %)   17 ms          117 ms          100 ms
change of the threshold           37 ms          2.1 s           2.2 s
================================  =============  ==============  ==============

Plotly sends the figure again for each change of the threshold and runs the page for it, has no blinking,
linked views or sharper crops, and shows a value under the pointer only when its heatmap carries them
all. An 8192² frame takes this viewer as long and as many bytes as a 4096² one, since both are sent as
a base picture of at most 1400 px; with 50,000 markers a drag stays at 17 ms.

How it fits together: :mod:`~core.ui.viewer.viewer` is the call, :mod:`~core.ui.viewer.pictures` what is
shown, :mod:`~core.ui.viewer.values` and :mod:`~core.ui.viewer.sky` what is read under the pointer,
:mod:`~core.ui.viewer.parcel` how bytes travel, :mod:`~core.ui.viewer.detail` the crops, and ``static/``
what runs in the browser.
"""

from core.ui.viewer.model import AreaClass, Areas, Layer, Pane, ViewerEvent
from core.ui.viewer.viewer import frame_viewer

__all__ = ["AreaClass", "Areas", "Layer", "Pane", "ViewerEvent", "frame_viewer"]
