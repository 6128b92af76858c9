// Parcels made into what can be drawn: pictures, values, sky grids, heat maps.

const HEAT_COLOURS = [[13, 8, 135], [126, 3, 168], [204, 71, 120], [248, 149, 64], [240, 249, 33]];

async function inflate(buffer) {
  const stream = new Blob([buffer]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

async function readValues(facts, blobs) {
  if (!facts) return null;
  const kinds = { uint8: Uint8Array, uint16: Uint16Array, float32: Float32Array };
  return { ...facts, codes: new kinds[facts.kind](await inflate(blobs[facts.blob])) };
}

function readPicture(facts, blobs) {
  return createImageBitmap(new Blob([blobs[facts.blob]], { type: facts.mime }));
}

function isLossless(piece) {
  return piece.picture.mime === "image/png";
}

async function readPane(parcel) {
  const { header, blobs } = parcel;
  const [bitmap, values] = await Promise.all([
    readPicture(header.picture, blobs),
    readValues(header.values, blobs),
  ]);
  const sky = header.sky && { ...header.sky, vectors: new Float64Array(blobs[header.sky.blob]) };
  const whole = { x0: 0, y0: 0, width: header.width, height: header.height };
  const step = header.width / bitmap.width;
  return { ...header, bitmap, values, sky, whole, step, lossless: isLossless(header) };
}

async function readDetail(parcel) {
  const { header, blobs } = parcel;
  const pieces = header.pieces.map(async (piece) => {
    const bitmap = await readPicture(piece.picture, blobs);
    const values = await readValues(piece.values, blobs);
    return { ...piece, bitmap, values, step: piece.region.width / bitmap.width, lossless: isLossless(piece) };
  });
  return { id: header.id, pieces: await Promise.all(pieces) };
}

async function readHeat(parcel) {
  const { header, blobs } = parcel;
  const codes = new Uint8Array(await inflate(blobs[0]));
  const canvas = new OffscreenCanvas(header.columns, header.rows);
  const context = canvas.getContext("2d");
  const image = context.createImageData(header.columns, header.rows);
  codes.forEach((code, k) => {
    const at = (code / 255) * (HEAT_COLOURS.length - 1);
    const low = HEAT_COLOURS[Math.floor(at)];
    const high = HEAT_COLOURS[Math.ceil(at)];
    for (let c = 0; c < 3; c += 1) image.data[4 * k + c] = low[c] + (high[c] - low[c]) * (at % 1);
    // Faint heat is clear, so that the frame shows through where there is nothing to see.
    image.data[4 * k + 3] = 255 * Math.min(1, (code / 255) * 1.6);
  });
  context.putImageData(image, 0, 0);
  return { ...header, canvas };
}
