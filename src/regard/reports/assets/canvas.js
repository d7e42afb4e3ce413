// A large map as a picture: one rectangle a cell, labels as far as there is room.

const largest = 64; // rows or columns up to which a real table is drawn
const gutter = 96;
let picture = null; // { canvas, cell } while a picture is on view

function drawPicture() {
  const { query, key, keyDirection } = plane.map;
  const cell = Math.max(1, Math.min(12, Math.floor(1100 / Math.max(key.length, query.length))));
  const canvas = make("canvas", {
    width: gutter + key.length * cell, height: gutter + query.length * cell, "aria-hidden": "true",
  });
  picture = { canvas, cell, mirrored: keyDirection === "rtl" };
  const axes = `${t("rows")} · ${t(picture.mirrored ? "columns_rtl" : "columns")}`;
  const box = make("div", { class: "canvas", tabindex: "0", role: "group", "aria-label": `${t("alignment")}. ${t("keys")}` }, canvas);
  const at = (event) => {
    const frame = canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - frame.left - gutter) / cell);
    const row = Math.floor((event.clientY - frame.top - gutter) / cell);
    const inside = row >= 0 && column >= 0 && row < query.length && column < key.length;
    return inside ? [row, placed(column)] : null;
  };
  canvas.addEventListener("pointermove", (event) => look(...(at(event) ?? [state.q, state.k])));
  canvas.addEventListener("pointerleave", () => look(state.q, state.k));
  canvas.addEventListener("click", (event) => at(event) && select(...at(event)));
  fill($("matrix"), make("p", { class: "quiet" }, axes), box);
  paintPicture();
}

// Columns of a right-to-left input run from the right.
const placed = (column) => (picture.mirrored ? plane.map.key.length - 1 - column : column);

function paintPicture() {
  const { query, key } = plane.map;
  const pixels = new ImageData(key.length, query.length);
  const hatch = isDark() ? [119, 128, 141] : [138, 147, 160];
  const plain = isDark() ? [20, 23, 28] : [255, 255, 255];
  const shades = Array.from({ length: 1024 }, (_, root) => shade((root / 1023) ** 2));
  const shadeOf = (weight) => shades[Math.round(Math.sqrt(Math.min(1, Math.max(0, weight))) * 1023)];
  for (let row = 0; row < query.length; row += 1) {
    for (let column = 0; column < key.length; column += 1) {
      const weight = weightAt(row, column);
      const striped = (row + column) % 3 ? plain : hatch;
      const rgb = causeOf(row, column) ? striped : Number.isNaN(weight) ? [220, 0, 0] : shadeOf(weight);
      pixels.data.set([...rgb, 255], 4 * (row * key.length + placed(column)));
    }
  }
  const small = make("canvas", { width: key.length, height: query.length });
  small.getContext("2d").putImageData(pixels, 0, 0);
  picture.small = small;
}

function markPicture(row, column) {
  const { canvas, cell, small } = picture;
  const pen = canvas.getContext("2d");
  const style = getComputedStyle(document.documentElement);
  const [ink, accent] = ["--ink", "--accent"].map((name) => style.getPropertyValue(name));
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.imageSmoothingEnabled = false;
  pen.drawImage(small, gutter, gutter, small.width * cell, small.height * cell);
  pen.strokeStyle = accent;
  pen.lineWidth = 2;
  pen.strokeRect(gutter, gutter + row * cell, small.width * cell, cell);
  pen.strokeRect(gutter + placed(column) * cell, gutter, cell, small.height * cell);
  labelPicture(pen, "query", row, ink, accent);
  pen.save();
  pen.translate(0, gutter);
  pen.rotate(-Math.PI / 2);
  labelPicture(pen, "key", column, ink, accent);
  pen.restore();
}

// Every n-th token, so that none covers another; the selected one always.
function labelPicture(pen, side, selected, ink, accent) {
  const { cell } = picture;
  const every = Math.ceil(12 / cell);
  const rows = side === "query";
  pen.font = "11px system-ui, sans-serif";
  pen.textBaseline = "middle";
  pen.textAlign = rows ? "right" : "left";
  for (let index = 0; index < plane.map[side].length; index += 1) {
    const chosen = index === selected;
    const near = Math.abs(index - selected) < every;
    if (!chosen && (index % every || near)) continue;
    const text = tokenText(side, index);
    pen.fillStyle = chosen ? accent : ink;
    const centre = gutter + ((rows ? index : placed(index)) + 0.5) * cell;
    pen.fillText(text.length > 14 ? text.slice(0, 13) + "…" : text, rows ? gutter - 5 : 5, centre, gutter - 10);
  }
}
