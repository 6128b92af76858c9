// What stands on every picture: the scale bar and the compass, legible on any sky.

function inked(context, draw) {
  for (const [colour, width] of [["rgba(0, 0, 0, 0.75)", 4], ["#f4f7fb", 1.6]]) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.lineJoin = context.lineCap = "round";
    draw();
  }
}

function lettered(context, text, x, y, align) {
  context.font = "600 13px system-ui, sans-serif";
  context.textAlign = align;
  context.textBaseline = "middle";
  context.strokeStyle = "rgba(0, 0, 0, 0.75)";
  context.lineWidth = 3.5;
  context.strokeText(text, x, y);
  context.fillStyle = "#f4f7fb";
  context.fillText(text, x, y);
}

/** The scale bar and the compass of a picture, as far as it has them, and the places where they stand. */
export function furnitureOf(pane, place, kmPerPx) {
  const room = Math.min(160, place.width * 0.3);
  const bar = kmPerPx ? groundBar(kmPerPx, place.scale, room) : scaleBar(pane.pixel_scale_arcsec, place.scale, room);
  const [x, y] = toFrame(pane, (place.width / 2 - place.left) / place.scale, (place.height / 2 - place.top) / place.scale);
  const arrows = compass(pane, x, y);
  const kept = [];
  if (bar) kept.push({ x: 16 + bar.length / 2, y: place.height - 28, half: Math.max(bar.length / 2, 30) + 6, reach: 22 });
  if (arrows) kept.push({ x: place.width - 46, y: place.height - 46, half: 42, reach: 48 });
  return { bar, arrows, kept };
}

function drawScaleBar(context, place, bar) {
  if (!bar) return;
  const [x, y] = [16, place.height - 16];
  inked(context, () => {
    context.beginPath();
    context.moveTo(x, y - 5);
    context.lineTo(x, y);
    context.lineTo(x + bar.length, y);
    context.lineTo(x + bar.length, y - 5);
    context.stroke();
  });
  lettered(context, bar.text, x + bar.length / 2, y - 14, "center");
}

function drawCompass(context, place, arrows) {
  if (!arrows) return;
  const [cx, cy, length] = [place.width - 46, place.height - 46, 24];
  inked(context, () => {
    context.beginPath();
    for (const [du, dv] of [arrows.north, arrows.east]) {
      context.moveTo(cx, cy);
      context.lineTo(cx + du * length, cy + dv * length);
    }
    context.stroke();
  });
  for (const [text, [du, dv]] of [["N", arrows.north], ["E", arrows.east]]) {
    lettered(context, text, cx + du * (length + 10), cy + dv * (length + 10), "center");
  }
}
