// The frame viewer: pan, zoom, read out, compare and choose, without asking the server.
//
// The server is asked only for what the browser cannot know: a sharper crop when a person zooms in beyond
// the base picture, and a run of the page when they chose something.

const CLICK_PX = 5;
const DOUBLE_CLICK_MS = 260;
const SETTLED_MS = 180;
const MOST_ZOOM = 64;
const SNAP_PX = 64;
/** A view of up to this many frame pixels, with its margin, travels as PNG. */
const LOSSLESS_PIXELS = 130000;
const ICONS = { pause: "M7 4v12M13 4v12", play: "M6 4l10 6-10 6z" };

const parcels = (globalThis.almagestParcels ??= Object.assign(new EventTarget(), { held: new Map() }));
/** What a person set, by viewer key: it outlives the element, which Streamlit may mount anew. */
const remembered = new Map();
const mounted = new WeakMap();

const isTouch = (event) => event.pointerType === "touch";

class Viewer {
  constructor(root) {
    this.root = root;
    this.part = Object.fromEntries(
      [...root.querySelectorAll("[data-part]")].map((element) => [element.dataset.part, element]),
    );
    this.part.stages.replaceChildren(); // Streamlit may begin anew in the room that another viewer has left
    this.stages = [];
    this.panes = [];
    this.layers = [];
    this.details = [];
    this.heats = [];
    this.areas = [];
    this.read = new Map();
    this.pointers = new Map();
    this.cursor = null;
    this.shown = 0;
    this.removed = new AbortController();
    const { signal } = this.removed;
    parcels.addEventListener("arrived", ({ detail }) => this.receive(detail), { signal });
    document.addEventListener("fullscreenchange", () => this.fullscreenChanged(), { signal });
    this.sizes = new ResizeObserver(() => this.arrange());
    this.sizes.observe(this.part.viewer);
    this.looks = new MutationObserver(() => this.lookChanged());
    this.looks.observe(document.documentElement, { attributeFilter: ["class"] });
    this.listenToControls(signal);
  }

  destroy() {
    this.removed.abort();
    this.sizes.disconnect();
    this.looks.disconnect();
    clearInterval(this.blinking);
    clearTimeout(this.settling);
    clearTimeout(this.clicking);
    cancelAnimationFrame(this.drawing);
    mounted.delete(this.root);
  }

  // ---- what Python says -------------------------------------------------------------------------

  update(data, setStateValue) {
    const first = !this.data;
    this.data = data;
    this.send = setStateValue;
    if (!remembered.has(data.key)) {
      remembered.set(data.key, { off: {}, classes: {}, opacity: 0.5, cover: 0.45, rate: 1, paused: matchMedia("(prefers-reduced-motion: reduce)").matches });
    }
    this.memory = remembered.get(data.key);
    if (first) {
      this.threshold = data.threshold;
      this.selected = data.selected;
      this.command = data.command;
      this.part.threshold.value = this.threshold ?? 0;
      this.part.opacity.value = this.memory.opacity;
      this.part.cover.value = this.memory.cover;
      this.part.rate.value = this.memory.rate;
    }
    this.layOut();
    for (const { slot } of this.wanted()) this.receive(slot);
  }

  wanted() {
    const { panes, layers, detail } = this.data;
    return [...panes, layers, ...panes.flatMap(({ heat, areas }) => [heat, areas]), detail].filter(Boolean);
  }

  /** Read a parcel once it is here, and show it; what was shown stays until then. */
  async receive(slot) {
    if (!this.data) return;
    const want = this.wanted().find((item) => item.slot === slot);
    const parcel = parcels.held.get(slot);
    if (!want || !parcel) return;
    // A crop is asked for by the browser, so Python does not announce its id.
    if (want.id !== undefined && parcel.header.id !== want.id) return;
    if (slot === this.data.detail.slot) this.report = parcel.report;
    const { id } = parcel.header;
    if (this.read.get(slot)?.id !== id) {
      this.read.set(slot, { id, content: null });
      const content = await this.readParcel(slot, parcel);
      if (this.read.get(slot)?.id !== id || this.removed.signal.aborted) return;
      this.read.get(slot).content = content;
    }
    this.assemble();
  }

  readParcel(slot, parcel) {
    const { layers, panes, detail } = this.data;
    if (slot === layers?.slot) {
      return parcel.header.layers.map((facts) => prepareLayer(facts, parcel.blobs));
    }
    if (panes.some(({ heat }) => slot === heat?.slot)) return readHeat(parcel);
    if (panes.some(({ areas }) => slot === areas?.slot)) return readAreas(parcel);
    return slot === detail.slot ? readDetail(parcel) : readPane(parcel);
  }

  content(item) {
    return (item && this.read.get(item.slot)?.content) || null;
  }

  assemble() {
    const { data } = this;
    const panes = data.panes.map((item) => this.content(item));
    if (panes.some((pane, k) => !pane || pane.id !== data.panes[k].id)) return;
    this.panes = panes;
    this.heats = data.panes.map(({ heat }) => this.content(heat));
    this.areas = data.panes.map(({ areas }) => this.content(areas));
    for (const areas of this.areas) if (areas) this.switchClasses(areas);
    this.details = this.content(data.detail)?.pieces ?? [];
    this.layers = this.content(data.layers) ?? [];
    for (const layer of this.layers) {
      const off = this.memory.off[layer.name];
      if (off) {
        layer.on = off.on;
        layer.labelOn = layer.labels.map((label) => !off.labels.includes(label));
      }
    }
    if (this.selected && !(this.selected[1] < this.layers[this.selected[0]]?.x.length)) this.selected = null;
    this.arrange();
    if (this.memory.scene !== data.scene) {
      this.memory.scene = data.scene;
      this.memory.view = null;
    }
    if (!this.memory.view) this.fit();
    if (this.layers.length === data.layer_count && this.command !== data.command) {
      this.command = data.command;
      this.selected = data.selected;
      this.showSelected();
    }
    this.drawControls();
    this.redraw();
    this.settle();
  }

  // ---- layout -----------------------------------------------------------------------------------

  layOut() {
    const { data, part } = this;
    const count = data.mode === "side by side" ? data.panes.length : 1;
    part.stages.classList.toggle("pair", count > 1);
    while (this.stages.length > count) this.stages.pop().figure.remove();
    while (this.stages.length < count) this.stages.push(this.makeStage(this.stages.length));
    this.shown %= data.panes.length;
    this.blink();
  }

  makeStage(index) {
    const figure = document.createElement("figure");
    figure.className = "stage";
    const canvas = document.createElement("canvas");
    // An image takes no keys: screen readers keep the arrows to themselves there.
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-roledescription", "picture");
    canvas.tabIndex = 0;
    const caption = document.createElement("figcaption");
    const tip = document.createElement("div");
    tip.className = "tip";
    tip.hidden = true;
    figure.append(canvas, caption, tip);
    this.part.stages.append(figure);
    const stage = { index, figure, canvas, caption, tip, context: canvas.getContext("2d"), width: 0, height: 0 };
    this.listenToStage(stage);
    return stage;
  }

  /** Size the canvases: the picture fills them, a phone keeps room for the page. */
  arrange() {
    const room = this.part.viewer.clientWidth;
    if (!room || !this.panes.length) return;
    const stacked = room < 640;
    const columns = this.stages.length > 1 && !stacked ? 2 : 1;
    const full = document.fullscreenElement !== null && this.root.host?.contains(document.fullscreenElement);
    const width = (room - 8 * (columns - 1)) / columns;
    const { height: rows, width: across } = this.panes[0];
    let height = Math.min(this.data.height, Math.max((width * rows) / across, 240));
    if (stacked) height = Math.min(height, Math.max(0.62 * innerHeight, 260));
    if (full || this.isFullscreen()) {
      const others = [...this.part.viewer.children].filter((child) => child !== this.part.stages);
      const taken = others.reduce((sum, child) => sum + child.offsetHeight + 8, 24);
      height = (innerHeight - taken) / Math.ceil(this.stages.length / columns);
    }
    const density = devicePixelRatio || 1;
    for (const stage of this.stages) {
      stage.figure.style.height = `${Math.round(height)}px`;
      const box = stage.figure.getBoundingClientRect();
      if (stage.width === box.width && stage.height === box.height && stage.density === density) continue;
      const grew = stage.index === 0 && stage.width ? box.width / stage.width : 0;
      Object.assign(stage, { width: box.width, height: box.height, density });
      stage.canvas.width = Math.round(box.width * density);
      stage.canvas.height = Math.round(box.height * density);
      // A wider picture shows the same part of the sky.
      if (grew && this.memory.view) this.memory.view.zoom *= grew;
    }
    if (this.memory.view?.whole) this.fit();
    this.redraw();
  }

  lookChanged() {
    if (!this.panes.length) return;
    this.drawLegend();
    this.redraw();
  }

  isFullscreen() {
    return this.root.fullscreenElement === this.part.viewer;
  }

  fullscreenChanged() {
    const button = this.root.querySelector('[data-do="fullscreen"]');
    button.setAttribute("aria-pressed", String(this.isFullscreen()));
    this.keepPageFilter();
    this.arrange();
  }

  /** What fills the screen escapes the page's filter: without its own, it would end a dark-adapted eye's night. */
  keepPageFilter() {
    const { viewer } = this.part;
    const filter = this.isFullscreen() ? getComputedStyle(document.documentElement).filter : "none";
    const name = filter.match(/#([\w-]+)/)?.[1];
    if (name && !this.root.getElementById(name)) {
      // A shadow root sees no filter that is defined outside it.
      const definition = document.getElementById(name)?.closest("svg")?.cloneNode(true);
      if (definition) this.root.append(definition);
    }
    viewer.style.filter = name ? `url(#${name})` : "";
  }

  // ---- the view: its centre on the display, and screen px for one pixel of the first frame --------

  fit() {
    const [stage] = this.stages;
    const [pane] = this.panes;
    const zoom = Math.min(stage.width / pane.width, stage.height / pane.height);
    this.memory.view = { u: pane.width / 2, v: pane.height / 2, zoom, whole: true };
    this.moved();
  }

  zoomBy(factor, stage, px, py) {
    const { view } = this.memory;
    const least = 0.5 * Math.min(stage.width / this.panes[0].width, stage.height / this.panes[0].height);
    const zoom = Math.min(Math.max(view.zoom * factor, Math.min(least, 1)), MOST_ZOOM);
    // The sky under the pointer stays where it is.
    const shift = 1 / view.zoom - 1 / zoom;
    this.look(view.u + (px - stage.width / 2) * shift, view.v + (py - stage.height / 2) * shift, zoom);
  }

  look(u, v, zoom) {
    const [pane] = this.panes;
    this.memory.view = {
      u: Math.min(Math.max(u, 0), pane.width),
      v: Math.min(Math.max(v, 0), pane.height),
      zoom,
      whole: false,
    };
    this.moved();
  }

  moved() {
    for (const { tip } of this.stages) tip.hidden = true; // what it stood beside lies elsewhere now
    this.redraw();
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.settle(), SETTLED_MS);
  }

  /** Scale and offsets that take frame positions of `pane` to the screen: px = ax · x + bx. */
  place(pane, stage) {
    const [first] = this.panes;
    const { view } = this.memory;
    // Frames of other sizes are linked by the part of the frame that is shown.
    const ratio = first.width / pane.width;
    const scale = view.zoom * ratio;
    const left = stage.width / 2 - (view.u / ratio) * scale;
    const top = stage.height / 2 - ((view.v * pane.height) / first.height) * scale;
    const { flipped, height } = pane;
    return {
      scale, left, top, width: stage.width, height: stage.height, pixels: pane.width * pane.height,
      ax: scale, bx: left + 0.5 * scale,
      ay: flipped ? -scale : scale, by: top + (flipped ? height - 0.5 : 0.5) * scale,
    };
  }

  /** The part of the first frame in view, whole pixels: {x0, y0, x1, y1} with x1, y1 beyond the last. */
  visible() {
    const [stage] = this.stages;
    const [pane] = this.panes;
    const { scale, left, top } = this.place(pane, stage);
    const u0 = Math.max(0, -left / scale);
    const u1 = Math.min(pane.width, (stage.width - left) / scale);
    const v0 = Math.max(0, -top / scale);
    const v1 = Math.min(pane.height, (stage.height - top) / scale);
    const [y0, y1] = pane.flipped ? [pane.height - v1, pane.height - v0] : [v0, v1];
    return { x0: Math.floor(u0), y0: Math.floor(y0), x1: Math.ceil(u1), y1: Math.ceil(y1) };
  }

  /** When the view rests: ask for a sharper crop where the base picture or its values are too coarse. */
  settle() {
    if (!this.report || !this.panes.length || !this.memory.view || !this.stages[0].width) return;
    const [pane] = this.panes;
    const seen = this.visible();
    const area = (seen.x1 - seen.x0) * (seen.y1 - seen.y0);
    const fine = 1 / (this.memory.view.zoom * this.stages[0].density);
    const step = Math.max(1, 2 ** Math.floor(Math.log2(fine) + 0.2));
    // Where pixels are seen one by one, the marks that JPEG leaves would be taken for stars.
    const wantsLossless = !pane.lossless && step === 1 && area <= LOSSLESS_PIXELS;
    const wantsPicture = step < 0.8 * pane.step || wantsLossless;
    const wantsValues = !pane.values.exact && area <= 0.5 * pane.exact_pixels;
    if (area <= 0 || !(wantsPicture || wantsValues)) return;
    const enough = this.details.length && this.details.every((piece, k) => {
      if (piece.key !== this.panes[k]?.key) return false;
      const { x0, y0, width, height } = piece.region;
      const covers = x0 <= seen.x0 && y0 <= seen.y0 && x0 + width >= seen.x1 && y0 + height >= seen.y1;
      if (wantsPicture && piece.step > 1.2 * step) return false;
      return covers && (piece.lossless || !wantsLossless) && (piece.values || !wantsValues);
    });
    if (enough) return;
    const margin = 0.15 * Math.sqrt(area);
    const down = (value) => Math.max(0, Math.floor((value - margin) / SNAP_PX) * SNAP_PX);
    const up = (value, end) => Math.min(end, Math.ceil((value + margin) / SNAP_PX) * SNAP_PX);
    const ask = {
      scene: this.data.scene, step: wantsPicture ? step : Math.max(1, Math.floor(pane.step)),
      region: [down(seen.x0), down(seen.y0), up(seen.x1, pane.width), up(seen.y1, pane.height)],
    };
    const asked = JSON.stringify([ask, this.data.panes.map(({ id }) => id)]);
    if (asked === this.asked) return;
    this.asked = asked;
    this.report(ask);
  }

  // ---- drawing ----------------------------------------------------------------------------------

  redraw() {
    if (this.drawing || !this.panes.length) return;
    this.drawing = requestAnimationFrame(() => {
      this.drawing = 0;
      if (!this.memory.view) return;
      for (const stage of this.stages) {
        if (!stage.width) continue;
        const { context, density } = stage;
        context.setTransform(density, 0, 0, density, 0, 0);
        this.drawPane(context, stage, this.stages.length > 1 ? stage.index : this.shown, isNight() ? NIGHT_INK : undefined);
        this.drawCursor(stage);
      }
      this.root.host?.setAttribute("data-drawn", this.data.panes.map(({ id }) => id).join(" "));
    });
  }

  /** One picture with what lies over it, in the layers' own colours unless an ink is given. */
  drawPane(context, stage, index, ink) {
    const pane = this.panes[index] ?? this.panes[0];
    const place = this.place(pane, stage);
    context.fillStyle = "#05070c";
    context.fillRect(0, 0, stage.width, stage.height);
    this.drawPicture(context, pane, place, pane.whole, pane.bitmap, pane.step, stage.density);
    const detail = this.details[index];
    if (detail && detail.key === pane.key && (detail.step < 0.8 * pane.step || detail.lossless)) {
      this.drawPicture(context, pane, place, detail.region, detail.bitmap, detail.step, stage.density);
    }
    if (this.heats[index]) {
      context.globalAlpha = this.memory.opacity;
      context.imageSmoothingEnabled = true;
      const heat = this.heats[index].canvas;
      context.drawImage(heat, place.left, place.top, pane.width * place.scale, pane.height * place.scale);
      context.globalAlpha = 1;
    }
    if (this.areas[index]) {
      context.globalAlpha = this.memory.cover;
      context.imageSmoothingEnabled = true;
      context.drawImage(this.areas[index].canvas, place.left, place.top, pane.width * place.scale, pane.height * place.scale);
      context.globalAlpha = 1;
    }
    const furniture = furnitureOf(pane, place, this.data.panes[index].km_per_px);
    const { offsetLeft, offsetTop, offsetWidth, offsetHeight } = stage.caption;
    const caption = { x: offsetLeft + offsetWidth / 2, y: offsetTop + offsetHeight / 2, half: offsetWidth / 2, reach: offsetHeight / 2 + 9 };
    clearNames(context, offsetWidth ? [...furniture.kept, caption] : furniture.kept);
    for (const k of this.data.panes[index].layers) {
      const layer = this.layers[k];
      if (layer?.on) drawLayer(context, layer, place, this.threshold, stage.density, ink);
    }
    const chosen = this.selected && this.layers[this.selected[0]];
    if (chosen && this.data.panes[index].layers.includes(this.selected[0])) {
      const row = this.selected[1];
      const radius = markerRadius(chosen, row, place.scale);
      if (lineOf(chosen, row).length) drawSelectedLine(context, chosen, row, place);
      else drawSelected(context, place.ax * chosen.x[row] + place.bx, place.ay * chosen.y[row] + place.by, radius);
    }
    drawScaleBar(context, place, furniture.bar);
    drawCompass(context, place, furniture.arrows);
  }

  drawPicture(context, pane, place, region, bitmap, step, density) {
    const [u, v, width, height] = regionOnDisplay(pane, region);
    // A frame pixel that is larger than a screen pixel is shown as the square it is.
    context.imageSmoothingEnabled = step > 1.01 || place.scale * density < 2;
    context.imageSmoothingQuality = "medium";
    context.drawImage(bitmap, place.left + u * place.scale, place.top + v * place.scale, width * place.scale, height * place.scale);
  }

  /** A cross at the position read out: in the other pictures, and where the keyboard looks. */
  drawCursor(stage) {
    if (!this.cursor || (this.cursor.stage === stage && this.cursor.pointer)) return;
    const place = this.place(this.panes[0], stage);
    const px = place.ax * this.cursor.x + place.bx;
    const py = place.ay * this.cursor.y + place.by;
    inked(stage.context, () => {
      stage.context.beginPath();
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        stage.context.moveTo(px + 5 * dx, py + 5 * dy);
        stage.context.lineTo(px + 12 * dx, py + 12 * dy);
      }
      stage.context.stroke();
    });
  }

  // ---- controls ---------------------------------------------------------------------------------

  paneOf(stage) {
    return this.panes[this.stages.length > 1 ? stage.index : this.shown] ?? this.panes[0];
  }

  drawControls() {
    const { part, data, memory } = this;
    this.drawLegend();
    const scores = this.layers.filter((layer) => layer.sorted.length && layer.sorted[0] > layer.sorted.at(-1));
    part.confidence.hidden = !scores.length;
    part.heat.hidden = !this.heats.some(Boolean);
    part["heat-title"].textContent = data.heat_title;
    part.areas.hidden = !this.areas.some(Boolean);
    part["areas-title"].textContent = this.areas.find(Boolean)?.title ?? "";
    part["cover-text"].textContent = `${Math.round(memory.cover * 100)} %`;
    const colours = this.panes[0].colours;
    part.scale.hidden = !colours;
    if (colours) this.drawScale(colours);
    part.blink.hidden = data.mode !== "blink";
    part["opacity-text"].textContent = `${Math.round(memory.opacity * 100)} %`;
    part["rate-text"].textContent = `${memory.rate} Hz`;
    this.drawThreshold();
    this.drawTitles();
    this.drawReadout();
  }

  /** The confidence asked for, or that each method's own limit holds. */
  drawThreshold() {
    const { part, threshold } = this;
    const limits = this.layers.map(({ limit }) => limit).filter((limit) => limit !== null);
    const own = threshold === null;
    if (own) part.threshold.value = limits[0] ?? 0;
    part["threshold-text"].textContent = own && limits.length ? "each method's own" : `≥ ${(threshold ?? 0).toFixed(2)}`;
    part["own-limits"].hidden = own || !limits.length;
  }

  drawTitles() {
    const { panes, mode } = this.data;
    for (const stage of this.stages) {
      const index = this.stages.length > 1 ? stage.index : this.shown;
      stage.caption.textContent = panes[index].title;
      const pane = this.panes[index] ?? this.panes[0];
      const found = panes[index].layers.filter((k) => this.layers[k]).map((k) => `${this.layers[k].x.length} from ${this.layers[k].name}`);
      stage.canvas.setAttribute(
        "aria-label",
        `${panes[index].title}, ${pane.width} by ${pane.height} pixels${found.length ? `, marked: ${found.join(", ")}` : ""}. ` +
        "Arrow keys move, plus and minus zoom, 0 shows the whole frame, Enter chooses the object at the cross.",
      );
    }
    if (mode !== "blink") return;
    const { choices } = this.part;
    if (choices.children.length !== panes.length) {
      choices.replaceChildren(...panes.map((_, k) => {
        const button = document.createElement("button");
        button.type = "button";
        button.onclick = () => this.showPane(k, true);
        return button;
      }));
    }
    [...choices.children].forEach((button, k) => {
      button.textContent = panes[k].title;
      button.setAttribute("aria-pressed", String(k === this.shown));
    });
  }

  drawLegend() {
    const used = new Set(this.data.panes.flatMap(({ layers }) => layers));
    const entries = [];
    this.layers.forEach((layer, k) => {
      if (!used.has(k)) return;
      entries.push({ layer, code: null });
      if (layer.labels.length > 1) layer.labels.forEach((_, code) => entries.push({ layer, code }));
    });
    const places = this.placeClasses();
    const names = JSON.stringify([
      ...entries.map(({ layer, code }) => [layer.name, layer.colour, layer.marker, layer.dash, layer.labels[code]]),
      ...places,
      isNight(),
    ]);
    if (names !== this.legendNames) {
      // Made anew only when the layers changed, so that a focused button keeps the focus.
      this.legendNames = names;
      this.part.legend.replaceChildren(
        ...entries.map((entry) => this.legendButton(entry)),
        ...places.map((place) => this.classButton(place)),
      );
    }
    places.forEach((place, k) => {
      const button = this.part.legend.children[entries.length + k];
      button.setAttribute("aria-pressed", String(!this.isClassOff(place.name)));
    });
    const counts = new Map(this.layers.map((layer) => [layer, layerCounts(layer, this.threshold)]));
    entries.forEach(({ layer, code }, k) => {
      const button = this.part.legend.children[k];
      const { byLabel, shown } = counts.get(layer);
      const on = code === null ? layer.on : layer.on && layer.labelOn[code];
      button.setAttribute("aria-pressed", String(on));
      button.querySelector("b").textContent = (code === null ? shown : byLabel[code]).toLocaleString("en-GB");
      // What a layer does not show has no labels to choose from.
      button.hidden = code !== null && !(layer.on && byLabel[code]);
    });
  }

  /** The classes of places that any picture has, each once, with its share where there is one picture. */
  placeClasses() {
    const there = this.areas.filter(Boolean);
    const found = new Map();
    for (const { classes } of there) for (const each of classes) if (each.share > 0) found.set(each.name, each);
    return [...found.values()].map(({ name, colour, pattern, share }) => (
      { name, colour, pattern, share: there.length === 1 ? share : null }
    ));
  }

  isClassOff(name) {
    return this.memory.classes[name] ?? this.areas.some((areas) => areas?.hidden.includes(name));
  }

  switchClasses(areas) {
    paintAreas(areas, areas.classes.map(({ name }) => !this.isClassOff(name)));
  }

  classButton({ name, colour, pattern, share }) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "area";
    button.title = `Show or hide where it is ${name}`;
    const swatch = document.createElement("canvas");
    swatch.width = swatch.height = 36;
    paintSwatch(swatch, colour, pattern);
    const text = document.createElement("span");
    text.textContent = name;
    button.append(swatch, text);
    if (share !== null) {
      const part = document.createElement("b");
      part.textContent = share < 0.005 ? "< 1 %" : `${Math.round(share * 100)} %`;
      button.append(part);
    }
    button.onclick = () => {
      this.memory.classes[name] = !this.isClassOff(name);
      for (const areas of this.areas) if (areas) this.switchClasses(areas);
      this.drawLegend();
      this.redraw();
    };
    return button;
  }

  legendButton({ layer, code }) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = code === null ? "layer" : "label";
    button.title = code === null ? `Show or hide ${layer.name}` : `Show or hide ${layer.labels[code]} of ${layer.name}`;
    const name = document.createElement("span");
    name.textContent = code === null ? layer.name : layer.labels[code];
    const count = document.createElement("b");
    if (code === null) {
      const swatch = document.createElement("canvas");
      swatch.width = swatch.height = 36;
      const context = swatch.getContext("2d");
      context.scale(2, 2);
      context.beginPath();
      markerPath(context, layer.marker, 9, 9, 5.5);
      const ink = isNight() ? NIGHT_INK : layer.colour;
      strokeCased(context, ink, true, layer.paths ? 2 : 1.5, layer.dash.map((length) => length / 2));
      button.append(swatch);
    }
    button.append(name, count);
    const index = this.layers.indexOf(layer);
    button.onclick = () => this.toggle(this.layers[index], code);
    return button;
  }

  toggle(layer, code) {
    if (code === null) layer.on = !layer.on;
    else layer.labelOn[code] = !layer.labelOn[code];
    this.memory.off[layer.name] = { on: layer.on, labels: layer.labels.filter((_, k) => !layer.labelOn[k]) };
    this.drawLegend();
    this.redraw();
  }

  drawScale({ low, high, unit, title, stops }) {
    const { part } = this;
    part["scale-title"].textContent = title;
    part["scale-low"].textContent = written(low, 3);
    part["scale-high"].textContent = `${written(high, 3)}${unit ? ` ${unit}` : ""}`;
    const context = part["scale-colours"].getContext("2d");
    const gradient = context.createLinearGradient(0, 0, 160, 0);
    stops.forEach((colour, k) => gradient.addColorStop(k / (stops.length - 1), colour));
    context.fillStyle = gradient;
    context.fillRect(0, 0, 160, 1);
  }

  drawReadout() {
    const { part, cursor } = this;
    const pane = cursor ? this.paneOf(cursor.stage) : this.panes[0];
    const [x, y] = cursor ? [cursor.x, cursor.y] : [NaN, NaN];
    const inside = x >= -0.5 && y >= -0.5 && x < pane.width - 0.5 && y < pane.height - 0.5;
    if (!inside) {
      part.position.textContent = "Point at the picture to read its pixels";
      part.value.textContent = part.sky.textContent = part.place.textContent = "";
      return;
    }
    part.position.textContent = `x ${x.toFixed(1)}  y ${y.toFixed(1)}`.replaceAll("-", "−");
    const detail = this.details[this.panes.indexOf(pane)];
    const fine = detail?.key === pane.key ? valueAt(detail.values, x, y) : null;
    const found = fine ?? valueAt(pane.values, x, y);
    const text = found ? found.values.map((value) => written(value, found.exact ? 6 : 4)).join(" ") : "";
    const unit = pane.unit ? ` ${pane.unit}` : "";
    const what = found?.values.length === 3 ? "RGB " : pane.unit ? "" : "value ";
    const mean = found && found.binning > 1 ? ` (mean of ${found.binning} × ${found.binning} px)` : "";
    part.value.textContent = found ? `${found.exact ? "" : "≈ "}${what}${text}${unit}${mean}` : "";
    const areas = this.areas[this.panes.indexOf(pane)];
    part.place.textContent = areas ? saidOfPlace(areas, pane, x, y) : "";
    const sky = skyAt(pane.sky, x, y);
    if (sky) {
      const { ra, dec } = sexagesimal(sky);
      const degrees = `${sky.ra.toFixed(5)}°, ${sky.dec < 0 ? "−" : "+"}${Math.abs(sky.dec).toFixed(5)}°`;
      part.sky.textContent = `RA ${ra}  Dec ${dec}  (${degrees})`;
    } else part.sky.textContent = pane.sky ? "off the sky" : "";
  }

  blink() {
    clearInterval(this.blinking);
    this.blinking = 0;
    if (this.data.mode !== "blink") this.shown = 0;
    else if (!this.memory.paused) {
      this.blinking = setInterval(() => this.showPane(this.shown + 1, false), 1000 / this.memory.rate);
    }
    const paused = this.memory.paused;
    this.part.play.setAttribute("aria-label", paused ? "Go on blinking" : "Pause blinking");
    const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    icon.setAttribute("viewBox", "0 0 20 20");
    icon.setAttribute("aria-hidden", "true");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", paused ? ICONS.play : ICONS.pause);
    icon.append(path);
    this.part.play.replaceChildren(icon);
  }

  showPane(index, pause) {
    this.shown = index % this.data.panes.length;
    if (pause) {
      this.memory.paused = true;
      this.blink();
    }
    if (!this.panes.length) return;
    this.drawTitles();
    this.drawReadout();
    this.redraw();
  }

  listenToControls(signal) {
    const { part } = this;
    const on = (element, kind, act) => element.addEventListener(kind, act, { signal });
    for (const button of this.root.querySelectorAll("[data-do]")) {
      on(button, "click", () => this.panes.length && this.act(button.dataset.do));
    }
    this.root.querySelector('[data-do="fullscreen"]').hidden = !document.fullscreenEnabled;
    on(part.threshold, "input", () => {
      this.threshold = Number(part.threshold.value);
      this.drawThreshold();
      this.drawLegend();
      this.redraw();
    });
    // Released: only now the page hears of it.
    on(part.threshold, "change", () => this.tell());
    on(part.opacity, "input", () => {
      this.memory.opacity = Number(part.opacity.value);
      part["opacity-text"].textContent = `${Math.round(this.memory.opacity * 100)} %`;
      this.redraw();
    });
    on(part.cover, "input", () => {
      this.memory.cover = Number(part.cover.value);
      part["cover-text"].textContent = `${Math.round(this.memory.cover * 100)} %`;
      this.redraw();
    });
    on(part.rate, "input", () => {
      this.memory.rate = Number(part.rate.value);
      part["rate-text"].textContent = `${this.memory.rate} Hz`;
      this.blink();
    });
  }

  act(what) {
    const [stage] = this.stages;
    const middle = [stage, stage.width / 2, stage.height / 2];
    const { view } = this.memory;
    if (what === "in") this.zoomBy(1.5, ...middle);
    else if (what === "out") this.zoomBy(1 / 1.5, ...middle);
    else if (what === "fit") this.fit();
    else if (what === "actual") this.look(view.u, view.v, 1 / stage.density);
    else if (what === "save") this.save();
    else if (what === "fullscreen") this.toggleFullscreen();
    else if (what === "own-limits") {
      this.threshold = null;
      this.drawThreshold();
      this.drawLegend();
      this.redraw();
      this.tell();
    } else if (what === "blink") {
      this.memory.paused = !this.memory.paused;
      this.blink();
    }
  }

  async toggleFullscreen() {
    if (this.isFullscreen()) await document.exitFullscreen();
    else await this.part.viewer.requestFullscreen().catch(() => {});
  }

  /** The view as a PNG with its title, markers, scale bar and compass, made here. */
  save() {
    const band = 34;
    const [{ width, height }] = this.stages;
    const density = Math.max(2, devicePixelRatio || 1);
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(width * this.stages.length * density);
    canvas.height = Math.round((height + band) * density);
    const context = canvas.getContext("2d");
    for (const stage of this.stages) {
      const index = this.stages.length > 1 ? stage.index : this.shown;
      const { title, layers } = this.data.panes[index];
      context.setTransform(density, 0, 0, density, stage.index * width * density, band * density);
      context.save();
      context.beginPath();
      context.rect(0, 0, width, height);
      context.clip();
      this.drawPane(context, { ...stage, width, height, density }, index);
      context.restore();
      context.fillStyle = "#05070c";
      context.fillRect(0, -band, width, band);
      const drawn = layers.map((k) => this.layers[k]).filter((layer) => layer?.on);
      lettered(context, title, 12, -band / 2, "left");
      let x = 30 + context.measureText(title).width;
      for (const layer of drawn) {
        context.beginPath();
        markerPath(context, layer.marker, x + 6, -band / 2, 5);
        strokeCased(context, layer.colour, false, 1.5, layer.dash.map((length) => length / 2));
        const text = `${layer.name} ${layerCounts(layer, this.threshold).shown.toLocaleString("en-GB")}`;
        lettered(context, text, x + 18, -band / 2, "left");
        x += 36 + context.measureText(text).width;
      }
    }
    canvas.toBlob((blob) => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = `${this.data.panes[this.shown].title.replace(/[^\p{L}\p{N}._-]+/gu, "-")}.png`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    });
  }

  // ---- pointer and keyboard ---------------------------------------------------------------------

  listenToStage(stage) {
    const { canvas } = stage;
    const at = (event) => {
      const box = canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    const ready = (act) => (event) => this.panes.length && this.memory.view && act(event);
    canvas.addEventListener("wheel", ready((event) => {
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 16 : 1;
      const speed = event.ctrlKey ? 0.01 : 0.0018;
      this.zoomBy(Math.exp(-event.deltaY * lines * speed), stage, ...at(event));
      this.point(stage, ...at(event));
    }), { passive: false });
    canvas.addEventListener("pointerdown", ready((event) => {
      if (event.button) return; // a menu may open under the hand, and the release is never heard of
      canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, at(event));
      if (this.pointers.size === 1) this.pressed = { at: at(event), moved: false };
    }));
    canvas.addEventListener("pointermove", ready((event) => {
      const now = at(event);
      const before = this.pointers.get(event.pointerId);
      if (before) this.drag(stage, event.pointerId, before, now);
      this.point(stage, ...now);
    }));
    canvas.addEventListener("pointerup", ready((event) => {
      if (!this.pointers.has(event.pointerId)) return;
      this.release(event.pointerId, canvas);
      if (this.pointers.size || this.pressed.moved) return;
      if (isTouch(event)) this.point(stage, ...at(event));
      this.click(stage, ...at(event));
    }));
    canvas.addEventListener("pointercancel", (event) => this.release(event.pointerId, canvas));
    canvas.addEventListener("pointerleave", ready((event) => {
      if (isTouch(event)) return; // what was tapped can be read until the next tap
      this.cursor = null;
      stage.tip.hidden = true;
      this.drawReadout();
      this.redraw();
    }));
    canvas.addEventListener("keydown", ready((event) => this.key(stage, event)));
    canvas.addEventListener("blur", ready(() => {
      if (!this.cursor?.pointer) this.cursor = null;
      this.redraw();
    }));
  }

  release(id, canvas) {
    this.pointers.delete(id);
    if (!this.pointers.size) canvas.classList.remove("dragging");
  }

  drag(stage, id, before, now) {
    const { pressed } = this;
    if (this.pointers.size === 2) {
      const other = [...this.pointers].find(([key]) => key !== id)[1];
      const apart = (point) => Math.hypot(point[0] - other[0], point[1] - other[1]);
      const middle = [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2];
      this.zoomBy(apart(now) / Math.max(apart(before), 1), stage, ...middle);
      pressed.moved = true;
      this.pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
    } else if (pressed.moved || Math.hypot(now[0] - pressed.at[0], now[1] - pressed.at[1]) > CLICK_PX) {
      if (!pressed.moved) this.pan(before[0] - pressed.at[0], before[1] - pressed.at[1]);
      pressed.moved = true;
      stage.canvas.classList.add("dragging");
      this.pan(now[0] - before[0], now[1] - before[1]);
    }
    this.pointers.set(id, now);
  }

  pan(dx, dy) {
    const { u, v, zoom } = this.memory.view;
    this.look(u - dx / zoom, v - dy / zoom, zoom);
  }

  /** Read out what lies under the pointer, and say what is marked there. */
  point(stage, px, py, pointer = true) {
    const pane = this.paneOf(stage);
    const place = this.place(pane, stage);
    const [x, y] = [(px - place.bx) / place.ax, (py - place.by) / place.ay];
    this.cursor = { stage, x, y, pointer };
    this.drawReadout();
    const dragging = this.pressed?.moved && this.pointers.size;
    const hit = dragging ? null : this.hit(stage, place, px, py);
    this.showTip(stage, hit, px, py);
    if (this.stages.length > 1 || !pointer) this.redraw();
  }

  hit(stage, place, px, py) {
    const index = this.stages.length > 1 ? stage.index : this.shown;
    return pick(this.layers, this.data.panes[index].layers, place, this.threshold, px, py);
  }

  showTip(stage, hit, px, py) {
    const { tip } = stage;
    tip.hidden = !hit;
    if (!hit) return;
    tip.replaceChildren(...describe(this.layers[hit[0]], hit[1]).map((line) => {
      const row = document.createElement("div");
      row.textContent = line;
      return row;
    }));
    const [width, height] = [tip.offsetWidth, tip.offsetHeight];
    tip.style.left = `${px + 18 + width > stage.width ? Math.max(4, px - width - 14) : px + 18}px`;
    tip.style.top = `${py + 18 + height > stage.height ? Math.max(4, py - height - 14) : py + 18}px`;
  }

  click(stage, px, py) {
    const again = this.clicking && Math.hypot(px - this.clicked[0], py - this.clicked[1]) < 24;
    clearTimeout(this.clicking);
    this.clicking = 0;
    if (again) {
      this.zoomBy(2, stage, px, py);
      return;
    }
    this.clicked = [px, py];
    // A second click may follow and mean zoom; the page hears of the first only when none did.
    this.clicking = setTimeout(() => {
      this.clicking = 0;
      this.choose(stage, px, py);
    }, DOUBLE_CLICK_MS);
  }

  choose(stage, px, py) {
    const place = this.place(this.paneOf(stage), stage);
    const hit = this.hit(stage, place, px, py);
    const position = [(px - place.bx) / place.ax, (py - place.by) / place.ay];
    this.selected = hit;
    this.sayStatus();
    this.redraw();
    this.tell(position);
  }

  sayStatus() {
    const layer = this.selected && this.layers[this.selected[0]];
    this.part.status.textContent = layer ? `Chosen: ${describe(layer, this.selected[1]).join(", ")}` : "Nothing chosen";
  }

  showSelected() {
    if (!this.selected) return;
    const layer = this.layers[this.selected[0]];
    if (!layer) return;
    const [stage] = this.stages;
    const [pane] = this.panes;
    const place = this.place(pane, stage);
    const [x, y] = [layer.x[this.selected[1]], layer.y[this.selected[1]]];
    const [px, py] = [place.ax * x + place.bx, place.ay * y + place.by];
    const margin = 24;
    const inView = px > margin && py > margin && px < stage.width - margin && py < stage.height - margin;
    if (!inView) this.look(...toDisplay(pane, x, y), this.memory.view.zoom);
    this.sayStatus();
  }

  /** Tell Python what a person set; this runs the page. */
  tell(clicked) {
    const { x0, y0, x1, y1 } = this.visible();
    if (clicked !== undefined) this.lastClick = clicked;
    this.send("event", {
      scene: this.data.scene,
      layers: this.data.layers?.id ?? null,
      threshold: this.threshold,
      selected: this.selected,
      clicked: this.lastClick ?? null,
      view: [x0, y0, x1, y1],
    });
  }

  key(stage, event) {
    const step = 0.1 * Math.min(stage.width, stage.height);
    const moves = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    const acts = { "+": "in", "=": "in", "-": "out", "0": "fit", "1": "actual", f: "fullscreen", b: "blink" };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const middle = [stage.width / 2, stage.height / 2];
    if (moves[event.key]) this.pan(...moves[event.key]);
    else if (event.key === "Enter") this.choose(stage, ...middle);
    else if (acts[event.key.toLowerCase()]) this.act(acts[event.key.toLowerCase()]);
    else return;
    event.preventDefault();
    // Streamlit has shortcuts of its own on plain letters.
    event.stopPropagation();
    this.point(stage, ...middle, false);
  }
}

export default function ({ data, parentElement, setStateValue }) {
  let viewer = mounted.get(parentElement);
  if (!viewer) {
    viewer = new Viewer(parentElement);
    mounted.set(parentElement, viewer);
  }
  viewer.update(data, setStateValue);
  return () => viewer.destroy();
}
