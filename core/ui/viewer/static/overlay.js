// What methods found, drawn over the picture and looked up under the pointer.

/** Below this many markers in view each gets a dark casing, which keeps it legible on bright sky. */
const CASED_MARKERS = 3000;
/** Marker radii up to this many screen px are stamped from a small picture; larger ones are stroked. */
const STAMP_RADIUS = 40;
/** Smaller markers are dots: their shape could not be seen, and 50,000 of them must follow a drag. */
const DOT_RADIUS = 2;
const PICK_PX = 14;
/** More names than these are no help. */
const MOST_LETTERED = 80;
const NAME_FONT = "600 13px system-ui, sans-serif";
/** The red of night tells no colours apart, and most of them would be dim on a dark ground. */
const NIGHT_INK = "rgb(255, 255, 255)";

function isNight() {
  return document.documentElement.classList.contains("almagest-night");
}

/** Make a layer of a parcel ready: sorted by score, so that a threshold is a prefix of the order. */
function prepareLayer(facts, blobs) {
  const layer = { ...facts, on: facts.visible, labelOn: facts.labels.map(() => true), stamps: new Map() };
  layer.x = new Float32Array(blobs[facts.x]);
  layer.y = new Float32Array(blobs[facts.y]);
  layer.score = new Float32Array(blobs[facts.score]);
  layer.code = new Uint16Array(blobs[facts.code]);
  layer.radius = facts.radius === null ? null : new Float32Array(blobs[facts.radius]);
  layer.ellipse = facts.ellipse === null ? null : new Float32Array(blobs[facts.ellipse]);
  layer.paths = facts.paths && {
    points: new Float32Array(blobs[facts.paths.points]),
    begins: new Uint32Array(blobs[facts.paths.begins]),
  };
  layer.boxes = facts.boxes === null ? null : new Float32Array(blobs[facts.boxes]);
  layer.noteNumbers = facts.note_numbers === null ? null : new Float32Array(blobs[facts.note_numbers]);
  layer.order = new Uint32Array(layer.x.length).map((_, row) => row);
  layer.order.sort((a, b) => layer.score[b] - layer.score[a]);
  layer.sorted = layer.score.slice().sort().reverse();
  return layer;
}

/** How many of the layer's objects reach the threshold; without one, the layer's own limit. */
function countAbove(layer, threshold) {
  let low = 0;
  let high = layer.sorted.length;
  // Scores are 32 bit: 0.7 as a number of 64 bit lies just beside them.
  const limit = Math.fround(threshold ?? layer.limit ?? 0);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (layer.sorted[middle] >= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Counts by label of what reaches the threshold, and their sum over the labels that are switched on. */
function layerCounts(layer, threshold) {
  const byLabel = layer.labels.map(() => 0);
  const above = countAbove(layer, threshold);
  for (let k = 0; k < above; k += 1) byLabel[layer.code[layer.order[k]]] += 1;
  const shown = byLabel.reduce((sum, count, code) => sum + (layer.labelOn[code] ? count : 0), 0);
  return { byLabel, shown };
}

/** Whether a row is drawn at all. */
function isShown(layer, row, threshold) {
  return layer.on && layer.labelOn[layer.code[row]] && layer.score[row] >= Math.fround(threshold ?? layer.limit ?? 0);
}

/** Points x, y, x, y, … of the line that a row is drawn as; none where it has no line. */
function lineOf(layer, row) {
  if (!layer.paths) return [];
  const { points, begins } = layer.paths;
  return points.subarray(2 * begins[row], 2 * begins[row + 1]);
}

function linePath(context, line, { ax, bx, ay, by }) {
  for (let k = 0; k < line.length; k += 2) {
    context[k ? "lineTo" : "moveTo"](ax * line[k] + bx, ay * line[k + 1] + by);
  }
}

/** Distance in screen px of a screen position from a line. */
function distanceToLine(line, { ax, bx, ay, by }, px, py) {
  let least = Infinity;
  for (let k = 2; k < line.length; k += 2) {
    const [x1, y1] = [ax * line[k - 2] + bx, ay * line[k - 1] + by];
    const [dx, dy] = [ax * line[k] + bx - x1, ay * line[k + 1] + by - y1];
    const along = ((px - x1) * dx + (py - y1) * dy) / (dx * dx + dy * dy || 1);
    const t = Math.min(Math.max(along, 0), 1);
    least = Math.min(least, Math.hypot(px - x1 - t * dx, py - y1 - t * dy));
  }
  return least;
}

function markerPath(context, marker, x, y, r) {
  if (marker === "line") {
    context.moveTo(x - r, y + 0.5 * r);
    context.bezierCurveTo(x - 0.3 * r, y - 1.3 * r, x + 0.3 * r, y + 1.3 * r, x + r, y - 0.5 * r);
  } else if (marker === "circle") {
    context.moveTo(x + r, y);
    context.arc(x, y, r, 0, 2 * Math.PI);
  } else if (marker === "cross") {
    for (const side of [-1, 1]) {
      context.moveTo(x - r, y - side * r);
      context.lineTo(x + r, y + side * r);
    }
  } else if (marker === "square" || marker === "box") {
    context.rect(x - r * 0.9, y - r * 0.9, r * 1.8, r * 1.8);
  } else {
    const corners = marker === "diamond"
      ? [[0, -1.2], [1.2, 0], [0, 1.2], [-1.2, 0]]
      : [[0, -1.25], [1.15, 0.8], [-1.15, 0.8]];
    corners.forEach(([dx, dy], k) => context[k ? "lineTo" : "moveTo"](x + dx * r, y + dy * r));
    context.closePath();
  }
}

function strokeCased(context, colour, cased, width = 1.5, dash = []) {
  context.lineJoin = "round";
  if (cased) {
    // On a bright ground the night's ink is told by its casing alone.
    const night = colour === NIGHT_INK;
    context.strokeStyle = night ? "rgba(0, 0, 0, 0.85)" : "rgba(0, 0, 0, 0.5)";
    context.lineWidth = (night ? 3.5 : 2) * width;
    context.stroke();
  }
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.setLineDash(dash);
  context.stroke();
  context.setLineDash([]);
}

/** A small picture of the layer's marker; stamping it is many times faster than stroking a path. */
function stamp(layer, radius, cased, density, ink) {
  const key = `${radius}/${cased}/${density}/${ink}`;
  let picture = layer.stamps.get(key);
  if (!picture) {
    const side = 2 * Math.ceil(radius * 1.3 + 4);
    picture = document.createElement("canvas");
    picture.width = picture.height = side * density;
    picture.side = side;
    const context = picture.getContext("2d");
    context.scale(density, density);
    context.beginPath();
    markerPath(context, layer.marker, side / 2, side / 2, radius);
    strokeCased(context, ink, cased, radius < 3 ? 1 : 1.5);
    layer.stamps.set(key, picture);
  }
  return picture;
}

/**
 * Marker radius in screen px where the layer gives none: `room` is screen px² for one marker, so that a
 * crowded field stays a picture; zoomed in, the ring grows to go around a star instead of over it.
 */
function legibleRadius(room, zoom) {
  return Math.max(Math.min(Math.max(0.22 * Math.sqrt(room), 1.5), 8), starRadius(zoom));
}

function starRadius(zoom) {
  return Math.min(2.5 * zoom, 28);
}

let scratch = new Float32Array(0);

/**
 * Draw one layer. `place` is {ax, bx, ay, by, width, height, pixels}: screen = a · frame + b, in CSS px.
 * Only what lies in view is drawn; a linear scan over 100,000 positions takes less than a millisecond.
 */
function drawLayer(context, layer, place, threshold, density, ink = layer.colour) {
  const { ax, bx, ay, by, width, height } = place;
  const above = countAbove(layer, threshold);
  if (scratch.length < 3 * above) scratch = new Float32Array(3 * above);
  const asBoxes = layer.marker === "box" && layer.boxes;
  let count = 0;
  for (let k = 0; k < above; k += 1) {
    const row = layer.order[k];
    if (!layer.labelOn[layer.code[row]]) continue;
    const x = ax * layer.x[row] + bx;
    const y = ay * layer.y[row] + by;
    let margin = 16;
    const line = lineOf(layer, row);
    if ((asBoxes || line.length) && layer.boxes && layer.boxes[4 * row] === layer.boxes[4 * row]) {
      margin += ax * (layer.boxes[4 * row + 2] - layer.boxes[4 * row] + layer.boxes[4 * row + 3] - layer.boxes[4 * row + 1]);
    } else if (layer.radius) margin += ax * layer.radius[row];
    if (x < -margin || y < -margin || x > width + margin || y > height + margin) continue;
    scratch[3 * count] = x;
    scratch[3 * count + 1] = y;
    scratch[3 * count + 2] = row;
    count += 1;
  }
  const room = Math.min(width * height, ax * ax * place.pixels) / Math.max(count, 1);
  const least = layer.radius ? DOT_RADIUS : legibleRadius(room, ax);
  const cased = count <= CASED_MARKERS;
  context.fillStyle = ink;
  context.beginPath();
  for (let k = 0; k < count; k += 1) {
    const x = scratch[3 * k];
    const y = scratch[3 * k + 1];
    const row = scratch[3 * k + 2];
    const line = lineOf(layer, row);
    if (line.length) {
      linePath(context, line, place);
      continue;
    }
    if (asBoxes && layer.boxes[4 * row] === layer.boxes[4 * row]) {
      const [x1, y1, x2, y2] = layer.boxes.subarray(4 * row, 4 * row + 4);
      context.rect(ax * x1 + bx, ay * y1 + by, ax * (x2 - x1), ay * (y2 - y1));
      continue;
    }
    const radius = layer.radius ? Math.max(ax * layer.radius[row], least) : least;
    if (radius < DOT_RADIUS) {
      context.fillRect(x - 1, y - 1, 2, 2);
      continue;
    }
    if (layer.ellipse) {
      const turn = Math.sign(place.ay) * layer.ellipse[2 * row + 1];
      const minor = Math.max(radius * layer.ellipse[2 * row], Math.min(radius, 5));
      context.moveTo(x + radius * Math.cos(turn), y + radius * Math.sin(turn));
      context.ellipse(x, y, radius, minor, turn, 0, 2 * Math.PI);
    } else if (radius > STAMP_RADIUS || layer.dash.length) {
      markerPath(context, layer.marker, x, y, radius);
    } else {
      const picture = stamp(layer, Math.round(radius * 2) / 2, cased, density, ink);
      context.drawImage(picture, x - picture.side / 2, y - picture.side / 2, picture.side, picture.side);
    }
  }
  strokeCased(context, ink, cased, layer.paths ? 2 : 1.5, layer.dash);
  if (layer.lettered && count <= MOST_LETTERED) drawNames(context, layer, place, count);
}

/** What stands on a picture since it was cleared: a name covers neither furniture nor an earlier name. */
const lettering = new WeakMap();
const NAME_REACH = 17;

/** Begin with the places that are kept free of names: their middles, and how near another may come. */
function clearNames(context, kept = []) {
  lettering.set(context, kept);
}

/** The first of some heights at which a name, of that middle and half its width, covers nothing; or undefined. */
export function freeHeight(taken, x, half, heights) {
  return heights.find((y) => !taken.some(
    (other) => Math.abs(other.x - x) < other.half + half && Math.abs(other.y - y) < other.reach,
  ));
}

/** The name, else the label, over each of the first `count` objects in `scratch`, the surest first. */
function drawNames(context, layer, place, count) {
  const taken = lettering.get(context) ?? [];
  for (let k = 0; k < count; k += 1) {
    const row = scratch[3 * k + 2];
    const text = layer.names?.[row] ?? layer.labels[layer.code[row]];
    const [x, top, bottom, y] = reachOf(layer, row, place, scratch[3 * k], scratch[3 * k + 1]);
    context.font = NAME_FONT;
    const half = context.measureText(text).width / 2 + 4;
    const left = Math.min(Math.max(x, half), place.width - half);
    const spots = [top - 10, bottom + 10, top + 12, y].filter((spot) => spot > 10 && spot < place.height - 10);
    const free = freeHeight(taken, left, half, spots);
    if (free === undefined || x < 0 || x > place.width) continue;
    taken.push({ x: left, y: free, half, reach: NAME_REACH });
    lettered(context, text, left, free, "center");
  }
  lettering.set(context, taken);
}

/** Middle, top, bottom and middle height on the screen of what is drawn for a row. */
function reachOf(layer, row, place, x, y) {
  if (layer.marker === "box" && layer.boxes && layer.boxes[4 * row] === layer.boxes[4 * row]) {
    const [x1, y1, x2, y2] = layer.boxes.subarray(4 * row, 4 * row + 4);
    const [a, b] = [place.ay * y1 + place.by, place.ay * y2 + place.by];
    return [place.ax * (x1 + x2) / 2 + place.bx, Math.min(a, b), Math.max(a, b), y];
  }
  const radius = layer.radius ? layer.radius[row] * place.ax : starRadius(place.ax);
  if (!layer.ellipse) return [x, y - radius, y + radius, y];
  const [ratio, turn] = layer.ellipse.subarray(2 * row, 2 * row + 2);
  const reach = Math.hypot(radius * Math.sin(turn), radius * ratio * Math.cos(turn));
  return [x, y - reach, y + reach, y];
}

/** Radius in screen px that a ring around an object needs to clear its marker. */
function markerRadius(layer, row, zoom) {
  if (layer.boxes && layer.boxes[4 * row] === layer.boxes[4 * row]) {
    const [x1, y1, x2, y2] = layer.boxes.subarray(4 * row, 4 * row + 4);
    return (Math.hypot(x2 - x1, y2 - y1) / 2) * zoom;
  }
  return Math.max(layer.radius ? layer.radius[row] * zoom : starRadius(zoom), 8);
}

/** The line of the chosen object, brought out. */
function drawSelectedLine(context, layer, row, place) {
  for (const [colour, width] of [["rgba(0, 0, 0, 0.8)", 9], ["#ffffff", 5.5], [layer.colour, 2.5]]) {
    context.beginPath();
    linePath(context, lineOf(layer, row), place);
    context.lineJoin = context.lineCap = "round";
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke();
  }
  context.lineCap = "butt";
}

function drawSelected(context, x, y, radius) {
  const ring = radius + 5;
  const arms = () => {
    context.beginPath();
    context.arc(x, y, ring, 0, 2 * Math.PI);
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      context.moveTo(x + dx * (ring + 3), y + dy * (ring + 3));
      context.lineTo(x + dx * (ring + 18), y + dy * (ring + 18));
    }
  };
  for (const [colour, width] of [["rgba(0, 0, 0, 0.8)", 5], ["#ffffff", 2]]) {
    arms();
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke();
  }
}

/** The shown object nearest to a screen position, as [layer index, row], or null. */
function pick(layers, indices, place, threshold, px, py) {
  let best = null;
  let least = Infinity;
  for (const index of indices) {
    const layer = layers[index];
    if (!layer || !layer.on) continue;
    const above = countAbove(layer, threshold);
    for (let k = 0; k < above; k += 1) {
      const row = layer.order[k];
      if (!layer.labelOn[layer.code[row]]) continue;
      const distance = Math.hypot(place.ax * layer.x[row] + place.bx - px, place.ay * layer.y[row] + place.by - py);
      const drawn = layer.radius ? layer.radius[row] * place.ax : starRadius(place.ax);
      let reach = Math.max(PICK_PX, drawn);
      let cost = distance;
      const line = lineOf(layer, row);
      if (line.length) {
        cost = distanceToLine(line, place, px, py);
        if (cost <= PICK_PX && cost < least) {
          least = cost;
          best = [index, row];
        }
        continue;
      }
      if (layer.marker === "box" && layer.boxes && layer.boxes[4 * row] === layer.boxes[4 * row]) {
        const [x1, y1, x2, y2] = layer.boxes.subarray(4 * row, 4 * row + 4);
        const x = (px - place.bx) / place.ax;
        const y = (py - place.by) / place.ay;
        // Inside a box the smallest box wins, so that one within another can be reached.
        if (x >= x1 && x <= x2 && y >= y1 && y <= y2) {
          reach = Infinity;
          cost = Math.min(distance, 0.25 * place.ax * Math.hypot(x2 - x1, y2 - y1));
        }
      }
      if (distance <= reach && cost < least) {
        least = cost;
        best = [index, row];
      }
    }
  }
  return best;
}

/** What the tooltip says of an object: lines of plain text, the first one its name. */
function describe(layer, row) {
  const label = layer.labels[layer.code[row]];
  const name = layer.names?.[row];
  const lines = [name || label, `${layer.name}${name ? ` · ${label}` : ""} · score ${layer.score[row].toFixed(2)}`];
  if (layer.note !== null) {
    const note = layer.noteNumbers ? written(layer.noteNumbers[row], 4) : layer.note_texts[row];
    if (note !== null && note !== "no data") lines.push(`${layer.note_title}: ${note}${layer.note_unit ? ` ${layer.note_unit}` : ""}`);
  }
  return lines;
}
