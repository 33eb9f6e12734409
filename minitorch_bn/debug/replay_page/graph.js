// The graph: one box per op, the parameters that it reads beside it, the current op lit.

const BOX = {width: 186, height: 50}, LEAF = {width: 170, line: 20}, ROW = 86, PASSAGE = 24;
const svgNamespace = "http://www.w3.org/2000/svg";

function svg(name, attributes = {}, ...children) {
  const e = document.createElementNS(svgNamespace, name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  e.append(...children);
  return e;
}

function cut(text, most) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

function leavesOf(op) {
  return (op.inputs || []).filter(x => x.leaf).map(x => x.called || x.name);
}

// The left end of every column, and of one more. A column where lines pass, but no op stands, is narrow.
function columnsOf(pitch) {
  const widths = [];
  for (const [column] of data.places) widths[column] = pitch;
  for (const [, , between] of data.ways) for (const [column] of between) widths[column] ??= PASSAGE;
  const lefts = [12];
  for (let i = 0; i < widths.length; i++) lefts.push(lefts[i] + (widths[i] ?? 0));
  return lefts;
}

// Draw it once; give a function that lights the op of a step.
function drawGraph(place, onClick) {
  const withLeaves = data.ops.some(op => leavesOf(op).length);
  const pitch = BOX.width + 24 + (withLeaves ? LEAF.width + 14 : 0);
  const lefts = columnsOf(pitch), x = column => lefts[column], y = layer => 12 + layer * ROW;
  const high = 1 + data.places.reduce((most, p) => Math.max(most, p[1]), 0);
  const root = svg("svg", {width: lefts.at(-1), height: high * ROW + 12});
  const arrow = (id, kind) => svg("marker", {
    id, class: kind, viewBox: "0 0 10 10", refX: 9, refY: 5, markerWidth: 9, markerHeight: 9,
    orient: "auto-start-reverse", markerUnits: "userSpaceOnUse",
  }, svg("path", {d: "M0 0L10 5L0 10z"}));
  root.append(svg("defs", {}, arrow("tip", ""), arrow("tip-lit", "lit")));

  const edges = data.ops.map(() => []);
  for (const [from, to, between] of data.ways) {
    const [c0, l0] = data.places[from], [c1, l1] = data.places[to], middle = BOX.width / 2;
    const points = [[x(c0) + middle, y(l0) + BOX.height]];
    for (const [c, l] of between) {
      const through = x(c) + Math.min(middle, (x(c + 1) - x(c)) / 2);
      points.push([through, y(l)], [through, y(l) + BOX.height]);
    }
    points.push([x(c1) + middle, y(l1)]);
    let d = `M${points[0]}`;
    for (let i = 1; i < points.length; i++) {
      const [a, b] = [points[i - 1], points[i]], half = (a[1] + b[1]) / 2;
      d += a[0] === b[0] ? `L${b}` : `C${a[0]} ${half} ${b[0]} ${half} ${b}`;
    }
    const path = svg("path", {d, "marker-end": "url(#tip)"});
    edges[to].push(path);
    root.append(path);
  }
  const boxes = data.ops.map((op, i) => {
    const [c, l] = data.places[i], left = x(c), top = y(l), leaves = leavesOf(op);
    const label = op.called || op.module || "";
    const group = svg("g", {class: "op", "data-op": i},
      svg("rect", {x: left, y: top, width: BOX.width, height: BOX.height, rx: 7}),
      svg("text", {x: left + 11, y: top + (label ? 21 : 31)}, cut(data.classes[op.class].name, 19)));
    if (label) group.append(svg("text", {x: left + 11, y: top + 41, class: "small"}, cut(label, 24)));
    group.append(svg("title", {}, `${data.classes[op.class].name} ${label}`));
    group.addEventListener("click", () => onClick(i));
    root.append(group);
    if (leaves.length) {
      const shown = leaves.length > 3 ? [...leaves.slice(0, 2), `and ${leaves.length - 2} more`] : leaves;
      const height = shown.length * LEAF.line + 10, start = left + BOX.width + 24, up = top + (BOX.height - height) / 2;
      const box = svg("g", {class: "leaf"}, svg("rect", {x: start, y: up, width: LEAF.width, height, rx: 12}));
      shown.forEach((name, k) => box.append(
        svg("text", {x: start + 10, y: up + 20 + k * LEAF.line}, svg("title", {}, name), cut(name, 18))));
      const path = svg("path", {d: `M${start} ${top + BOX.height / 2}H${left + BOX.width}`, "marker-end": "url(#tip)"});
      edges[i].push(path);
      root.append(box, path);
    }
    return group;
  });
  place.replaceChildren(root);

  // Lit: the op and what it reads or hands gradients to. Marked: what this direction has reached.
  let before = null, marked = 0, markedPhase = 0;
  return (op, phase, position) => {
    if (before !== null) light(before, false);
    light(op, true);
    before = op;
    if (phase !== markedPhase) {
      boxes.forEach(box => box.classList.remove("reached"));
      marked = phase ? data.steps.findIndex(s => s[1] === 1) : 0;
      markedPhase = phase;
    }
    for (; marked <= position; marked++) boxes[data.steps[marked][0]].classList.add("reached");
    for (; marked > position + 1; marked--) boxes[data.steps[marked - 1][0]].classList.remove("reached");
    const [c, l] = data.places[op];
    const right = x(c) + BOX.width + (withLeaves ? LEAF.width + 32 : 8);
    place.scrollTo(Math.max(0, Math.min(right - place.clientWidth, x(c) - 12)), y(l) + BOX.height / 2 - place.clientHeight / 2);

    function light(i, on) {
      boxes[i].classList.toggle("lit", on);
      for (const path of edges[i]) {
        path.classList.toggle("lit", on);
        path.setAttribute("marker-end", on && phase ? "" : `url(#tip${on ? "-lit" : ""})`);
        path.setAttribute("marker-start", on && phase ? "url(#tip-lit)" : "");
        if (!on) path.removeAttribute("marker-start");
        if (!path.getAttribute("marker-end")) path.removeAttribute("marker-end");
      }
    }
  };
}
