// What each place was taken for: classes in colours and patterns over the picture, and read at the pointer.

/** A mask is drawn at least this wide, so that a coarse one shows its pattern too. */
const PATTERN_SIDE = 1000;

/** How much of the class's colour covers a pixel of its pattern, in [0, 1]. */
const PATTERNS = {
  solid: () => 0.55,
  stripes: (x, y) => ((x + y) % 10 < 3 ? 1 : 0.4),
  backstripes: (x, y) => ((x - y + 10000) % 10 < 3 ? 1 : 0.4),
  grid: (x, y) => (x % 9 < 2 || y % 9 < 2 ? 1 : 0.4),
  dots: (x, y) => (x % 8 < 3 && y % 8 < 3 ? 1 : 0.4),
  faint: (x, y) => ((x + y) % 14 < 2 ? 0.8 : 0.06),
};

async function readAreas(parcel) {
  const { header, blobs } = parcel;
  const read = async (facts) => ({ ...facts, codes: new Uint8Array(await inflate(blobs[facts.blob])) });
  const [mask, ...probabilities] = await Promise.all([header.mask, ...header.probabilities].map(read));
  const times = Math.max(1, Math.ceil(PATTERN_SIDE / Math.max(mask.columns, mask.rows)));
  return { ...header, mask, probabilities, times, canvas: new OffscreenCanvas(mask.columns * times, mask.rows * times) };
}

function channels(colour) {
  return [1, 3, 5].map((k) => parseInt(colour.slice(k, k + 2), 16));
}

function inPattern(data, at, [red, green, blue], pattern, x, y) {
  data[at] = red;
  data[at + 1] = green;
  data[at + 2] = blue;
  data[at + 3] = 255 * PATTERNS[pattern](x, y);
}

/** Colour the canvas of areas, only the classes that are on; nothing when they are the same as before. */
function paintAreas(areas, on) {
  const wanted = on.join();
  if (areas.painted === wanted) return;
  areas.painted = wanted;
  const { mask, classes, canvas, times } = areas;
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const inks = classes.map(({ colour }) => channels(colour));
  for (let y = 0; y < canvas.height; y += 1) {
    const row = Math.floor(y / times) * mask.columns;
    for (let x = 0; x < canvas.width; x += 1) {
      const code = mask.codes[row + Math.floor(x / times)];
      if (on[code]) inPattern(image.data, 4 * (y * canvas.width + x), inks[code], classes[code].pattern, x, y);
    }
  }
  context.putImageData(image, 0, 0);
}

function paintSwatch(canvas, colour, pattern) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const ink = channels(colour);
  for (let y = 0; y < canvas.height; y += 1) {
    for (let x = 0; x < canvas.width; x += 1) inPattern(image.data, 4 * (y * canvas.width + x), ink, pattern, x, y);
  }
  context.putImageData(image, 0, 0);
}

/** What is read at frame position (x, y): the class, and the probabilities that count, the greatest first. */
function saidOfPlace({ mask, classes, probabilities }, pane, x, y) {
  const [u, v] = toDisplay(pane, x, y);
  const code = ({ columns, rows, codes }) => {
    const column = Math.min(Math.floor((u / pane.width) * columns), columns - 1);
    return codes[Math.min(Math.floor((v / pane.height) * rows), rows - 1) * columns + column];
  };
  const said = probabilities
    .map((each) => [each.name, code(each) / 255])
    .filter(([, probability]) => probability >= 0.05)
    .sort((a, b) => b[1] - a[1])
    .slice(0, 3)
    .map(([name, probability]) => `${name} ${probability.toFixed(2)}`);
  const name = classes[code(mask)].name;
  return said.length ? `${name} (${said.join(", ")})` : name;
}
