// The graph: names on a circle, ordered by namespace, and an arc for each flow. The
// layout is arithmetic, so that the same mesh always looks the same.

const SVG = "http://www.w3.org/2000/svg";
const MOST_NODES = 120;
const MOST_EDGES = 2500;
const DRAWING = document.getElementById("drawing");
const GRAPH_NOTE = document.getElementById("graph-note");
const HALF = 430;
const HALF_WIDTH = 540;
const BUSY_EDGES = 300;
const RADIUS = 265;

function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

function namespaceOf(index) {
  return NAMES[index].split("/", 1)[0];
}

// Nodes: single names, or namespaces if there are too many names.
function findNodes(indices) {
  if (indices.length <= MOST_NODES) {
    return indices.map((index) => ({
      title: NAMES[index], label: NAMES[index].slice(namespaceOf(index).length + 1),
      namespace: namespaceOf(index), members: [index],
    }));
  }
  const found = new Map();
  for (const index of indices) {
    const namespace = namespaceOf(index);
    if (!found.has(namespace)) {
      found.set(namespace, {title: namespace, label: namespace, namespace: "", members: []});
    }
    found.get(namespace).members.push(index);
  }
  return [...found.values()].slice(0, MOST_NODES);
}

function findEdges(nodes, isSource, isDestination) {
  const edges = [];
  for (const from of nodes) {
    for (const to of nodes) {
      if (from === to) continue;
      let count = 0;
      let isCertain = false;
      for (const source of from.members) {
        if (!isSource.has(source)) continue;
        for (const destination of to.members) {
          if (!isDestination.has(destination)) continue;
          const cell = flowOf(source, destination).cell;
          if (!isAllowed(cell, STATE.port)) continue;
          count += 1;
          isCertain = isCertain || cell.ports !== "";
        }
      }
      if (count) edges.push({from, to, count, isCertain});
    }
  }
  return edges;
}

// Place nodes on the circle, with a gap between namespaces.
function place(nodes) {
  const gaps = nodes.filter((node, i) => i && node.namespace !== nodes[i - 1].namespace).length;
  const step = (2 * Math.PI) / Math.max(nodes.length + (gaps + 1) * 0.8, 6);
  let angle = -Math.PI / 2;
  nodes.forEach((node, i) => {
    if (i && node.namespace !== nodes[i - 1].namespace) angle += 0.8 * step;
    node.angle = angle;
    node.x = RADIUS * Math.cos(angle);
    node.y = RADIUS * Math.sin(angle);
    angle += step;
  });
  return step;
}

function drawGraph() {
  const isSource = new Set(STATE.rows.filter((index) => index !== OUTSIDE));
  const isDestination = new Set(STATE.columns.filter((index) => index !== OUTSIDE));
  const shown = NAMES.map((_, index) => index).filter((i) => isSource.has(i) || isDestination.has(i));
  const nodes = findNodes(shown);
  const edges = findEdges(nodes, isSource, isDestination);
  const step = place(nodes);
  const isCalm = edges.length <= MOST_EDGES;
  const picture = svg("svg", {
    viewBox: `${-HALF_WIDTH} ${-HALF} ${2 * HALF_WIDTH} ${2 * HALF}`, role: "group",
    class: `${nodes.length > 60 ? "dense" : ""} ${edges.length > BUSY_EDGES ? "busy" : ""}`,
    "aria-label": `Graph of ${nodes.length} nodes and ${edges.length} flows`,
  });
  const lines = svg("g", {class: "edges"});
  for (const edge of edges) {
    edge.line = edgeLine(edge);
    if (isCalm) lines.append(edge.line);
  }
  picture.append(arrowHeads(), namespaceArcs(nodes, step), lines);
  for (const node of nodes) picture.append(nodeGroup(node, nodes, edges, lines, isCalm));
  DRAWING.replaceChildren(picture);
  GRAPH_NOTE.textContent = graphNote(shown, nodes, edges, isCalm);
}

function graphNote(shown, nodes, edges, isCalm) {
  const notes = ["Choose a node: what it sends is blue, what it receives orange. Dashed: some HTTP requests only. Addresses outside are in the matrix."];
  if (nodes.length && nodes[0].members.length !== 1 || shown.length > MOST_NODES) {
    notes.unshift(`${shown.length} workloads are too many to draw: each node is a namespace. Filter for at most ${MOST_NODES} to see workloads.`);
  }
  const drawn = nodes.reduce((sum, node) => sum + node.members.length, 0);
  if (drawn < shown.length) notes.unshift(`Only the first ${MOST_NODES} namespaces are drawn.`);
  if (!isCalm) notes.unshift(`${edges.length} flows are too many to draw at once: choose a node to see its own.`);
  return notes.join(" ");
}

function arrowHeads() {
  const heads = ["plain", "out", "in"].map((kind) => svg("marker", {
    id: `arrow-${kind}`, class: `arrow ${kind}`, viewBox: "0 0 8 8", refX: 7, refY: 4,
    markerWidth: 7, markerHeight: 7, orient: "auto-start-reverse", markerUnits: "userSpaceOnUse",
  }, svg("path", {d: "M0 0.8 L8 4 L0 7.2 z"})));
  return svg("defs", {}, ...heads);
}

function point(radius, angle) {
  return `${(radius * Math.cos(angle)).toFixed(1)} ${(radius * Math.sin(angle)).toFixed(1)}`;
}

function namespaceArcs(nodes, step) {
  const group = svg("g", {class: "namespaces", "aria-hidden": "true"});
  for (let i = 0; i < nodes.length; i++) {
    const first = nodes[i];
    if (!first.namespace) break;
    while (i + 1 < nodes.length && nodes[i + 1].namespace === first.namespace) i++;
    const [start, end] = [first.angle - step * 0.4, nodes[i].angle + step * 0.4];
    const isLarge = end - start > Math.PI ? 1 : 0;
    group.append(svg("path", {
      d: `M${point(RADIUS + 10, start)} A${RADIUS + 10} ${RADIUS + 10} 0 ${isLarge} 1 ${point(RADIUS + 10, end)}`,
    }));
    group.append(radialText(first.namespace, RADIUS + 150, (start + end) / 2, "namespace"));
  }
  return group;
}

function radialText(text, radius, angle, kind) {
  const isLeft = Math.cos(angle) < -1e-9;
  const degrees = (angle * 180) / Math.PI + (isLeft ? 180 : 0);
  const short = text.length > 24 ? `${text.slice(0, 23)}\u2026` : text;
  const [x, y] = point(radius, angle).split(" ");
  if (kind === "namespace") {
    return svg("text", {x, y, class: kind, "text-anchor": "middle", "dominant-baseline": "middle"}, short);
  }
  return svg("text", {
    class: kind, transform: `translate(${x} ${y}) rotate(${degrees.toFixed(2)})`,
    "text-anchor": isLeft ? "end" : "start", "dominant-baseline": "central",
  }, short);
}

function edgeLine(edge) {
  const {from, to} = edge;
  const gap = Math.abs(from.angle - to.angle);
  const pull = 0.15 + 0.5 * (1 - Math.sin(Math.min(gap, 2 * Math.PI - gap) / 2));
  const inner = (node) => point(RADIUS - 7, node.angle);
  const bend = (node) => point(RADIUS * pull, node.angle);
  const isDashed = edge.isCertain ? "" : " dashed";
  return svg("path", {
    class: `edge${isDashed}`, "marker-end": "url(#arrow-plain)",
    d: `M${inner(from)} C${bend(from)} ${bend(to)} ${inner(to)}`,
  });
}

function nodeGroup(node, nodes, edges, lines, isCalm) {
  const own = edges.filter((edge) => edge.from === node || edge.to === node);
  const sent = own.filter((edge) => edge.from === node).length;
  const group = svg("g", {
    class: "node", tabindex: 0, role: "button", "aria-pressed": "false",
    "aria-label": `${node.title}: sends to ${sent}, receives from ${own.length - sent}`,
  }, svg("title", {}, node.title), svg("circle", {cx: node.x.toFixed(1), cy: node.y.toFixed(1), r: 4.5}),
  radialText(node.label, RADIUS + 20, node.angle, "label"));
  const select = () => {
    markEdges(edges, node, lines, isCalm);
    for (const other of DRAWING.querySelectorAll(".node")) other.setAttribute("aria-pressed", String(other === group));
    if (node.members.length === 1 && node.namespace) showName(node.members[0]);
    else showNamespace(node, own);
  };
  group.addEventListener("click", select);
  group.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    select();
  });
  return group;
}

function markEdges(edges, node, lines, isCalm) {
  lines.classList.add("chosen");
  for (const edge of edges) {
    const kind = edge.from === node ? "out" : edge.to === node ? "in" : "";
    edge.line.classList.remove("out", "in");
    edge.line.setAttribute("marker-end", `url(#arrow-${kind || "plain"})`);
    if (kind) edge.line.classList.add(kind);
    if (kind) lines.append(edge.line);
    else if (!isCalm) edge.line.remove();
  }
}

function showNamespace(node, own) {
  const line = (edge) => make("li", {}, `${edge.from.title} \u2192 ${edge.to.title}: ${edge.count} flows`);
  showDetails(heading("h2", node.title), make("p", {}, `${node.members.length} workloads`),
    make("ul", {class: "peers"}, ...own.map(line)));
}
