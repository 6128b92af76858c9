// Where things are: pixels, the sky, and the numbers a person reads. Pure functions, no page.
//
// The files here are joined into one module by core/ui/viewer/component.py, parcel.js apart, because a
// component without a build step is given as one text.
//
// Frame coordinates (x, y) are those of the stored array: the centre of the first pixel is (0, 0).
// Display coordinates (u, v) are the right way up: the top left corner of the picture is (0, 0), a frame
// pixel is one unit, and row 0 of a FITS frame lies at the bottom.

/** Display coordinates of a frame position on `pane` ({height, flipped}). */
export function toDisplay(pane, x, y) {
  return [x + 0.5, pane.flipped ? pane.height - 0.5 - y : y + 0.5];
}

/** Frame position of display coordinates. */
export function toFrame(pane, u, v) {
  return [u - 0.5, pane.flipped ? pane.height - 0.5 - v : v - 0.5];
}

/** Display rectangle [u, v, width, height] of a region {x0, y0, width, height} of whole frame pixels. */
export function regionOnDisplay(pane, region) {
  const top = pane.flipped ? pane.height - region.y0 - region.height : region.y0;
  return [region.x0, top, region.width, region.height];
}

// Catmull-Rom: passes through the nodes, and its error falls with the cube of their distance, so that a
// grid of some thirty nodes a side stays well below a tenth of a pixel even on a field of ten degrees.
function cubicWeights(t) {
  const t2 = t * t;
  const t3 = t2 * t;
  return [
    0.5 * (-t3 + 2 * t2 - t),
    0.5 * (3 * t3 - 5 * t2 + 2),
    0.5 * (-3 * t3 + 4 * t2 + t),
    0.5 * (t3 - t2),
  ];
}

/** Unit vector towards the sky at a frame position, or null where the grid has no sky. */
export function skyVector(sky, x, y) {
  const fx = (x - sky.x0) / sky.step_x;
  const fy = (y - sky.y0) / sky.step_y;
  const i = Math.min(Math.max(Math.floor(fx), 1), sky.nx - 3);
  const j = Math.min(Math.max(Math.floor(fy), 1), sky.ny - 3);
  const wx = cubicWeights(fx - i);
  const wy = cubicWeights(fy - j);
  const vector = [0, 0, 0];
  for (let b = 0; b < 4; b += 1) {
    for (let a = 0; a < 4; a += 1) {
      const weight = wx[a] * wy[b];
      const node = 3 * ((j + b - 1) * sky.nx + (i + a - 1));
      for (let c = 0; c < 3; c += 1) vector[c] += weight * sky.vectors[node + c];
    }
  }
  const length = Math.hypot(...vector);
  return Number.isFinite(length) && length > 0 ? vector.map((value) => value / length) : null;
}

/** ICRS {ra, dec} in degrees at a frame position, or null. */
export function skyAt(sky, x, y) {
  const vector = sky && skyVector(sky, x, y);
  if (!vector) return null;
  const [a, b, c] = vector;
  const ra = (Math.atan2(b, a) * 180) / Math.PI;
  return { ra: (ra + 360) % 360, dec: (Math.atan2(c, Math.hypot(a, b)) * 180) / Math.PI };
}

/** Directions of north and east on the display as unit [du, dv], or null off the sky. */
export function compass(pane, x, y) {
  if (!pane.sky) return null;
  const step = Math.max(pane.width, pane.height) * 1e-3;
  const here = skyVector(pane.sky, x, y);
  const right = skyVector(pane.sky, x + step, y);
  const up = skyVector(pane.sky, x, y + step);
  if (!here || !right || !up) return null;
  const [hx, hy, hz] = here;
  const east = [-hy, hx, 0];
  const north = [-hx * hz, -hy * hz, hx * hx + hy * hy];
  const along = (to, axis) => to.reduce((sum, value, k) => sum + (value - here[k]) * axis[k], 0);
  // (d north, d east) = M (dx, dy); the columns of its inverse point north and east on the frame.
  const [nx, ny, ex, ey] = [along(right, north), along(up, north), along(right, east), along(up, east)];
  const determinant = nx * ey - ny * ex;
  if (Math.abs(determinant) < 1e-30) return null;
  const unit = (dx, dy) => {
    const dv = pane.flipped ? -dy : dy;
    const length = Math.hypot(dx, dv);
    return [dx / length, dv / length];
  };
  return {
    north: unit(ey / determinant, -ex / determinant),
    east: unit(-ny / determinant, nx / determinant),
  };
}

/** Value(s) of the frame pixel that holds (x, y): {values: [...], exact, binning}, or null outside. */
export function valueAt(grid, x, y) {
  if (!grid) return null;
  const column = Math.floor((Math.round(x) - grid.x0) / grid.binning);
  const row = Math.floor((Math.round(y) - grid.y0) / grid.binning);
  if (column < 0 || row < 0 || column >= grid.width || row >= grid.height) return null;
  const start = (row * grid.width + column) * grid.channels;
  const values = Array.from(grid.codes.subarray(start, start + grid.channels), (code) => decode(grid, code));
  return { values, exact: grid.exact, binning: grid.binning };
}

function decode(grid, code) {
  if (code === grid.missing) return NaN;
  const linear = grid.offset + code * grid.step;
  return grid.width_asinh ? grid.centre + grid.width_asinh * Math.sinh(linear) : linear;
}

/** Right ascension and declination as "17h 40m 32.10s", "−53° 40′ 13.4″". */
export function sexagesimal({ ra, dec }) {
  const hundredths = Math.round((ra / 15) * 360000) % 8640000;
  const tenths = Math.round(Math.abs(dec) * 36000);
  const two = (value) => String(value).padStart(2, "0");
  const parts = (value, unit) => [
    two(Math.floor(value / (3600 * unit))),
    two(Math.floor(value / (60 * unit)) % 60),
    (value / unit) % 60,
  ];
  const [h, m, s] = parts(hundredths, 100);
  const [d, arcmin, arcsec] = parts(tenths, 10);
  return {
    ra: `${h}h ${m}m ${s.toFixed(2).padStart(5, "0")}s`,
    dec: `${dec < 0 ? "−" : "+"}${d}° ${arcmin}′ ${arcsec.toFixed(1).padStart(4, "0")}″`,
  };
}

/** A number to `digits` significant digits as a person writes it. */
export function written(value, digits = 6) {
  if (!Number.isFinite(value)) return "no data";
  if (value === 0) return "0";
  const magnitude = Math.abs(value);
  if (magnitude >= 1e7 || magnitude < 1e-4) return value.toExponential(digits - 2).replace("-", "−");
  const text = Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(digits)));
  return text.replace("-", "−");
}

/** A scale bar on the ground at most `room` screen px long: {length (screen px), text}. */
export function groundBar(kmPerPx, zoom, room) {
  const km = (room * kmPerPx) / zoom;
  const power = 10 ** Math.floor(Math.log10(km));
  const round = [5, 2, 1].find((step) => step * power <= km) * power;
  const text = round >= 1 ? `${round.toLocaleString("en-GB")} km` : `${written(1000 * round, 3)} m`;
  return { length: (round * zoom) / kmPerPx, text };
}

/** A scale bar at most `room` screen px long: {length (screen px), text}. */
export function scaleBar(pixelScaleArcsec, zoom, room) {
  const nice = [1, 2, 5, 10, 20, 30];
  const units = pixelScaleArcsec
    ? [[3600, "°", [1, 2, 5, 10, 20, 30, 60]], [60, "′", nice], [1, "″", nice], [0.001, " mas", [1, 2, 5, 10, 20, 50, 100, 200, 500]]]
    : [[1, " px", [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000]]];
  const perUnit = zoom / (pixelScaleArcsec || 1);
  for (const [size, suffix, steps] of units) {
    const count = steps.findLast((step) => step * size * perUnit <= room);
    if (count) return { length: count * size * perUnit, text: `${count}${suffix}` };
  }
  return null;
}
